"""`newskeep schedule`: see, set and take away what runs when."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.config import DEFAULT_FILE
from crawler.durations import duration
from newskeep.cli._options import Duration, common, settle
from newskeep.schedule import crontab, systemd
from newskeep.schedule.job import job, minute_of, period, unseen_variables
from newskeep.times import distance, iso, local
from storage.errors import NewskeepError

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.schedule.job import Job
    from newskeep.schedule.listing import ScheduleRow

_EXAMPLES = """\b
Examples:
  newskeep schedule install --dry-run       what would be written
  newskeep schedule install --every 30m     in your crontab
  newskeep schedule install --systemd       as a timer of your systemd
  newskeep schedule remove"""


@click.group()
def schedule() -> None:
    """See what runs when, and have cron or systemd start it."""


@schedule.command("list")
@click.argument("names", nargs=-1, metavar="[SITE]...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@common
def list_(names: tuple[str, ...], as_json: bool, archive: str, state: str, config: Path, verbose: int) -> None:
    """Show each site: how often it is looked at, its last run, its next one in your time zone, and its state."""
    settings = settle(config, verbose, archive=archive, state=state)
    _show(settings, names, as_json)


@schedule.command("next")
@click.argument("names", nargs=-1, metavar="[SITE]...")
@click.option("-n", "--number", type=click.IntRange(1), default=20, show_default=True, help="Sites to show at most.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@common
def next_(
    names: tuple[str, ...], number: int, as_json: bool, archive: str, state: str, config: Path, verbose: int
) -> None:
    """Show what runs when, the most overdue and the next first."""
    settings = settle(config, verbose, archive=archive, state=state)
    _show(settings, names, as_json, number)


def _show(settings: Config, names: tuple[str, ...], as_json: bool, number: int | None = None) -> None:
    """Print all sites, or the next few."""
    from newskeep.schedule.due import sites_of
    from newskeep.schedule.listing import next_rows, rows
    from storage import open_archive

    at = datetime.now(UTC)
    sites = sites_of(settings, names)
    with open_archive(settings.archive, settings.state) as opened:
        found = list(rows(opened, sites, at) if number is None else next_rows(opened, sites, at, number))
        uri = opened.uri
    if as_json:
        for row in found:
            click.echo(json.dumps({**asdict(row), "last": iso(row.last), "due": iso(row.due)}))
        return
    table = [("SITE", "EVERY", "LAST RUN", "ENDED", "NEXT RUN", "STATE"), *(_cells(row, at) for row in found)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())
    click.echo(_started_by(uri, at), err=True)


def _cells(row: ScheduleRow, at: datetime) -> tuple[str, ...]:
    last = f"{local(row.last)}" if row.last else "-"
    due = "now" if row.due is None or row.due <= at else f"{local(row.due)}, {distance(row.due, at)}"
    return (row.site, duration(row.every), last, row.ended or "-", due, row.state)


def _started_by(archive: str, at: datetime) -> str:
    """What starts `newskeep due` for an archive, and when."""
    try:
        lines = crontab.block(crontab.read(), archive) if crontab.available() else None
    except crontab.CrontabError as error:
        return str(error)
    if lines is not None:
        start = crontab.next_start(lines, at)
        when = f" {local(start)}, {distance(start, at)}, and starts what is due by then" if start else ""
        return f"cron looks next{when}"
    if timers := [path.name for path in systemd.installed(archive, systemd.folder()) if path.suffix == ".timer"]:
        return f"started by systemd: systemctl --user list-timers {timers[0]}"
    return "nothing starts it: newskeep schedule install"


@schedule.command(epilog=_EXAMPLES)
@click.option("--cron", "kind", flag_value="cron", help="Write to your crontab.  [where there is one]")
@click.option("--systemd", "kind", flag_value="systemd", help="Write a service and a timer of your systemd.")
@click.option("--every", type=Duration(), default="5m", show_default=True, metavar="TIME", help="How often to look.")
@click.option("--time-limit", type=Duration(), metavar="TIME", help="Passed on to `newskeep due`.")
@click.option("--at-once", type=click.IntRange(1), metavar="N", help="Passed on to `newskeep due`.")
@click.option("--dry-run", is_flag=True, help="Only print what would be written.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask on a terminal.")
@common
def install(
    kind: str | None,
    every: float,
    time_limit: float | None,
    at_once: int | None,
    dry_run: bool,
    yes: bool,
    archive: str,
    state: str,
    config: Path,
    verbose: int,
) -> None:
    """Have `newskeep due` started every few minutes; which sites are due then is theirs to say (`every`).

    Prints what it writes. In your crontab it touches nothing but its own block, one for each archive; installed again,
    it takes the place of what was there. What it writes needs no PATH, HOME or variable.
    """
    minutes = period(every)
    options = []
    if time_limit is not None:
        options += ["--time-limit", f"{time_limit:g}s"]
    if at_once is not None:
        options += ["--at-once", str(at_once)]
    made = _job(settle(config, verbose, archive=archive, state=state), config, tuple(options))
    minute = minute_of(made.archive, socket.gethostname())
    agreed = _Agreed(dry_run, yes)
    if (kind or _kind()) == "cron":
        _install_cron(made, minutes, minute, agreed)
    else:
        _install_systemd(made, minutes, minute, agreed)
    if unseen := unseen_variables(made.archive, os.environ):
        click.echo(
            f"newskeep: {', '.join(unseen)}: set here, but not where the schedule runs; write it into newskeep.toml"
            " (credentials of AWS into ~/.aws)",
            err=True,
        )


@schedule.command()
@click.option("--cron", "kind", flag_value="cron", help="Only from your crontab.")
@click.option("--systemd", "kind", flag_value="systemd", help="Only from your systemd.")
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask on a terminal.")
@common
def remove(kind: str | None, dry_run: bool, yes: bool, archive: str, state: str, config: Path, verbose: int) -> None:
    """Take the schedule of this archive away, and nothing else. Run again, it changes nothing."""
    made = _job(settle(config, verbose, archive=archive, state=state), config, ())
    agreed = _Agreed(dry_run, yes)
    found = False
    if kind != "systemd" and (kind == "cron" or crontab.available()):
        found |= _remove_cron(made.archive, agreed)
    if kind != "cron":
        found |= _remove_systemd(made.archive, agreed)
    if not found:
        click.echo(f"nothing is scheduled for {made.archive}", err=True)


class _Agreed:
    """Whether to go on: after what will be done was printed, and, on a terminal, agreed to."""

    def __init__(self, dry_run: bool, yes: bool) -> None:
        self._dry_run = dry_run
        self._ask = not yes and sys.stdin.isatty()

    def __call__(self, question: str) -> bool:
        if self._dry_run:
            return False
        return not self._ask or click.confirm(question, default=True, err=True)


def _job(settings: Config, config: Path | None, options: tuple[str, ...]) -> Job:
    from storage import open_archive

    with open_archive(settings.archive, settings.state) as opened:
        own_state = None if str(opened.state) == opened.uri else opened.state
        file = config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
        return job(opened, file, own_state, options)


def _kind() -> str:
    if crontab.available():
        return "cron"
    if systemd.available():
        return "systemd"
    raise NewskeepError("there is neither a crontab nor a systemctl program here: install cron")


def _install_cron(made: Job, minutes: int, minute: int, agreed: _Agreed) -> None:
    lines = crontab.entry(made, minutes, minute)
    table = crontab.read()
    before = crontab.block(table, made.archive)
    click.echo(lines, nl=False)
    if before == lines:
        click.echo("this is in your crontab already", err=True)
        return
    if agreed("Replace the block in your crontab by this?" if before else "Add this to your crontab?"):
        crontab.write(crontab.with_block(table, made.archive, lines))
        start = crontab.next_start(lines, datetime.now(UTC))
        click.echo(f"written to your crontab; next start {local(start)}" if start else "written", err=True)


def _remove_cron(archive: str, agreed: _Agreed) -> bool:
    table = crontab.read()
    lines = crontab.block(table, archive)
    if lines is None:
        return False
    click.echo(lines, nl=False)
    if agreed("Remove this from your crontab?"):
        crontab.write(crontab.without_block(table, archive))
        click.echo("removed from your crontab", err=True)
    return True


def _install_systemd(made: Job, minutes: int, minute: int, agreed: _Agreed) -> None:
    made_units = systemd.units(made, minutes, minute)
    target = systemd.folder()
    for name, content in made_units.files.items():
        click.echo(f"# {target / name}\n{content}")
    if not agreed(f"Write these to {target} and start the timer?"):
        return
    systemd.write(made_units, target)
    start = f"systemctl --user daemon-reload && systemctl --user enable --now {made_units.timer}"
    if not systemd.available():
        click.echo(f"written; there is no systemctl here, start them with: {start}", err=True)
        return
    for words in (("daemon-reload",), ("enable", "--now", made_units.timer), ("restart", made_units.timer)):
        if (why := systemd.control(*words)) is not None:
            raise NewskeepError(f"the units are written, but systemd did not take them ({why}); try: {start}")
    click.echo("written and started; to run while you are not logged in: loginctl enable-linger", err=True)


def _remove_systemd(archive: str, agreed: _Agreed) -> bool:
    target = systemd.folder()
    paths = systemd.installed(archive, target)
    if not paths:
        return False
    for path in paths:
        click.echo(path)
    if agreed("Stop and remove these?"):
        timer = f"{systemd.unit_name(archive)}.timer"
        if systemd.available():
            # Where no systemd of the user's runs, nothing of it needs to be stopped.
            systemd.control("disable", "--now", timer)
        systemd.remove(paths)
        if systemd.available():
            systemd.control("daemon-reload")
        click.echo("removed", err=True)
    return True

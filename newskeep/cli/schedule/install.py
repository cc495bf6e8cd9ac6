"""`newskeep schedule install`: have cron or systemd start what is due."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import click

from newskeep.cli._numbers import Whole
from newskeep.cli._options import Duration, common, settle
from newskeep.cli.schedule._change import Agreed, job_of
from newskeep.schedule import crontab, systemd
from newskeep.schedule.job import Job, minute_of, period, unseen_variables
from newskeep.times import local
from storage.errors import NewskeepError

_EXAMPLES = """\b
Examples:
  newskeep schedule install --dry-run       what would be written
  newskeep schedule install --every 30m     in your crontab
  newskeep schedule install --systemd       as a timer of your systemd
  newskeep schedule remove"""


@click.command(epilog=_EXAMPLES)
@click.option("--cron", "kind", flag_value="cron", help="Write to your crontab.  [where there is one]")
@click.option("--systemd", "kind", flag_value="systemd", help="Write a service and a timer of your systemd.")
@click.option("--every", type=Duration(), default="5m", show_default=True, metavar="TIME", help="How often to look.")
@click.option("--time-limit", type=Duration(), metavar="TIME", help="Passed on to `newskeep due`.")
@click.option("--at-once", type=Whole(), metavar="N", help="Passed on to `newskeep due`.")
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
    index: str,
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
    made = job_of(settle(config, verbose, archive=archive, state=state, index=index), tuple(options))
    minute = minute_of(made.archive, socket.gethostname())
    agreed = Agreed(dry_run, yes)
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


def _kind() -> str:
    if crontab.available():
        return "cron"
    if systemd.available():
        return "systemd"
    raise NewskeepError("there is neither a crontab nor a systemctl program here: install cron")


def _install_cron(made: Job, minutes: int, minute: int, agreed: Agreed) -> None:
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


def _install_systemd(made: Job, minutes: int, minute: int, agreed: Agreed) -> None:
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

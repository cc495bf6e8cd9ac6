"""`newskeep schedule remove`: take the schedule of an archive away."""

from __future__ import annotations

from pathlib import Path

import click

from newskeep.cli._options import common, settle
from newskeep.cli.schedule._change import Agreed, job_of
from newskeep.schedule import crontab, systemd


@click.command()
@click.option("--cron", "kind", flag_value="cron", help="Only from your crontab.")
@click.option("--systemd", "kind", flag_value="systemd", help="Only from your systemd.")
@click.option("--dry-run", is_flag=True, help="Only print what would be removed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask on a terminal.")
@common
def remove(
    kind: str | None, dry_run: bool, yes: bool, archive: str, state: str, index: str, config: Path, verbose: int
) -> None:
    """Take the schedule of this archive away, and nothing else. Run again, it changes nothing."""
    made = job_of(settle(config, verbose, archive=archive, state=state, index=index), ())
    agreed = Agreed(dry_run, yes)
    found = False
    if kind != "systemd" and (kind == "cron" or crontab.available()):
        found |= _remove_cron(made.archive, agreed)
    if kind != "cron":
        found |= _remove_systemd(made.archive, agreed)
    if not found:
        click.echo(f"nothing is scheduled for {made.archive}", err=True)


def _remove_cron(archive: str, agreed: Agreed) -> bool:
    table = crontab.read()
    lines = crontab.block(table, archive)
    if lines is None:
        return False
    click.echo(lines, nl=False)
    if agreed("Remove this from your crontab?"):
        crontab.write(crontab.without_block(table, archive))
        click.echo("removed from your crontab", err=True)
    return True


def _remove_systemd(archive: str, agreed: Agreed) -> bool:
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

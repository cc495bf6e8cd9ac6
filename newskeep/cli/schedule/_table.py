"""The table of sites that `newskeep schedule list` and `next` print, and what starts them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from crawler.durations import duration
from newskeep.cli._terminal import echo
from newskeep.schedule import crontab, systemd
from newskeep.times import distance, iso, local

if TYPE_CHECKING:
    from crawler.config import Config
    from newskeep.schedule.listing import ScheduleRow


def show(settings: Config, names: tuple[str, ...], as_json: bool, number: int | None = None) -> None:
    """Print all sites, or the next few."""
    from newskeep.schedule.due import sites_of
    from newskeep.schedule.listing import next_rows, rows
    from storage import open_archive

    at = datetime.now(UTC)
    sites = sites_of(settings, names)
    with open_archive(settings.archive, settings.state, settings.lock, settings.shared_index) as opened:
        found = list(rows(opened, sites, at) if number is None else next_rows(opened, sites, at, number))
        uri = opened.uri
    if as_json:
        for row in found:
            click.echo(json.dumps({**asdict(row), "last": iso(row.last), "due": iso(row.due)}))
        return
    table = [("SITE", "EVERY", "LAST RUN", "ENDED", "NEXT RUN", "STATE"), *(_cells(row, at) for row in found)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        echo("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())
    echo(_started_by(uri, at), err=True)


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

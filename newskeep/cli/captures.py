"""`newskeep captures`: what is held of a URL or host."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep import fields
from newskeep.cli._console import Console, escape
from newskeep.cli._options import Moment, check_order, configured, of_tag, open_existing, why_nothing
from storage.errors import NotArchived, UsageError
from storage.urls import Match, timestamp14

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.model import Capture

_EXAMPLES = """\b
Examples:
  newskeep captures https://www.example.org/a
  newskeep captures https://www.example.org/2026/ --prefix
  newskeep captures www.example.org --json | jq .timestamp
  newskeep captures --tag election-2026"""


@click.command(epilog=_EXAMPLES)
@click.argument("target", required=False, metavar="[URL-OR-HOST]")
@click.option("--prefix", is_flag=True, help="All URLs that start like this one.")
@click.option("--since", type=Moment(), metavar="TIME", help="Not older than this.")
@click.option("--until", type=Moment("end"), metavar="TIME", help="Not newer than this.")
@of_tag
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each capture.")
@configured
def captures(
    target: str | None,
    prefix: bool,
    since: datetime | None,
    until: datetime | None,
    tag: str | None,
    as_json: bool,
    settings: Config,
) -> None:
    """List the captures of a URL, of all URLs that start like it, or of a whole host (a name without http://).

    With --tag those of them that have the tag; without a URL or host, all that have it.
    """
    if target is None and tag is None:
        raise UsageError("captures of what? Give a URL or a host, or --tag NAME")
    check_order(since, until)
    found = False
    with open_existing(settings) as opened:
        out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        for capture in _find(opened, target, prefix, since, until, tag):
            found = True
            if as_json:
                click.echo(json.dumps(fields.of_capture(capture)))
            else:
                out.print(row(capture))
        if not found:
            what = target if target is not None else f"the tag {tag}"
            raise NotArchived(f"nothing of {what} is in the archive {opened.uri}{why_nothing(opened, None, tag)}")


def _find(
    archive: Archive,
    target: str | None,
    prefix: bool,
    since: datetime | None,
    until: datetime | None,
    tag: str | None,
) -> Iterator[Capture]:
    if target is None:
        return archive.index.all_captures(since=since, until=until, tag=tag)
    match: Match = "prefix" if prefix else "exact" if "://" in target else "host"
    return archive.captures(target, match=match, since=since, until=until, tag=tag)


def row(capture: Capture) -> str:
    """A capture as a line of a list, marked up."""
    status = str(capture.status or "-")
    marks = (capture.wall, capture.insecure, "noarchive" if capture.noarchive else None)
    marked = "".join(f"[yellow]{escape(mark)}[/]  " for mark in marks if mark)
    return (
        f"{timestamp14(capture.timestamp)}  {status:>3}  {escape(capture.mime or '-'):<20}  {escape(capture.url)}  "
        f"{marked}[dim]{capture.filename}:{capture.offset}+{capture.length}[/]"
    )

"""`newskeep note`: say something of a page, for who comes later."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._maintenance import sum_up
from newskeep.cli._options import Moment, configured, open_existing, who, why_nothing
from newskeep.cli._terminal import echo
from storage.errors import NotArchived, UsageError
from storage.urls import normalize, timestamp14

if TYPE_CHECKING:
    from storage.annotations import Annotation
    from storage.archive import Archive

_EXAMPLES = """\b
Examples:
  newskeep note https://www.example.org/a "Quoted in the report of 3 March, page 12."
  newskeep note https://www.example.org/a --at 2026-11-21 "Before the correction."
  newskeep note https://www.example.org/a
  newskeep note https://www.example.org/a --remove 20261121220000123456-0a1b2c3d

\b
Exit codes: 0 done, 2 an option is wrong, 3 the archive is out of reach, 6 the page is not
held, or there is no such note."""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.argument("text", required=False)
@click.option("--at", type=Moment(), metavar="TIME", help="Only on the capture nearest to this time.")
@click.option("--remove", "taken", metavar="ID", help="Take a note back, by its id.")
@click.option("--by", metavar="NAME", help="Who says so.  [your name on this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configured
def note(
    url: str,
    text: str | None,
    at: datetime | None,
    taken: str | None,
    by: str | None,
    as_json: bool,
    settings: Config,
) -> None:
    """Put a note on a URL; without TEXT, list its notes with their ids.

    Notes stand on the article's page in the reading room and in what is exported. One that was taken back is shown no
    more; its file stays.
    """
    if taken is not None and (text is not None or at is not None):
        raise UsageError("--remove takes a note back by its id: leave the text and --at out")
    from storage.annotating.annotate import capture_time, put
    from storage.annotating.sync import learn
    from storage.annotations import noted, unnoted

    url = normalize(url)
    with open_existing(settings) as opened:
        learn(opened.store, opened.index)
        if taken is not None:
            put(opened, unnoted(_note(opened, url, taken), who(by)))
            sum_up("taken back", {"removed": taken}, as_json)
            return
        if next(opened.captures(url), None) is None:
            raise NotArchived(f"nothing of {url} is in the archive {opened.uri}{why_nothing(opened, None)}")
        time = None if at is None else capture_time(opened, url, at)
        if text is None:
            _show(opened.index.notes(url, time), as_json)
            return
        annotation = noted(url, text, who(by), times=() if time is None else (time,))
        put(opened, annotation)
        sum_up(f"noted; taken back with --remove {annotation.id}", json.loads(annotation.to_json()), as_json)


def _note(archive: Archive, url: str, asked: str) -> Annotation:
    for each in archive.index.notes(url):
        if each.id == asked:
            return each
    raise NotArchived(f"{url} has no note {asked}; without --remove its notes are listed")


def _show(notes: list[Annotation], as_json: bool) -> None:
    for each in notes:
        if as_json:
            click.echo(json.dumps(json.loads(each.to_json()), ensure_ascii=False))
            continue
        times = "".join(f"  of {timestamp14(time)}" for time in each.times)
        echo(f"{each.id}  {each.moment:%Y-%m-%d}  {each.by}{times}  {each.text}")

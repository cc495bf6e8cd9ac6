"""`newskeep tag`: give tags to what is held, take some away."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._maintenance import sum_up
from newskeep.cli._options import Moment, TagName, configured, open_existing, who, why_nothing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import NotArchived, UsageError
from storage.urls import surt, timestamp14

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.model import Capture

_EXAMPLES = """\b
Examples:
  newskeep tag https://www.example.org/a --add election-2026
  newskeep tag 'https://www.example.org/politics/*' --add politics --add to-read
  newskeep tag https://www.example.org/a --at 2026-11-21 --add first-version
  newskeep tag https://www.example.org/a --remove to-read
  newskeep tag https://www.example.org/a

\b
Exit codes: 0 done, 2 an option or a tag is wrong, 3 the archive is out of reach, 6 nothing
of it is held."""


@click.command(epilog=_EXAMPLES)
@click.argument("target", metavar="URL-OR-PREFIX")
@click.option("--add", "add", type=TagName(), multiple=True, metavar="TAG", help="Give it this tag; repeatable.")
@click.option("--remove", "take", type=TagName(), multiple=True, metavar="TAG", help="Take this tag away; repeatable.")
@click.option("--prefix", is_flag=True, help="All URLs that start like this one; so does a * at its end.")
@click.option("--at", type=Moment(), metavar="TIME", help="Only the capture nearest to this time.")
@click.option("--by", metavar="NAME", help="Who says so.  [your name on this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configured
def tag(
    target: str,
    add: tuple[str, ...],
    take: tuple[str, ...],
    prefix: bool,
    at: datetime | None,
    by: str | None,
    as_json: bool,
    settings: Config,
) -> None:
    """Give tags to a URL or take them away; without --add and --remove, show the tags of each of its captures.

    A URL means all its captures, those that come later too; with a * at its end all URLs that start like it; a name
    without http:// a host, and *.example.org the hosts below it too. What was said last counts: of one page below a
    tagged prefix the tag can be taken away.

    A tag is letters and digits of any script with . _ - within, at most 64 characters, in small letters.
    """
    from storage.removing.hide import target_of

    url, match = target_of(target, prefix)
    if at is not None and match != "exact":
        raise UsageError("--at is about one capture of one URL: it goes with neither a prefix nor a host")
    with open_existing(settings) as opened:
        from storage.annotating.annotate import capture_time, put
        from storage.annotating.sync import learn
        from storage.annotations import tagged

        learn(opened.store, opened.index)
        times = () if at is None else (capture_time(opened, url, at),)
        captures = opened.captures(url, match=match)
        meant = (each for each in captures if not times or each.timestamp.replace(microsecond=0) in times)
        if add or take:
            annotation = tagged(url, match, who(by), add=add, remove=take, times=times)
            held, addresses = _counted(meant)
        else:
            annotation, held = None, _show(opened, meant, as_json)
        if not held:
            raise NotArchived(f"nothing of {target} is in the archive {opened.uri}{why_nothing(opened, None)}")
        if annotation is not None:
            put(opened, annotation)
            about = f"{counted(held, 'capture')} of {counted(addresses, 'address', 'addresses')}"
            figures = {"captures": held, "addresses": addresses, "annotation": json.loads(annotation.to_json())}
            sum_up(f"{about}: {_said(add, take)}", figures, as_json)


def _counted(captures: Iterable[Capture]) -> tuple[int, int]:
    """How many captures, in order of SURT, and of how many addresses; a host may have very many."""
    number = addresses = 0
    last = None
    for capture in captures:
        number += 1
        addresses += surt(capture.url) != last
        last = surt(capture.url)
    return number, addresses


def _said(add: tuple[str, ...], take: tuple[str, ...]) -> str:
    return ", ".join([*(f"+{each}" for each in add), *(f"-{each}" for each in take)])


def _show(archive: Archive, captures: Iterable[Capture], as_json: bool) -> int:
    """Print the tags of each capture; return how many there are."""
    shown = 0
    for capture in captures:
        shown += 1
        tags = archive.index.tags_of(capture.url, capture.timestamp)
        if as_json:
            fields = {"url": capture.url, "timestamp": timestamp14(capture.timestamp), "tags": tags}
            click.echo(json.dumps(fields, ensure_ascii=False))
        else:
            echo(f"{timestamp14(capture.timestamp)}  {capture.url}  {' '.join(tags) or '-'}")
    return shown

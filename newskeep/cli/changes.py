"""`newskeep changes`: an article's versions and what changed between them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from crawler.config import Config
from newskeep import fields
from newskeep.cli._console import Console
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import fit
from storage.counts import counted
from storage.versions import Piece, changed_text, changed_title

if TYPE_CHECKING:
    from datetime import datetime

    from storage.versions import Removal, Version

_STYLES = {"both": "", "before": "red strike", "after": "green"}
#: Where there are no colours, as `git diff --word-diff` and wdiff have it.
_MARKS = {"both": ("", ""), "before": ("[-", "-]"), "after": ("{+", "+}")}

_EXAMPLES = """\b
Examples:
  newskeep changes https://www.example.org/a
  newskeep changes https://www.example.org/a --json | jq .changes.title

\b
Exit codes: 0 done, 3 the archive is out of reach, 6 not in the archive."""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each version.")
@configured
def changes(url: str, as_json: bool, settings: Config) -> None:
    """Show the versions of an article: when its title or text was another, word by word, and when it was gone.

    What came is green, what went is red; in a pipe {+so+} and [-so-]. A new layout of the page makes no version.
    """
    with open_existing(settings) as opened:
        found = opened.versions(url)
    if as_json:
        for line in _lines(found):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    before: Version | None = None
    for number, version in enumerate(found, 1):
        out.print(_head(number, version))
        if before is not None:
            _show_changes(out, before, version)
        for removal in version.removals:
            out.print(Text(f"   {_removed(removal)}", "bold red"))
        before = version
    if len(found) == 1 and not found[0].removals:
        out.print(f"   no changes in {_captures(found[0])}")


def _head(number: int, version: Version) -> Text:
    title = fit(version.article.title or version.entry.url)
    seen = f", {_captures(version)} until {_time(version.last)}" if version.captures > 1 else ""
    head = Text.assemble((f"{number}  {_time(version.entry.timestamp)}  {title}", "bold"))
    return head.append(f"  {counted(version.article.words, 'word')}{seen}", "dim")


def _show_changes(out: Console, before: Version, version: Version) -> None:
    if title := changed_title(before.article, version.article):
        out.print(Text.assemble(("   title  ", "dim"), _marked(out, title)))
    for passage in changed_text(before.article, version.article):
        if passage.skipped:
            out.print(Text(f"   … {counted(passage.skipped, 'paragraph')} the same", "dim"))
        out.print(Text("   ").append_text(_marked(out, passage.pieces)))


def _marked(out: Console, pieces: tuple[Piece, ...]) -> Text:
    coloured = out.is_terminal and not out.no_color
    text = Text()
    for piece in pieces:
        start, end = ("", "") if coloured else _MARKS[piece.of]
        text.append(f"{start}{fit(piece.text)}{end}", _STYLES[piece.of])
    return text


def _removed(removal: Removal) -> str:
    back = f", back at {_time(removal.until)}" if removal.until else ""
    return f"removed  {_time(removal.timestamp)}  {removal.status} {HTTPStatus(removal.status).phrase}{back}"


def _captures(version: Version) -> str:
    return counted(version.captures, "capture")


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _lines(found: list[Version]) -> Iterator[dict[str, Any]]:
    befores = [None, *(before for before, _ in pairwise(found))]
    for number, (before, version) in enumerate(zip(befores, found, strict=True), 1):
        yield {
            "version": number,
            **fields.of_version(version),
            "removed": [fields.of_removal(removal) for removal in version.removals],
            "changes": None if before is None else fields.of_changes(before, version),
        }

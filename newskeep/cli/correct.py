"""`newskeep correct`: what belongs to an article's text, by who reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._console import Console
from newskeep.cli._options import Moment, configured, open_existing
from newskeep.cli._terminal import echo
from newskeep.cli.corrections import show_correction
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, AlreadyRunning, UsageError

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.corrections import Correction, CorrectionVerdict
    from storage.model import Article
    from storage.problems import Problem

_EXAMPLES = """\b
Examples:
  newskeep correct https://www.example.org/a --remove 7 --remove 9
  newskeep correct https://www.example.org/a --keep "Correction: an earlier version"
  newskeep correct https://www.example.org/a --remove "Read The Post for 9 kr" --site
  newskeep correct https://www.example.org/a              what was corrected, with numbers
  newskeep correct https://www.example.org/a --undo 1

\b
Exit codes: 0 done, 2 no such block, 3 the archive is out of reach, 6 no text of URL is held, 7 the correction is
kept, but a stored text could not be made again."""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.option("--keep", multiple=True, metavar="BLOCK", help="This block belongs to the text; may be repeated.")
@click.option("--remove", multiple=True, metavar="BLOCK", help="This one does not; may be repeated.")
@click.option("--undo", multiple=True, metavar="N", help="Take back a correction of the list, or `all`.")
@click.option("--site", "whole_site", is_flag=True, help="On every page of the site, and not on this one alone.")
@click.option("--at", type=Moment(), metavar="TIME", help="The capture nearest to this time.  [the newest good one]")
@click.option("--by", metavar="NAME", help="Who says so.")
@click.option("--note", metavar="TEXT", help="What for.")
@click.option("--json", "as_json", is_flag=True, help="Print the corrections that hold as JSON lines.")
@configured
def correct(
    url: str,
    keep: tuple[str, ...],
    remove: tuple[str, ...],
    undo: tuple[str, ...],
    whole_site: bool,
    at: datetime | None,
    by: str | None,
    note: str | None,
    as_json: bool,
    settings: Config,
) -> int:
    """Correct an article's text: keep a block that was removed, remove one that was kept.

    BLOCK is a number as `newskeep explain` shows it, or the first words of the block. The correction is kept with the
    site and counts from now on, before everything else: when the page is captured again, changed or not, and when its
    text is made again. The texts that are held of the page, or with --site of the site, are made again at once.

    Without --keep, --remove and --undo it lists what was corrected. `--undo all` takes back all of this page, with
    --site all of the whole site.
    """
    from crawler.session.correcting import corrections_of
    from crawler.session.correcting import keep as keep_all
    from storage.corrections import to_fields

    with open_existing(settings) as opened:
        article = opened.article(url, at)
        problems: list[Problem] = []
        known = corrections_of(opened, article, _tell)
        made = [*_undone(known, undo, whole_site), *_said(article, keep, remove, whole_site, by, note)]
        if made:
            problems += _apply(opened, keep_all(opened, made))
            known = corrections_of(opened, article)
    if as_json:
        for each in known:
            click.echo(json.dumps(to_fields(each), ensure_ascii=False))
    elif known:
        out = Console(file=sys.stdout, highlight=False)
        for number, each in enumerate(known, 1):
            show_correction(out, each, number)
    elif not made:
        echo(f"nothing was corrected of {article.url}", err=True)
    return PROBLEMS_FOUND if problems else 0


def _tell(problem: Problem) -> None:
    echo(str(problem), err=True)


def _said(
    article: Article,
    keep: Iterable[str],
    remove: Iterable[str],
    whole_site: bool,
    by: str | None,
    note: str | None,
) -> list[Correction]:
    """What is said of the blocks that were given. Raises `UsageError`."""
    from crawler.session.correcting import correction_of, find_block, shown

    found: dict[int, CorrectionVerdict] = {find_block(article, given, True): "keep" for given in keep}
    for given in remove:
        at = find_block(article, given, False)
        if found.setdefault(at, "remove") == "keep":
            raise UsageError(f"block {at + 1}, {shown(article.blocks[at].text)}, is to be kept and to be removed")
    return [
        correction_of(article, at, verdict, whole_site=whole_site, by=by, note=note) for at, verdict in found.items()
    ]


def _undone(known: list[Correction], numbers: Iterable[str], whole_site: bool) -> list[Correction]:
    """What takes back the corrections of these numbers. Raises `UsageError`."""
    from storage.corrections import undone

    found: dict[int, Correction] = {}
    for given in numbers:
        if given == "all":
            found |= {at: each for at, each in enumerate(known, 1) if each.whole_site == whole_site}
        elif given.isascii() and given.isdecimal() and 1 <= int(given[:9]) <= len(known):
            found[int(given)] = known[int(given) - 1]
        else:
            held = counted(len(known), "correction") if known else "no correction"
            raise UsageError(f"--undo {given}: {held} of this page is held, see `newskeep correct URL`")
    return [undone(each) for each in found.values()]


def _apply(archive: Archive, made: list[Correction]) -> list[Problem]:
    """Put corrections over the texts that are held, and say what came of it."""
    from crawler.session.correcting import apply
    from storage.problems import Problem

    try:
        done = apply(archive, made)
    except AlreadyRunning as error:
        later = Problem("kept, but no text was made again", f"{error}; afterwards: newskeep reextract {made[0].site}")
        _tell(later)
        return [later]
    for problem in done.problems:
        _tell(problem)
    echo(f"{counted(done.changed, 'text')} changed", err=True)
    return done.problems

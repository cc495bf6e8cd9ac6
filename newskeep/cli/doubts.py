"""`newskeep doubts`: the articles whose text is in doubt."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._console import Console, escape
from newskeep.cli._numbers import Whole
from newskeep.cli._options import Moment, Share, SiteName, check_order, configured, open_existing, why_nothing
from newskeep.cli._terminal import echo
from newskeep.confidence import percent
from newskeep.fields import of_article
from storage.counts import counted
from storage.errors import NotArchived
from storage.model import DOUBTFUL

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.index import ArticleEntry

_EXAMPLES = """\b
Examples:
  newskeep doubts
  newskeep doubts gazette herald.example --since 2026-11
  newskeep doubts --below 0.3 --limit 100 --json | jq -r .url

\b
Exit codes: 0 done, 2 a wrong option, 3 the archive is out of reach, 6 no article of a site is held."""


@click.command(epilog=_EXAMPLES)
@click.argument("sites", nargs=-1, type=SiteName(), metavar="[SITE]...")
@click.option(
    "--below",
    type=Share(),
    default=DOUBTFUL,
    show_default=True,
    metavar="CONFIDENCE",
    help="Doubtful is what is less sure than this, 0 to 1.",
)
@click.option("--since", type=Moment(), metavar="TIME", help="Captured not earlier than this.")
@click.option("--until", type=Moment("end"), metavar="TIME", help="Captured not later than this.")
@click.option(
    "--limit",
    type=Whole(),
    default=20,
    show_default=True,
    metavar="N",
    help="Not more than these, the least sure.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each article.")
@configured
def doubts(
    sites: tuple[str, ...],
    below: float,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
    settings: Config,
) -> None:
    """List the articles whose text is in doubt, the least sure first: of all sites, or of those that are named.

    Each with its confidence (how likely the text is right as a whole), when it was captured, its words, title and URL.
    `newskeep explain URL` shows what was kept of a page and why.
    """
    check_order(since, until)
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    shown = 0
    with open_existing(settings) as opened:
        asked = tuple(dict.fromkeys(sites)) or (None,)
        for site in asked:
            _check_held(opened, site)
        for entry in opened.doubtful(below, sites=sites, since=since, until=until, limit=limit):
            shown += 1
            if as_json:
                click.echo(json.dumps(of_article(entry), ensure_ascii=False))
            else:
                out.print(_row(entry))
        found = [each for site in asked for each in opened.index.doubt(below, site=site, since=since, until=until)]
    echo(_sum(sum(each.judged for each in found), sum(each.doubtful for each in found), shown, below), err=True)


def _check_held(archive: Archive, site: str | None) -> None:
    """Raise `NotArchived` where no article is held, so that nothing seems to be sure."""
    if next(archive.index.articles(site=site, limit=1), None) is None:
        raise NotArchived(f"no doubts to list in {archive.uri}{why_nothing(archive, site)}")


def _sum(judged: int, doubtful: int, shown: int, below: float) -> str:
    if not judged:
        return "no article of these says how sure its text is: newskeep reextract"
    if not doubtful:
        return f"none of {counted(judged, 'article')} is doubtful (below {percent(below)})"
    cut = f"; {shown} shown, --limit shows more" if shown < doubtful else ""
    return f"{doubtful:,} of {counted(judged, 'article')} doubtful (below {percent(below)}){cut}"


def _row(entry: ArticleEntry) -> str:
    sure = percent(entry.confidence or 0.0)
    words = counted(entry.words, "word")
    title = escape(entry.title or "(no title)")
    return f"{sure:>5}  {entry.timestamp:%Y-%m-%d %H:%M}  {words:>11}  {title}  [dim]{escape(entry.url)}[/]"

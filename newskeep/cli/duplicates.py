"""`newskeep duplicates`: the same text, or nearly the same, under other URLs."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from crawler.config import Config
from newskeep.cli._console import Console, escape
from newskeep.cli._numbers import Whole
from newskeep.cli._options import Moment, configured, open_existing
from newskeep.cli._terminal import echo
from storage.urls import timestamp14

if TYPE_CHECKING:
    from storage.index import Duplicate

_EXAMPLES = """\b
Examples:
  newskeep duplicates https://www.example.org/a
  newskeep duplicates https://www.example.org/a --json | jq -r .site | sort | uniq -c

\b
Exit codes: 0 done, 3 the archive is out of reach, 6 not in the archive."""


@click.command(epilog=_EXAMPLES)
@click.argument("url")
@click.option("--at", type=Moment(), metavar="TIME", help="The text of the capture nearest to this time.  [the newest]")
@click.option("--limit", type=Whole(), metavar="N", help="Not more than these, the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each.")
@configured
def duplicates(
    url: str,
    at: datetime | None,
    limit: int | None,
    as_json: bool,
    settings: Config,
) -> None:
    """List the articles under other URLs that have the text of this one: republished, agency copy, edited versions.

    The newest first, with the share of the words in common; "same" is the same text, sign by sign.
    """
    with open_existing(settings) as opened:
        found = list(opened.duplicates(url, at, limit))
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for one in found:
        if as_json:
            click.echo(json.dumps(_json(one), ensure_ascii=False))
        else:
            out.print(_row(one))
    if not found:
        echo("the text stands under no other URL of the archive", err=True)


def _json(found: Duplicate) -> dict[str, Any]:
    article = found.article
    return {
        "url": article.url,
        "timestamp": timestamp14(article.timestamp),
        "site": article.site,
        "title": article.title,
        "words": article.words,
        "exact": found.exact,
        "similarity": round(found.similarity, 2),
    }


def _row(found: Duplicate) -> str:
    article = found.article
    share = "same" if found.exact else f"{found.similarity:.0%}"
    return (
        f"{share:>4}  {timestamp14(article.timestamp)}  {escape(article.site)}  {escape(article.url)}  "
        f"[dim]{escape(article.title or '')}[/]"
    )

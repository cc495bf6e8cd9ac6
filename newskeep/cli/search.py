"""`newskeep search`: articles by the words in their title and text."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from crawler.config import Config
from newskeep.cli._console import Console
from newskeep.cli._numbers import Whole
from newskeep.cli._options import Moment, SiteName, check_order, configured, of_tag, open_existing, why_nothing
from newskeep.cli._terminal import echo, fit
from newskeep.fields import of_article
from newskeep.site_hosts import parse_words
from storage.counts import counted
from storage.errors import NotArchived
from storage.index import ORDERS, Filters

if TYPE_CHECKING:
    from storage.index import Hit, SearchOrder, Total

_EXAMPLES = """\b
Examples:
  newskeep search bridge minister
  newskeep search '"opens on monday"' 'bridg*' -budget
  newskeep search 'bridge OR tunnel' minister --order relevance
  newskeep search bridge 'author:"ada lovelace"' site:paper tag:election-2026
  newskeep search 東京タワー --since 2026-11 --json | jq -r .url

\b
Exit codes: 0 done, 3 the archive is out of reach, 6 nothing found."""
_MARK = "bold yellow"
_CONTROLS = frozenset(map(chr, range(32)))
#: Before a word with a minus on its way past click; no argument of a program can have it.
_WORD = "\0"


class _Search(click.Command):
    """Takes -word as a word, in which click would look for options of one letter; --word stays an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        letters = {name[1:] for option in options for name in option.opts if len(name) == 2}
        valued = {name for option in options if not (option.is_flag or option.count) for name in option.opts}
        marked, is_value = list[str](), False
        for number, given in enumerate(args):
            if given == "--":
                marked += args[number:]
                break
            is_word = not is_value and given[:1] == "-" != given[1:2] and not set(given[1:]) <= letters
            marked.append(_WORD + given if is_word else given)
            is_value = not is_value and given in valued
        return super().parse_args(ctx, marked)


def _as_typed(_ctx: click.Context, _param: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.removeprefix(_WORD) for word in words)


@click.command(cls=_Search, epilog=_EXAMPLES)
@click.argument("words", nargs=-1, required=True, callback=_as_typed)
@click.option("--site", type=SiteName(), metavar="SITE", help="Only of this site: its name, host or address.")
@click.option("--since", type=Moment(), metavar="TIME", help="Captured not earlier than this.")
@click.option("--until", type=Moment("end"), metavar="TIME", help="Captured not later than this.")
@click.option("--language", metavar="TAG", help="Only in this language: da, pt, pt-BR.")
@click.option("--author", metavar="NAME", help="Only by this author: words of the name that follow each other.")
@of_tag
@click.option(
    "--order", type=click.Choice(ORDERS), default="date", show_default=True, help="The newest first, or the best first."
)
@click.option("--limit", type=Whole(), default=20, show_default=True, help="Not more than these, the first.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each article.")
@configured
def search(
    words: tuple[str, ...],
    site: str | None,
    since: datetime | None,
    until: datetime | None,
    language: str | None,
    author: str | None,
    tag: str | None,
    order: SearchOrder,
    limit: int,
    as_json: bool,
    settings: Config,
) -> None:
    """Find articles that have all the words in title or text, the newest first.

    "Several words" as they follow each other; one OR other; word* what begins so; NOT word, or -word, without it;
    brackets hold together. author:NAME, site:SITE, language:TAG and tag:TAG stand among the words as well. Case and
    accents do not matter; Chinese, Japanese, Thai and the like need no spaces.

    --order relevance puts the best 400 first: rare words, often, in the title, and side by side count most.
    """
    check_order(since, until)
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    shown = 0
    wanted = parse_words(settings, " ".join(words))
    filters = Filters(site, language, author, tag, since, until)
    with open_existing(settings) as opened:
        for hit in opened.search(wanted, **asdict(filters), order=order, limit=limit):
            shown += 1
            if as_json:
                click.echo(json.dumps(_json(hit), ensure_ascii=False))
            else:
                out.print(_shown(hit))
        unsearched = opened.index.unsearched()
        why = "" if shown else why_nothing(opened, site, tag)
        total = opened.index.total(wanted, filters)
    if unsearched:
        echo(f"{counted(unsearched, 'article')} cannot be searched yet: newskeep reindex", err=True)
    if total.count > shown:
        echo(_said(total, shown, order), err=True)
    if not shown:
        raise NotArchived(f"no article in {opened.uri} has: {' '.join(words)}{why}")


def _said(total: Total, shown: int, order: SearchOrder) -> str:
    found = ("" if total.exact else "more than ") + counted(total.count, "article")
    return f"{found}; shown: the {'newest' if order == 'date' else 'best'} {shown:,}"


def _json(hit: Hit) -> dict[str, Any]:
    return {
        **of_article(hit.article),
        "authors": list(hit.authors),
        "snippet": hit.snippet,
        "marks": [list(mark) for mark in hit.marks],
    }


def _shown(hit: Hit) -> Text:
    article = hit.article
    title = _marked(article.title or "(no title)", hit.title_marks if article.title else ())
    title.stylize("bold")
    place = f"\n  {article.timestamp:%Y-%m-%d %H:%M}  {fit(article.site)}  {fit(article.url)}\n"
    snippet = _marked(hit.snippet, hit.marks)
    return Text.assemble(title, (place, "dim"), "  " if hit.snippet else "", snippet, "\n" if hit.snippet else "")


def _marked(text: str, marks: tuple[tuple[int, int], ...]) -> Text:
    # One for one, so that the marks stay where they are: rich's Text leaves some controls out by itself. The rest of
    # what a terminal would obey the console takes out, and moves the marks along.
    shown = Text("".join(" " if char in _CONTROLS else char for char in text))
    for start, end in marks:
        shown.stylize(_MARK, start, end)
    return shown

"""`newskeep sites memory`: what repeats over a site's pages, as the archive knows it."""

from __future__ import annotations

import json
import sys
from operator import methodcaller
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._console import Console, escape
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import NotArchived

if TYPE_CHECKING:
    from crawler.extraction.template.site_memory import SiteMemory

_EXAMPLES = """\b
Examples:
  newskeep sites memory www.example.org
  newskeep sites memory www.example.org --changes
  newskeep sites memory www.example.org --unlearn "We are a reader-owned paper."
"""


@click.command(epilog=_EXAMPLES)
@click.argument("site", metavar="SITE")
@click.option("--unlearn", metavar="LINE", multiple=True, help="This line is article text for good; may be repeated.")
@click.option("--changes", is_flag=True, help="Lines whose verdict changed, with the numbers that changed it.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each line of the memory.")
@configured
def memory(site: str, unlearn: tuple[str, ...], changes: bool, as_json: bool, settings: Config) -> None:
    """Show what repeats over a site's pages and is removed from its articles, the most frequent first.

    --changes shows what was template once and is no more, or is again: a line that all of the first three articles had
    may be on three of forty later. With --unlearn a line is never removed again, from the next crawl or reextract on.
    """
    from crawler.session.site_memory_store import SiteMemoryStore
    from storage.urls import site_of

    host = site_of(site if "://" in site else f"http://{site}")
    with open_existing(settings) as opened:
        memories = SiteMemoryStore(opened.store, opened.state)
        known = memories.load(host)
        if not known.stories:
            raise NotArchived(f"nothing is remembered of {host} in the archive {opened.uri}")
        if unlearn:
            known = memories.revise(host, methodcaller("unlearn", "\n".join(unlearn)))
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    (_show_changes if changes else _show_lines)(out, known, as_json)
    spared, stories = known.distrusted()
    if spared:
        echo(
            f"in {spared:,} of {counted(stories, 'article')} what repeats would be most of the text, and stays",
            err=True,
        )


def _show_lines(out: Console, known: SiteMemory, as_json: bool) -> None:
    for count, line in known.lines():
        if as_json:
            click.echo(json.dumps({"articles": count, "line": line}, ensure_ascii=False))
        else:
            out.print(f"[dim]{count:>4}[/]  {escape(line)}")


def _show_changes(out: Console, known: SiteMemory, as_json: bool) -> None:
    for line, verdicts in known.changes():
        if as_json:
            told = [{**each._asdict(), "template": each.template} for each in verdicts]
            click.echo(json.dumps({"line": line, "verdicts": told}, ensure_ascii=False))
            continue
        out.print(escape(line))
        for each in verdicts:
            verdict = "template" if each.template else "article text"
            day = f"{each.at[:4]}-{each.at[4:6]}-{each.at[6:8]}"
            out.print(f"[dim]    {day}  {verdict}: on {each.seen} of {counted(each.stories, 'article')}[/]")

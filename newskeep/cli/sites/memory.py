"""`newskeep sites memory`: what repeats over a site's pages, as the archive knows it."""

from __future__ import annotations

import json
import sys

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import Console, escape
from storage.errors import NotArchived

_EXAMPLES = """\b
Examples:
  newskeep sites memory www.example.org
  newskeep sites memory www.example.org --unlearn "We are a reader-owned paper."
"""


@click.command(epilog=_EXAMPLES)
@click.argument("site", metavar="SITE")
@click.option("--unlearn", metavar="LINE", multiple=True, help="This line is article text for good; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each line of the memory.")
@configured
def memory(site: str, unlearn: tuple[str, ...], as_json: bool, settings: Config) -> None:
    """Show what repeats over a site's pages and is removed from its articles, the most frequent first.

    With --unlearn a line is never removed again, from the next crawl or reextract on.
    """
    from crawler.session.site_memory_store import SiteMemoryStore
    from storage.urls import site_of

    host = site_of(site if "://" in site else f"http://{site}")
    with open_existing(settings) as opened:
        memories = SiteMemoryStore(opened.store, opened.state)
        known = memories.load(host)
        if not known.stories:
            raise NotArchived(f"nothing is remembered of {host} in the archive {opened.uri}")
        for line in unlearn:
            known = known.unlearn(line)
        if unlearn:
            memories.save(host, known)
    out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for count, line in known.lines():
        if as_json:
            click.echo(json.dumps({"articles": count, "line": line}, ensure_ascii=False))
        else:
            out.print(f"[dim]{count:>4}[/]  {escape(line)}")

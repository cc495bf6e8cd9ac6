"""`newskeep collection`: what a tag is called and about."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from crawler.config import Config
from newskeep.cli._options import TagName, configured, open_existing, who
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import NotArchived

_EXAMPLES = """\b
Examples:
  newskeep collection election-2026 --title "The election of 2026" --description "All parties."
  newskeep collection election-2026
  newskeep collection election-2026 --title ""
  newskeep export --format wacz --tag election-2026 --to election

\b
Exit codes: 0 done, 2 an option is wrong, 3 the archive is out of reach, 6 no such tag."""


@click.command(epilog=_EXAMPLES)
@click.argument("name", type=TagName(), metavar="TAG")
@click.option("--title", metavar="TEXT", help="What it is called; empty takes the title away.")
@click.option("--description", metavar="TEXT", help="What it is about; empty takes it away.")
@click.option("--by", metavar="NAME", help="Who says so.  [your name on this machine]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@configured
def collection(
    name: str, title: str | None, description: str | None, by: str | None, as_json: bool, settings: Config
) -> None:
    """Give a tag a title and a description, which make it a collection; without either, show what it is.

    The collection is all that has the tag, now and later. The reading room shows title and description, and
    `newskeep export --format wacz --tag TAG` puts them into the package.
    """
    from storage.annotating.annotate import put
    from storage.annotating.sync import learn
    from storage.annotations import described

    with open_existing(settings) as opened:
        learn(opened.store, opened.index)
        if title is not None or description is not None:
            put(opened, described(name, who(by), title=title, description=description))
        found = opened.index.tag(name)
        if not (found.captures or found.title or found.description or title is not None or description is not None):
            raise NotArchived(f"nothing has the tag {name}; newskeep tags lists what there is")
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    holds = f"{counted(found.captures, 'capture')}, {counted(found.articles, 'article')}"
    echo(f"{found.tag}: {found.title or '(no title)'} ({holds})")
    if found.description:
        echo(found.description)

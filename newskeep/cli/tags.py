"""`newskeep tags`: the tags of an archive, with what they are called and how much has them."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted

_EXAMPLES = """\b
Examples:
  newskeep tags
  newskeep tags --json | jq -r 'select(.articles > 100) | .tag'"""


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each tag.")
@configured
def tags(as_json: bool, settings: Config) -> None:
    """List the tags and collections by name: captures, addresses, articles, and the title where there is one."""
    from storage.annotating.sync import learn

    with open_existing(settings) as opened:
        learn(opened.store, opened.index)
        found = opened.index.tags()
        longest = max((len(each.tag) for each in found), default=0)
        for each in found:
            if as_json:
                click.echo(json.dumps(asdict(each), ensure_ascii=False))
                continue
            line = f"{each.tag:<{longest}}  {counted(each.captures, 'capture'):>14}"
            line += f"  {counted(each.addresses, 'address', 'addresses'):>15}  {counted(each.articles, 'article'):>14}"
            echo(f"{line}  {each.title}" if each.title else line)
        if not found:
            echo("no tags yet; newskeep tag URL --add NAME gives one, save --tag NAME too", err=True)

"""`newskeep sites`: the sites that are configured, what one would bring, and what the archive knows of it.

The list is the command's own; one file a subcommand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newskeep.cli._options import settle
from newskeep.cli._terminal import echo
from newskeep.cli.sites import check, memory

if TYPE_CHECKING:
    from crawler.sites.site import Site

_EXAMPLES = """\b
Examples:
  newskeep sites
  newskeep sites check https://www.example.org/
  newskeep sites memory www.example.org
"""


@click.group(epilog=_EXAMPLES, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.  [./newskeep.toml if there]")
@click.pass_context
def sites(context: click.Context, as_json: bool, config: Path | None) -> None:
    """List the sites that are configured; try one out; see and correct what the archive knows of one."""
    if context.invoked_subcommand is not None:
        return
    from crawler.sites.site import load_sites
    from crawler.sites.spider_loader import declared_sites

    settings = settle(config, 0)
    configured = load_sites(settings)
    declared = {name: site for name, site in declared_sites(settings).items() if name not in configured}
    for where, found in ((str(settings.file), configured), ("spider", declared)):
        for site in found.values():
            if as_json:
                click.echo(json.dumps(_site_json(site, where), ensure_ascii=False))
            else:
                echo(_site_line(site, where))
    if not configured and not as_json:
        echo("newskeep: no site is configured: newskeep sites check ADDRESS --write adds one", err=True)


def _site_line(site: Site, where: str) -> str:
    return f"{site.name:<24} every {_span(site.every):<5} {site.sources[0]}  ({where})"


def _site_json(site: Site, where: str) -> dict[str, Any]:
    from crawler.sites.site_keys import KEYS

    return {"name": site.name, "from": where, **{key: getattr(site, key) for key in KEYS}}


def _span(seconds: float) -> str:
    for letter, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{letter}"
    return f"{seconds:g}s"


for command in (check.check, memory.memory):
    sites.add_command(command)

"""`newskeep schedule list`: each site, how often, when last and when next."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._options import configured
from newskeep.cli.schedule._table import show


@click.command("list")
@click.argument("names", nargs=-1, metavar="[SITE]...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@configured
def list_(names: tuple[str, ...], as_json: bool, settings: Config) -> None:
    """Show each site: how often it is looked at, its last run, its next one in your time zone, and its state."""
    show(settings, names, as_json)

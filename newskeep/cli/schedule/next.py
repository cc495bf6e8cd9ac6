"""`newskeep schedule next`: what runs next."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._numbers import Whole
from newskeep.cli._options import configured
from newskeep.cli.schedule._table import show


@click.command("next")
@click.argument("names", nargs=-1, metavar="[SITE]...")
@click.option("-n", "--number", type=Whole(), default=20, show_default=True, help="Sites to show at most.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@configured
def next_(names: tuple[str, ...], number: int, as_json: bool, settings: Config) -> None:
    """Show what runs when, the most overdue and the next first."""
    show(settings, names, as_json, number)

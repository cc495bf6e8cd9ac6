"""`newskeep schedule next`: what runs next."""

from __future__ import annotations

from pathlib import Path

import click

from newskeep.cli._options import common, settle
from newskeep.cli.schedule._table import show


@click.command("next")
@click.argument("names", nargs=-1, metavar="[SITE]...")
@click.option("-n", "--number", type=click.IntRange(1), default=20, show_default=True, help="Sites to show at most.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each site.")
@common
def next_(
    names: tuple[str, ...], number: int, as_json: bool, archive: str, state: str, config: Path, verbose: int
) -> None:
    """Show what runs when, the most overdue and the next first."""
    settings = settle(config, verbose, archive=archive, state=state)
    show(settings, names, as_json, number)

"""`newskeep alerts`: who is told of what; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.alerts.list import list_
from newskeep.cli.alerts.send import send
from newskeep.cli.alerts.test import test


@click.group()
def alerts() -> None:
    """Tell people and programs what is new, changed or gone, and which sites are in trouble.

    What is told to whom stands in newskeep.toml, in tables [alerts.NAME]. `crawl` and `due` tell at their end.
    """


for command in (list_, test, send):
    alerts.add_command(command)

"""`newskeep identity`: who we are to the servers that we ask; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.identity.check import check
from newskeep.cli.identity.directory import directory
from newskeep.cli.identity.make import make
from newskeep.cli.identity.page import page


@click.group()
def identity() -> None:
    """Sign requests, so that servers can tell who asks: a key, its directory, and whether a request was ours.

    Nothing is signed until newskeep.toml names a key as signing_key. More: newskeep docs being-a-guest.
    """


for command in (make, directory, page, check):
    identity.add_command(command)

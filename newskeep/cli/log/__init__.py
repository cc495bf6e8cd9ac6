"""`newskeep log`: a signed log of what is archived; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.log.countersigned import countersigned
from newskeep.cli.log.init import init
from newskeep.cli.log.list import list_
from newskeep.cli.log.update import update
from newskeep.cli.log.witness import witness

_EXAMPLES = """\b
Examples:
  newskeep log init --name "the town archive"
  newskeep log list
  newskeep log update
  newskeep log witness https://archive.example.org
  newskeep verify --deep"""


@click.group(epilog=_EXAMPLES)
def log() -> None:
    """Keep a signed log of what is archived, which shows what was changed or removed.

    Every record goes into an append-only Merkle tree (RFC 9162), whose heads are signed as WARCs come in and may be
    stamped by time authorities. `newskeep verify` holds the archive against it, `newskeep prove` makes proofs of it.
    """


for command in (init, list_, update, witness, countersigned):
    log.add_command(command)

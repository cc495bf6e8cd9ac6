"""`newskeep index`: the index beyond one database; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.index.list import list_
from newskeep.cli.index.publish import publish

_EXAMPLES = """\b
Examples:
  newskeep index publish
  newskeep index publish --month 2026-05 --release
  newskeep index list
  newskeep verify"""


@click.group(epilog=_EXAMPLES)
def index() -> None:
    """Publish months of the index in the archive, for other programs, and to keep the database small.

    A published month is sorted CDXJ in a ZipNum cluster, which pywb reads, and Parquet with the columns of Common
    Crawl, which DuckDB counts. `newskeep reindex` makes the database again, `newskeep verify` checks both.
    """


for command in (publish, list_):
    index.add_command(command)

"""`newskeep jobs purge`: remove jobs that are over."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._options import Duration
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo
from storage.counts import counted

_EXAMPLES = """\b
Examples:
  newskeep jobs purge
  newskeep jobs purge --older-than 0s --failed

\b
Exit codes: 0 done, 2 usage or configuration, 3 the queue is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--older-than", type=Duration(), default="7d", show_default=True, metavar="TIME", help="Over for so long."
)
@click.option("--failed", is_flag=True, help="Those that failed too.")
@with_queue
def purge(older_than: float, failed: bool, settings: Config) -> None:
    """Remove jobs that are done or cancelled, and lists all of whose jobs are gone; the archive keeps its reports.

    The workers do so by themselves with what is older than a week, as very many jobs make the queue slow.
    """
    with opened_queue(settings) as queue:
        removed = queue.purge(older_than / 3600, failed=failed)
        echo(f"{counted(removed, 'job')} removed")

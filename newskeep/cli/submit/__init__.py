"""`newskeep submit`: jobs for workers on any machine; one file a subcommand."""

from __future__ import annotations

import click

from newskeep.cli.submit.crawl import crawl
from newskeep.cli.submit.due import due
from newskeep.cli.submit.urls import urls

_EXAMPLES = """\b
Examples:
  newskeep submit due                    in a crontab, on as many machines as you like
  newskeep submit crawl guardian --since 2026-01-01
  newskeep submit urls list.txt
  newskeep worker                        does what was submitted
  newskeep jobs"""


@click.group(epilog=_EXAMPLES)
def submit() -> None:
    """Queue work for `newskeep worker`, on this machine and others.

    The queue is in PostgreSQL (`queue` in newskeep.toml, or --queue). A job is one crawl of one site, or a batch of a
    list of URLs; whichever worker does it, a host is asked by one at a time.
    """


for command in (due, crawl, urls):
    submit.add_command(command)

"""`newskeep jobs cancel`: take jobs out of the queue."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._numbers import HIGHEST, Whole
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo

_EXAMPLES = """\b
Examples:
  newskeep jobs cancel 12 13

\b
Exit codes: 0 done, 2 no such job, or one that is over, 3 the queue is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.argument("numbers", nargs=-1, type=Whole(most=HIGHEST), required=True, metavar="JOB...")
@with_queue
def cancel(numbers: tuple[int, ...], settings: Config) -> None:
    """Take jobs out of the queue; one that runs ends in good order, and keeps what it archived."""
    with opened_queue(settings) as queue:
        for number in numbers:
            job = queue.cancel(number)
            echo(f"job {number} " + ("is stopping" if job.stopping else f"is {job.status}"))

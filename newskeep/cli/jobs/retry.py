"""`newskeep jobs retry`: have jobs done again."""

from __future__ import annotations

import click

from crawler.config import Config
from newskeep.cli._numbers import HIGHEST, Whole
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo
from storage.errors import UsageError

_EXAMPLES = """\b
Examples:
  newskeep jobs retry 12 13
  newskeep jobs retry --failed

\b
Exit codes: 0 done, 2 no such job, or one that did not fail, 3 the queue is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.argument("numbers", nargs=-1, type=Whole(most=HIGHEST), metavar="[JOB]...")
@click.option("--failed", is_flag=True, help="All that failed.")
@with_queue
def retry(numbers: tuple[int, ...], failed: bool, settings: Config) -> None:
    """Have jobs that failed or were cancelled done again, with all their tries; of a list, what has no outcome yet."""
    if failed == bool(numbers):
        raise UsageError("name jobs, or say --failed")
    with opened_queue(settings) as queue:
        for number in numbers or [job.id for job in queue.jobs(["failed"], 1_000_000)]:
            try:
                queue.retry(number)
            except UsageError as error:
                if not failed:
                    raise
                echo(f"newskeep: {error}", err=True)
            else:
                echo(f"job {number} waits again")

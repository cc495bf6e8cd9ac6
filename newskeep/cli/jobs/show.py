"""`newskeep jobs show`: one job with its attempts."""

from __future__ import annotations

import json

import click

from crawler.config import Config
from newskeep.cli._numbers import HIGHEST, Whole
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo

_EXAMPLES = """\b
Examples:
  newskeep jobs show 12
  newskeep jobs show 12 --json

\b
Exit codes: 0 done, 2 no such job, 3 the queue is out of reach."""


@click.command(epilog=_EXAMPLES)
@click.argument("number", type=Whole(most=HIGHEST), metavar="JOB")
@click.option("--json", "as_json", is_flag=True, help="Print it as one JSON object.")
@with_queue
def show(number: int, as_json: bool, settings: Config) -> None:
    """Show a job and how each attempt at it went: by whom, how long, why it ended."""
    with opened_queue(settings) as queue:
        from newskeep.queue.jobs import place_of

        job, attempts = queue.job(number), list(queue.attempts(number))
    if as_json:
        click.echo(json.dumps({**job.to_json(), "history": attempts}, ensure_ascii=False))
        return
    echo(f"job {job.id}: {job.title}: {job.status}" + (f"; lock: {job.lock}" if job.lock else ""))
    for attempt in attempts:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(attempt["counts"].items()))
        parts = [attempt["state"] or "running", attempt["reason"], counts]
        parts.append(f"crawl {attempt['crawl']}" if attempt["crawl"] else None)
        when = f"{attempt['started']} to {attempt['ended'] or 'now'}"
        place = place_of(attempt["worker"], attempt["machine"], attempt["pid"])
        echo(f"  {when}, {place}: {'; '.join(filter(None, parts))}")

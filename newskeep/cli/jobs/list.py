"""`newskeep jobs list`: what is queued, what runs, what failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from crawler.config import Config
from newskeep.cli._numbers import Whole
from newskeep.cli._queue import opened_queue, with_queue
from newskeep.cli._terminal import echo
from newskeep.times import distance

if TYPE_CHECKING:
    from newskeep.queue.fleet import WorkerState
    from newskeep.queue.jobs import Job

_STATUSES = ("running", "waiting", "failed", "done", "cancelled")
#: What is shown where nothing else is asked for: what is over and well is of no interest.
_USUAL = ("running", "waiting", "failed")

_EXAMPLES = """\b
Examples:
  newskeep jobs list
  newskeep jobs list --status failed
  newskeep jobs list --status done --status cancelled --limit 20
  newskeep jobs list --json | jq 'select(.status == "failed") | .reason'

\b
Exit codes: 0 done, 2 usage or configuration, 3 the queue is out of reach."""


@click.command("list", epilog=_EXAMPLES)
@click.option("--status", "statuses", type=click.Choice(_STATUSES), multiple=True, help="Of this status; repeatable.")
@click.option("--limit", type=Whole(), default=200, show_default=True, metavar="N", help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each job.")
@with_queue
def list_(statuses: tuple[str, ...], limit: int, as_json: bool, settings: Config) -> None:
    """List jobs that run, wait or failed, by whom and why; the workers and how many jobs there are, below them."""
    with opened_queue(settings) as queue:
        from newskeep.queue.fleet import fleet_of

        now = datetime.now(UTC)
        for job in queue.jobs(statuses or _USUAL, limit):
            if as_json:
                click.echo(json.dumps(job.to_json(), ensure_ascii=False))
            else:
                echo(_line(job, now))
        if as_json:
            return
        fleet = fleet_of(queue)
        for worker in fleet.workers:
            echo(f"worker {worker.place}: {_in_words(worker, now)}", err=True)
        counts = ", ".join(f"{count:,} {status}" for status, count in fleet.counts.items() if count) or "no jobs"
        echo(
            f"{counts}; {fleet.hosts:,} hosts are being asked, {fleet.hosts_waiting:,} asked to be left alone", err=True
        )
        if not fleet.workers:
            echo("nobody works: newskeep worker", err=True)


def _in_words(worker: WorkerState, now: datetime) -> str:
    told = f"{worker.jobs} of {worker.at_once} jobs, heard of {distance(worker.heard, now)}"
    if worker.lost:
        return f"{told}, lost: others take its jobs"
    if worker.draining:
        return f"{told}, stopping"
    return f"{told}, takes no job: {worker.paused}" if worker.paused else told


def _line(job: Job, now: datetime) -> str:
    parts = [f"{job.id:>6}  {job.status:<9}  {job.title}"]
    if job.status == "running" and job.started is not None:
        parts.append(f"by {job.place}, begun {distance(job.started, now)}" + (", stopping" if job.stopping else ""))
        if job.counts:
            parts.append(", ".join(f"{count:,} {kind}" for kind, count in sorted(job.counts.items())))
    elif job.status == "waiting":
        if job.after is not None and job.after > now:
            parts.append(f"not before {distance(job.after, now)}")
        if job.reason:
            parts.append(f"before: {job.reason}")
    elif job.ended is not None:
        parts.append(f"{distance(job.ended, now)}, by {job.place}")
        if job.reason:
            parts.append(job.reason)
    return "  ".join(parts)

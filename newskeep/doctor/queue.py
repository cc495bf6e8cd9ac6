"""The queue of jobs for many machines, where one is named: whether it can be reached, and whether somebody works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from newskeep.doctor.finding import Finding, bad, good, parted, warned
from newskeep.queue.address import queue_address
from newskeep.status.bounded import bounded
from storage.counts import counted
from storage.errors import NewskeepError, UsageError
from storage.objects import open_store

if TYPE_CHECKING:
    from crawler.config import Config

#: Seconds that the server may take.
SECONDS = 15.0


def findings(config: Config) -> Iterator[Finding]:
    """Nothing where no queue is named, or none was ever used beside a shared index."""
    if not (config.queue or config.index):
        return
    try:
        address = queue_address(config)
        from newskeep.queue.database import QueueDatabase, has_queue
        from newskeep.queue.fleet import fleet_of
        from newskeep.queue.jobs import JobQueue

        if not bounded(lambda: has_queue(address), SECONDS, address.shown):
            if config.queue:
                yield warned("queue", f"{address.shown} has none yet", "newskeep submit makes it")
            return
        with QueueDatabase(address) as database:
            fleet = fleet_of(JobQueue(database, open_store(config.archive).uri))
    except UsageError as error:
        # Who has a shared index alone need not have the extra.
        yield parted("queue", str(error)) if config.queue else good("queue", "not used here")
        return
    except NewskeepError as error:
        yield parted("queue", str(error))
        return
    alive = [worker for worker in fleet.workers if not worker.lost]
    said = f"{address.shown}: {counted(len(alive), 'worker')}, {counted(fleet.counts['waiting'], 'job')} waiting"
    paused = [worker for worker in alive if worker.state == "paused"]
    if fleet.counts["waiting"] and not alive:
        yield bad("queue", said, "newskeep worker")
    elif paused:
        told = "; ".join(f"{worker.place} takes no job: {worker.paused}" for worker in paused[:3])
        grade = bad if len(paused) == len(alive) else warned
        yield grade("queue", f"{said}; {told}", "they go on by themselves when that is over")
    elif fleet.counts["failed"]:
        yield warned("queue", f"{said}, {fleet.counts['failed']} failed", "newskeep jobs list --status failed")
    else:
        yield good("queue", said)

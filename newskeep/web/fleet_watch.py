"""The fleet of an archive's workers, as page and metrics show it; looked at now and then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING

from crawler.config import Config
from storage.errors import StoreUnavailable, UsageError

if TYPE_CHECKING:
    from newskeep.queue.fleet import Fleet
    from newskeep.queue.jobs import JobQueue

#: Seconds for which a picture is shown as it was.
_FRESH = 5.0


class FleetWatch:
    """Looks at the queue of a configuration, where it names one. Threads may share one."""

    def __init__(self, config: Config, archive: str) -> None:
        self._config = config
        self._archive = archive
        self._lock = Lock()
        self._queue: JobQueue | None = None
        self._last: tuple[float, Fleet] | None = None

    @property
    def is_configured(self) -> bool:
        return bool(self._config.queue or self._config.index)

    def newest(self) -> Fleet | None:
        """The fleet; `None` where nothing was ever submitted. Raises `StoreUnavailable`."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] >= _FRESH:
                fleet = self._look()
                if fleet is None:
                    return None
                self._last = time.monotonic(), fleet
            return self._last[1]

    def _look(self) -> Fleet | None:
        from newskeep.queue.address import queue_address

        address = queue_address(self._config)
        try:
            from newskeep.queue.database import QueueDatabase, has_queue
            from newskeep.queue.fleet import fleet_of
            from newskeep.queue.jobs import JobQueue
        except UsageError as error:
            raise StoreUnavailable(str(error)) from None
        if self._queue is None:
            # Who only looks makes no tables.
            if not has_queue(address):
                return None
            self._queue = JobQueue(QueueDatabase(address), self._archive)
        return fleet_of(self._queue)


def metric_lines(watch: FleetWatch) -> list[str]:
    """The fleet for Prometheus; nothing where no queue is named. A queue that is away is told, and fails nothing."""
    if not watch.is_configured:
        return []
    try:
        fleet = watch.newest()
    except (StoreUnavailable, UsageError):
        return _gauge("newskeep_queue_up", "1 where the queue can be reached.", {"": 0})
    lines = _gauge("newskeep_queue_up", "1 where the queue can be reached.", {"": 1})
    if fleet is None:
        return lines
    jobs = {f'{{status="{status}"}}': count for status, count in fleet.counts.items()}
    states = dict.fromkeys(("lost", "draining", "paused", "working"), 0)
    for worker in fleet.workers:
        states[worker.state] += 1
    lines += _gauge("newskeep_queue_jobs", "Jobs of the queue.", jobs)
    workers = {f'{{state="{state}"}}': count for state, count in states.items()}
    lines += _gauge("newskeep_queue_workers", "Workers of the queue.", workers)
    lines += _gauge(
        "newskeep_queue_lag_seconds", "For how long the oldest job waits that could be done.", {"": fleet.lag}
    )
    lines += _gauge("newskeep_queue_hosts", "Hosts that are leased to a job.", {"": fleet.hosts})
    waiting = "Hosts that asked to be left alone for a while."
    return lines + _gauge("newskeep_queue_hosts_waiting", waiting, {"": fleet.hosts_waiting})


def _gauge(name: str, text: str, values: Mapping[str, float]) -> list[str]:
    samples = [f"{name}{labels} {value:g}" for labels, value in values.items()]
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge", *samples]

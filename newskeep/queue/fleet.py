"""Who works, at what, and what waits: one picture of a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, LiteralString

from newskeep.queue.jobs import Job, JobQueue, place_of


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker."""

    name: str
    machine: str | None
    pid: int
    program: str
    started: datetime
    #: When it last said that it is alive.
    heard: datetime
    #: Whether it has said nothing for longer than its lease: others take its jobs.
    lost: bool
    draining: bool
    jobs: int
    at_once: int
    #: Why it takes no jobs for now, if it does not: its store is away, its disk is full ...
    paused: str | None = None

    @property
    def state(self) -> Literal["lost", "draining", "paused", "working"]:
        if self.lost:
            return "lost"
        if self.draining:
            return "draining"
        return "paused" if self.paused else "working"

    @property
    def place(self) -> str:
        """Its name and where it is, for a person."""
        return place_of(self.name, self.machine, self.pid)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All workers of a queue, and what it has for them."""

    workers: tuple[WorkerState, ...]
    #: Those under way.
    running: tuple[Job, ...]
    #: Jobs by status.
    counts: Mapping[str, int]
    #: Seconds for which the oldest job waits that could be done now; 0: none does.
    lag: float
    #: Hosts that are leased, and those that asked to be left alone for a while.
    hosts: int
    hosts_waiting: int


def fleet_of(queue: JobQueue) -> Fleet:
    """Look at a queue. Raises `StoreUnavailable`."""
    workers = tuple(
        WorkerState(
            name=row["name"],
            machine=row["machine"],
            pid=row["pid"],
            program=row["program"],
            started=row["started"].astimezone(UTC),
            heard=row["heard"].astimezone(UTC),
            lost=row["lost"],
            draining=row["draining"],
            jobs=row["jobs"],
            at_once=row["at_once"],
            paused=row["paused"],
        )
        for row in queue.database.all(_WORKERS, queue=queue.name)
    )
    hosts = queue.database.one(_HOSTS) or {"leased": 0, "waiting": 0}
    lag = queue.database.one(_LAG, queue=queue.name)
    return Fleet(
        workers,
        tuple(queue.jobs(["running"], 500)),
        queue.counts(),
        float(lag["seconds"] or 0.0) if lag else 0.0,
        hosts["leased"],
        hosts["waiting"],
    )


_WORKERS: LiteralString = """
SELECT ours.name, ours.machine, ours.pid, ours.program, ours.started, ours.draining, ours.at_once, ours.paused,
       worker.last_heartbeat AS heard,
       worker.last_heartbeat < now() - make_interval(secs => ours.lease) AS lost,
       (SELECT count(*) FROM procrastinate_jobs WHERE worker_id = worker.id AND status = 'doing') AS jobs
  FROM newskeep_workers ours JOIN procrastinate_workers worker ON worker.id = ours.worker
 WHERE ours.queue = %(queue)s ORDER BY ours.name, ours.worker
"""
_HOSTS: LiteralString = """
SELECT count(*) FILTER (WHERE holder IS NOT NULL AND until > now()) AS leased,
       count(*) FILTER (WHERE wait_until > now()) AS waiting FROM newskeep_hosts
"""
# What waits for a lock waits for somebody's work, not for a worker.
_LAG: LiteralString = """
SELECT extract(epoch FROM now() - min(greatest(job.scheduled_at, queued.at)))::float8 AS seconds
  FROM procrastinate_jobs job,
       LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = job.id) queued
 WHERE job.queue_name = %(queue)s AND job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
   AND NOT EXISTS (SELECT FROM procrastinate_jobs other WHERE other.lock = job.lock AND other.status = 'doing')
"""

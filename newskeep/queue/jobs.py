"""The jobs of one archive: queued, looked at, asked for again, cancelled, removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, LiteralString

from procrastinate import exceptions
from procrastinate.jobs import Job as QueuedJob

from newskeep.queue.database import QueueDatabase, Row
from newskeep.queue.task import Task, parse_task, to_arguments
from newskeep.times import iso
from storage.errors import NewskeepError, UsageError

#: What Procrastinate calls them -> what we do.
STATUSES: Mapping[str, str] = {
    "todo": "waiting",
    "doing": "running",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "aborted": "cancelled",
}
#: Procrastinate notifies workers on a channel of this name with 23 letters before it, and PostgreSQL takes 63 bytes.
_NAME_MOST = 40
#: Jobs that are queued in one statement.
_AT_ONCE = 500
#: Hours for which jobs that are over are kept: many make the search for the next one slow.
KEPT_HOURS = 7 * 24

_JOBS: LiteralString = """
SELECT job.id, job.task_name, job.args, job.status::text AS status, job.lock, job.attempts, job.scheduled_at,
       job.abort_requested, queued.at AS queued,
       last.worker, last.machine, last.pid, last.started, last.ended, last.state, last.reason, last.crawl, last.counts
  FROM procrastinate_jobs job
  LEFT JOIN LATERAL (
       SELECT * FROM newskeep_attempts WHERE job = job.id ORDER BY attempt DESC LIMIT 1
  ) last ON true
  LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = job.id) queued ON true
 WHERE job.queue_name = %(queue)s
   AND (%(job)s::bigint IS NULL OR job.id = %(job)s)
   AND (%(statuses)s::text[] IS NULL OR job.status::text = ANY(%(statuses)s))
 ORDER BY array_position(ARRAY['doing', 'todo', 'failed'], job.status::text), job.id DESC
 LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands."""

    id: int
    kind: str
    title: str
    #: waiting, running, done, failed, cancelled.
    status: str
    #: What no other job may have that runs.
    lock: str | None
    #: How often it was begun and ended, or was lost.
    attempts: int
    queued: datetime | None
    #: It is not begun before.
    after: datetime | None = None
    #: Whether somebody wants it to end.
    stopping: bool = False
    #: Who has it, or had it last: the name, on which machine, in which process.
    worker: str | None = None
    machine: str | None = None
    pid: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    #: How its last attempt ended, and why so.
    state: str | None = None
    reason: str | None = None
    crawl: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def place(self) -> str | None:
        """Who has it, or had it last, and where, for a person."""
        return None if self.worker is None else place_of(self.worker, self.machine, self.pid)

    def to_json(self) -> dict[str, Any]:
        return {
            "job": self.id,
            "kind": self.kind.removeprefix("newskeep."),
            "title": self.title,
            "status": self.status,
            "lock": self.lock,
            "attempts": self.attempts,
            "queued": iso(self.queued),
            "after": iso(self.after),
            "stopping": self.stopping,
            "worker": self.worker,
            "machine": self.machine,
            "pid": self.pid,
            "started": iso(self.started),
            "ended": iso(self.ended),
            "state": self.state,
            "reason": self.reason,
            "crawl": self.crawl,
            "counts": dict(self.counts),
        }


def place_of(worker: str, machine: str | None, pid: int | None) -> str:
    """A worker for a person: its name, and where it is if that does not say so already."""
    return worker if machine is None or worker == f"{machine}-{pid}" else f"{worker} ({machine}, process {pid})"


def queue_name(archive: str) -> str:
    """The queue of an archive: its URI, so that one database may serve several."""
    if len(archive) <= _NAME_MOST and archive.isascii():
        return archive
    digest = blake2b(archive.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    # The end of a URI tells more than its beginning.
    end = "".join(each if each.isascii() and each.isalnum() else "-" for each in archive[-(_NAME_MOST - 17) :])
    return f"{digest}-{end}"


class JobQueue:
    """The jobs of an archive in a database. Every method may raise `StoreUnavailable`."""

    def __init__(self, database: QueueDatabase, archive: str) -> None:
        self.database = database
        self.name = queue_name(archive)

    def submit(self, task: Task, lock: str | None) -> int | None:
        """Queue a task, and return the number of its job; `None` where the same is waiting or under way already."""
        if self.database.one(_UNDER_WAY, queueing_lock=task.queueing_lock, queue=self.name) is not None:
            return None
        try:
            with self.database.errors():
                return self.database.app.job_manager.defer_job(self._job(task, lock)).id
        except exceptions.AlreadyEnqueued:
            return None

    def submit_all(self, tasks: Iterable[tuple[Task, str | None]], connection: object) -> None:
        """Queue tasks that are new for sure, in the transaction of a connection."""
        left = iter(tasks)
        while jobs := [self._job(task, lock) for task, lock in islice(left, _AT_ONCE)]:
            self.database.app.job_manager.batch_defer_jobs(jobs, connection)

    def _job(self, task: Task, lock: str | None) -> QueuedJob:
        # Of another archive the same site may be crawled at the same time; its hosts are kept apart by their leases.
        queueing_lock = f"{self.name} {task.queueing_lock}"
        return QueuedJob(
            id=None,
            queue=self.name,
            lock=lock,
            queueing_lock=queueing_lock,
            task_name=task.kind,
            task_kwargs=to_arguments(task),
        )

    def jobs(self, statuses: Iterable[str] = (), limit: int = 1000) -> list[Job]:
        """The jobs of some statuses, or all: what runs, what waits, what failed, then the others, the newest first."""
        wanted = [theirs for theirs, ours in STATUSES.items() if ours in set(statuses)]
        found = self.database.all(_JOBS, queue=self.name, job=None, statuses=wanted or None, limit=limit)
        return [_job_of(row) for row in found]

    def job(self, number: int) -> Job:
        """One job. Raises `UsageError` where there is none."""
        found = self.database.one(_JOBS, queue=self.name, job=number, statuses=None, limit=1)
        if found is None:
            raise UsageError(f"there is no job {number}; newskeep jobs lists them")
        return _job_of(found)

    def attempts(self, number: int) -> Iterator[dict[str, Any]]:
        """How each attempt at a job went, the first first."""
        for row in self.database.all(_ATTEMPTS, job=number):
            yield {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}

    def counts(self) -> dict[str, int]:
        """How many jobs there are of each status."""
        found = dict.fromkeys(STATUSES.values(), 0)
        for row in self.database.all(_COUNTS, queue=self.name):
            found[STATUSES.get(row["status"], row["status"])] += row["jobs"]
        return found

    def retry(self, number: int) -> int:
        """Have a job that failed or was cancelled done again; return its number. Raises `UsageError`.

        It has as many tries as one that is new.
        """
        job = self.job(number)
        if job.status not in ("failed", "cancelled"):
            raise UsageError(f"job {number} is {job.status}: only what failed or was cancelled is asked for again")
        try:
            row = self.database.one(_AGAIN, job=number)
        except exceptions.UniqueViolation:
            raise UsageError(f"job {number}: the same is waiting already: {job.title}") from None
        if row is None:
            raise UsageError(f"job {number} is no longer {job.status}")
        return number

    def cancel(self, number: int) -> Job:
        """Take a job out of the queue, or have it stop in good order where it runs. Raises `UsageError`."""
        self.job(number)
        with self.database.errors():
            done = self.database.app.job_manager.cancel_job_by_id(number, abort=True)
        if not done:
            raise UsageError(f"job {number} is {self.job(number).status} already")
        return self.job(number)

    def purge(self, hours: float = KEPT_HOURS, *, failed: bool = False) -> int:
        """Remove jobs that have been over for so long, failed ones too if wanted; return how many."""
        statuses = ["succeeded", "cancelled", "aborted", *(["failed"] if failed else [])]
        row = self.database.one(_PURGE, queue=self.name, statuses=statuses, hours=hours)
        self.database.run(_PURGE_LISTS, queue=self.name, hours=hours)
        return int(row["jobs"]) if row else 0


_UNDER_WAY: LiteralString = """
SELECT id FROM procrastinate_jobs
 WHERE status = 'doing' AND queueing_lock = %(queue)s || ' ' || %(queueing_lock)s
"""
_ATTEMPTS: LiteralString = """
SELECT attempt, worker, machine, pid, started, ended, state, reason, crawl, counts
  FROM newskeep_attempts WHERE job = %(job)s ORDER BY attempt
"""
_COUNTS: LiteralString = """
SELECT status::text AS status, count(*) AS jobs FROM procrastinate_jobs WHERE queue_name = %(queue)s GROUP BY status
"""
# Procrastinate's own function refuses what was cancelled.
_AGAIN: LiteralString = """
WITH again AS (
    UPDATE procrastinate_jobs
       SET status = 'todo', scheduled_at = NULL, abort_requested = false, worker_id = NULL, attempts = attempts + 1
     WHERE id = %(job)s AND status IN ('failed', 'cancelled', 'aborted') RETURNING id
), before AS (
    UPDATE newskeep_attempts SET counted = false FROM again WHERE job = again.id
)
SELECT id FROM again
"""
_PURGE: LiteralString = """
WITH gone AS (
    DELETE FROM procrastinate_jobs job
     WHERE queue_name = %(queue)s AND status::text = ANY(%(statuses)s)
       AND NOT EXISTS (
           SELECT FROM procrastinate_events event
            WHERE event.job_id = job.id AND event.at > now() - make_interval(secs => %(hours)s * 3600.0))
    RETURNING id
)
SELECT count(*) AS jobs FROM gone
"""
_PURGE_LISTS: LiteralString = """
DELETE FROM newskeep_lists list
 WHERE queue = %(queue)s AND submitted < now() - make_interval(secs => %(hours)s * 3600.0)
   AND NOT EXISTS (
       SELECT FROM procrastinate_jobs job
        WHERE task_name = 'newskeep.save' AND (args ->> 'list')::bigint = list.list)
"""


def _job_of(row: Row) -> Job:
    kind = row["task_name"]
    try:
        title = parse_task(kind, row["args"]).title
    except NewskeepError:
        title = kind
    return Job(
        id=row["id"],
        kind=kind,
        title=title,
        status=STATUSES.get(row["status"], row["status"]),
        lock=row["lock"],
        attempts=row["attempts"],
        queued=_utc(row["queued"]),
        after=_utc(row["scheduled_at"]),
        stopping=row["abort_requested"],
        worker=row["worker"],
        machine=row["machine"],
        pid=row["pid"],
        started=_utc(row["started"]),
        ended=_utc(row["ended"]),
        state=row["state"],
        reason=row["reason"],
        crawl=row["crawl"],
        counts=row["counts"] or {},
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)

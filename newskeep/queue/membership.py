"""A worker's standing with the queue: it says that it is alive, takes jobs, ends them, and finds those of the dead.

Whatever it writes of a job is fenced: it holds only while the job is still its own, by worker and attempt. So a
statement that comes late, out of a connection that was cut off, changes nothing. Procrastinate's own worker does not do
so, nor its sweep: two that find a stalled job would start it twice, and the first that ends it would end both.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal, LiteralString, TypeVar

from procrastinate import App, PsycopgConnector, exceptions
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from newskeep.queue.database import CONFIGURE, pool_options, unavailable
from newskeep.queue.task import Task, UnknownTask, parse_task
from storage.errors import NewskeepError, StoreUnavailable
from storage.postgres_address import PostgresAddress

T = TypeVar("T")
End = Literal["succeeded", "failed", "aborted"]

#: A job whose workers were lost so often is given up: it may be what kills them.
LOST_MOST = 10
#: Seconds until a job whose worker was lost may be taken again; each further time twice as long.
_LOST_PAUSE, _LOST_PAUSE_MOST = 2.0, 120.0


def ticks() -> float:
    """Seconds on a clock that goes on while the machine sleeps, as that of others does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that is ours, and what shows that it is."""

    job: int
    attempt: int
    worker: int
    task: Task | UnknownTask
    #: Earlier attempts that were lost with their process or worker, that found the store away, and on machines without
    #: its site.
    lost: int = 0
    away: int = 0
    elsewhere: int = 0

    @property
    def holder(self) -> str:
        """What its hosts are leased to."""
        return f"{self.job}/{self.attempt}"


class Membership:
    """One worker in the queue of an archive. Every method may raise `StoreUnavailable`.

    `lease`: seconds after its last sign of life from which on a worker counts as gone, and others take its jobs.
    """

    def __init__(self, address: PostgresAddress, queue: str, name: str, at_once: int, lease: float) -> None:
        self.lease = lease
        self.name = name
        self._address = address
        self._queue = queue
        self._at_once = at_once
        self._connector = PsycopgConnector(**pool_options(address), configure=_configure)
        self._app = App(connector=self._connector)
        self._worker: int | None = None
        self._alive = -1.0
        #: Seconds, at least, by which our clock was ahead of the server's at the last `join`; below zero: behind it.
        self.clock_ahead = 0.0

    @property
    def holds(self) -> bool:
        """Whether others believe in us for sure; counted from when the last heartbeat was sent."""
        return self._worker is not None and ticks() - self._alive < 0.75 * self.lease

    async def open(self) -> None:
        await self._doing(self._app.open_async())

    async def close(self) -> None:
        """Leave the queue; what is still ours is found by others after the lease."""
        with suppress(StoreUnavailable):
            if self._worker is not None:
                await self._run(_LEAVE, worker=self._worker)
        with suppress(exceptions.ProcrastinateException, PoolTimeout):
            await self._app.close_async()

    async def join(self) -> None:
        """Begin under a new number: jobs that were taken under another one are no longer ours."""
        sent, began = ticks(), time.time()
        row = await self._one(
            _JOIN,
            name=self.name,
            queue=self._queue,
            machine=socket.gethostname(),
            pid=os.getpid(),
            program=f"newskeep {version('newskeep')}",
            at_once=self._at_once,
            lease=self.lease,
        )
        assert row is not None
        self._worker, self._alive = int(row["worker"]), sent
        # The server looked at its clock at some moment between.
        self.clock_ahead = max(0.0, began - row["clock"]) + min(0.0, time.time() - row["clock"])

    async def beat(self, draining: bool = False, paused: str | None = None) -> Mapping[tuple[int, int], bool]:
        """Say that we are alive; return our jobs, as (job, attempt), and whether somebody wants them to end.

        `paused`: why no job is taken for now, if none is.
        None, and `holds` is false from then on, where others have given us up.
        """
        sent = ticks()
        row = await self._one(_BEAT, worker=self._worker, draining=draining, paused=paused)
        if row is None:
            self._worker = None
            return {}
        self._alive = sent
        found = await self._all(_OURS, worker=self._worker)
        return {(int(each["id"]), int(each["attempts"])): bool(each["abort_requested"]) for each in found}

    async def take(self) -> Taken | None:
        """Take the next job; `None` while there is none that may run."""
        if not self.holds:
            return None
        assert self._worker is not None
        worker = self._worker
        job = await self._doing(self._app.job_manager.fetch_job([self._queue], worker))
        if job is None:
            return None
        assert job.id is not None
        attempt = {"job": job.id, "attempt": job.attempts, "worker": self.name}
        before = await self._one(_BEGIN, **attempt, machine=socket.gethostname(), pid=os.getpid())
        assert before is not None
        task: Task | UnknownTask
        try:
            task = parse_task(job.task_name, job.task_kwargs)
        except NewskeepError:
            task = UnknownTask(job.task_name)
        tries = {name: int(before[name]) for name in ("lost", "away", "elsewhere")}
        return Taken(job.id, job.attempts, worker, task, **tries)

    async def told(self, taken: Taken, counts: Mapping[str, int]) -> None:
        """Keep how far a job is."""
        await self._run(_TOLD, job=taken.job, attempt=taken.attempt, counts=json.dumps(counts))

    async def end(self, taken: Taken, status: End, state: str, reason: str | None, crawl: str | None) -> bool:
        """End a job; return whether it was still ours."""
        await self._note(taken, state, reason, crawl)
        return await self._one(_END, **self._fence(taken), status=status) is not None

    async def put_back(self, taken: Taken, seconds: float, state: str, reason: str | None) -> bool:
        """Have a job done again, by anybody, not before so many seconds; return whether it was still ours."""
        await self._note(taken, state, reason, None)
        return await self._again(taken.job, taken.attempt, taken.worker, seconds)

    async def untried(self, taken: Taken) -> int:
        """How many workers are there, beside us, that have not said yet that they do not know the site of a job."""
        row = await self._one(_UNTRIED, queue=self._queue, job=taken.job, name=self.name)
        return int(row["workers"]) if row else 0

    async def sweep(self) -> list[int]:
        """Find the jobs of workers that are gone, and have them done again after a short pause; return them."""
        found = await self._all(_LOST, queue=self._queue)
        lost = []
        for row in found:
            worker, attempt = row["worker_id"], int(row["attempts"])
            reason = f"its worker was lost: {row['name'] or 'unknown'}"
            await self._run(_NOTE, job=row["id"], attempt=attempt, state="lost", reason=reason, crawl=None)
            if int(row["lost"]) + 1 >= LOST_MOST:
                end = await self._one(_END, job=row["id"], attempt=attempt, worker=worker, status="failed")
                is_ours = end is not None
            else:
                # One that kills its workers must not go around among them at once.
                pause = min(_LOST_PAUSE * 2.0 ** int(row["lost"]), _LOST_PAUSE_MOST)
                is_ours = await self._again(row["id"], attempt, worker, pause)
            # Another worker may have found it in the same moment.
            if is_ours:
                lost.append(int(row["id"]))
        await self._run(_BURY)
        await self._run(_FORGET_HOSTS)
        return lost

    async def listen(self, came: Callable[[], None]) -> None:
        """Call when a job has come; does not return. Without it, jobs are looked for from time to time."""

        async def notified(**_: Any) -> None:
            await asyncio.sleep(0)
            came()

        await self._doing(self._app.job_manager.listen_for_jobs(on_notification=notified, queues=[self._queue]))

    async def idle(self) -> bool:
        """Whether nothing waits and nothing runs anywhere, but for what is put off; what comes back soon is not."""
        row = await self._one(_LEFT, queue=self._queue, soon=_LOST_PAUSE_MOST)
        return row is None or not row["jobs"]

    async def purge(self, hours: int) -> None:
        """Remove what has been done for so long."""
        await self._doing(self._app.job_manager.delete_old_jobs(hours, queue=self._queue, include_cancelled=True))

    async def let_go(self, job: int, attempt: int) -> None:
        """Give back a job that we do not know of: that we had taken it was never answered."""
        await self._again(job, attempt, self._worker, 0.0)

    async def _again(self, job: int, attempt: int, worker: int | None, seconds: float) -> bool:
        try:
            row = await self._one(_AGAIN, job=job, attempt=attempt, worker=worker, seconds=seconds or None)
        except exceptions.UniqueViolation:
            # It was queued again meanwhile: that one does what is left.
            row = await self._one(_END, job=job, attempt=attempt, worker=worker, status="failed")
        return row is not None

    async def _note(self, taken: Taken, state: str, reason: str | None, crawl: str | None) -> None:
        await self._run(_NOTE, job=taken.job, attempt=taken.attempt, state=state, reason=reason, crawl=crawl)

    @staticmethod
    def _fence(taken: Taken) -> dict[str, int]:
        return {"job": taken.job, "attempt": taken.attempt, "worker": taken.worker}

    async def _one(self, query: LiteralString, **values: Any) -> dict[str, Any] | None:
        return next(iter(await self._all(query, **values)), None)

    async def _all(self, query: LiteralString, **values: Any) -> list[dict[str, Any]]:
        return await self._doing(self._connector.execute_query_all_async(query, **values))

    async def _run(self, query: LiteralString, **values: Any) -> None:
        await self._doing(self._connector.execute_query_async(query, **values))

    async def _doing(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except exceptions.UniqueViolation:
            raise
        except (exceptions.ConnectorException, PoolTimeout) as error:
            raise unavailable(self._address, error) from error


async def _configure(connection: AsyncConnection[Any]) -> None:
    await connection.execute(CONFIGURE)
    await connection.commit()


_JOIN: LiteralString = """
WITH new AS (SELECT worker_id FROM procrastinate_register_worker_v1())
INSERT INTO newskeep_workers (worker, name, queue, machine, pid, program, at_once, lease)
SELECT worker_id, %(name)s, %(queue)s, %(machine)s, %(pid)s, %(program)s, %(at_once)s, %(lease)s FROM new
RETURNING worker, extract(epoch FROM clock_timestamp())::float8 AS clock
"""
_LEAVE: LiteralString = "SELECT procrastinate_unregister_worker_v1(%(worker)s)"
# Not one that counts as gone: its jobs may be another's by now.
_BEAT: LiteralString = """
WITH alive AS (
    UPDATE procrastinate_workers SET last_heartbeat = now()
      FROM newskeep_workers ours
     WHERE id = %(worker)s AND ours.worker = id AND last_heartbeat > now() - make_interval(secs => ours.lease)
    RETURNING id
)
UPDATE newskeep_workers SET draining = %(draining)s, paused = %(paused)s FROM alive
 WHERE worker = alive.id RETURNING worker
"""
_OURS: LiteralString = """
SELECT id, attempts, abort_requested FROM procrastinate_jobs WHERE worker_id = %(worker)s AND status = 'doing'
"""
_BEGIN: LiteralString = """
INSERT INTO newskeep_attempts (job, attempt, worker, machine, pid)
VALUES (%(job)s, %(attempt)s, %(worker)s, %(machine)s, %(pid)s)
ON CONFLICT (job, attempt) DO UPDATE SET
    worker = excluded.worker, machine = excluded.machine, pid = excluded.pid,
    started = now(), ended = NULL, state = NULL, counted = true
RETURNING (SELECT count(*) FROM newskeep_attempts old
            WHERE old.job = %(job)s AND old.attempt < %(attempt)s AND old.counted AND old.state = 'lost') AS lost,
          (SELECT count(*) FROM newskeep_attempts old
            WHERE old.job = %(job)s AND old.attempt < %(attempt)s AND old.counted AND old.state = 'away') AS away,
          (SELECT count(*) FROM newskeep_attempts old
            WHERE old.job = %(job)s AND old.attempt < %(attempt)s AND old.counted AND old.state = 'elsewhere')
              AS elsewhere
"""
_UNTRIED: LiteralString = """
SELECT count(*) AS workers FROM newskeep_workers ours JOIN procrastinate_workers worker ON worker.id = ours.worker
 WHERE ours.queue = %(queue)s AND ours.name <> %(name)s AND NOT ours.draining
   AND worker.last_heartbeat > now() - make_interval(secs => ours.lease)
   AND NOT EXISTS (
       SELECT FROM newskeep_attempts old
        WHERE old.job = %(job)s AND old.worker = ours.name AND old.counted AND old.state = 'elsewhere')
"""
_TOLD: LiteralString = """
UPDATE newskeep_attempts SET counts = %(counts)s::jsonb WHERE job = %(job)s AND attempt = %(attempt)s AND ended IS NULL
"""
_NOTE: LiteralString = """
UPDATE newskeep_attempts SET ended = now(), state = %(state)s, reason = %(reason)s, crawl = %(crawl)s
 WHERE job = %(job)s AND attempt = %(attempt)s AND ended IS NULL
"""
_END: LiteralString = """
SELECT job.id, procrastinate_finish_job_v1(job.id, %(status)s::procrastinate_job_status, false)
  FROM (SELECT id FROM procrastinate_jobs
         WHERE id = %(job)s AND attempts = %(attempt)s AND status = 'doing'
           AND worker_id IS NOT DISTINCT FROM %(worker)s
           FOR UPDATE) job
"""
# By the server's clock: that of a machine may be hours off.
_AGAIN: LiteralString = """
SELECT job.id,
       procrastinate_retry_job_v2(job.id, now() + make_interval(secs => %(seconds)s::float8), NULL, NULL, NULL)
  FROM (SELECT id FROM procrastinate_jobs
         WHERE id = %(job)s AND attempts = %(attempt)s AND status = 'doing'
           AND worker_id IS NOT DISTINCT FROM %(worker)s
           FOR UPDATE) job
"""
_LOST: LiteralString = """
SELECT job.id, job.attempts, job.worker_id, ours.name,
       (SELECT count(*) FROM newskeep_attempts old
         WHERE old.job = job.id AND old.counted AND old.state = 'lost') AS lost
  FROM procrastinate_jobs job
  LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
  LEFT JOIN newskeep_workers ours ON ours.worker = worker.id
 WHERE job.status = 'doing' AND job.queue_name = %(queue)s
   AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => coalesce(ours.lease, 0)))
"""
# Those with a job are kept until it is another's: who it was is told with it.
_BURY: LiteralString = """
DELETE FROM procrastinate_workers worker USING newskeep_workers ours
 WHERE ours.worker = worker.id AND last_heartbeat < now() - make_interval(secs => ours.lease)
   AND NOT EXISTS (SELECT FROM procrastinate_jobs job WHERE job.worker_id = worker.id AND job.status = 'doing')
"""
# Those that nobody asked for a day, and that ask for nothing.
_FORGET_HOSTS: LiteralString = """
DELETE FROM newskeep_hosts
 WHERE holder IS NULL AND greatest(next_at, wait_until) < now() - interval '1 day'
"""
_LEFT: LiteralString = """
SELECT count(*) AS jobs FROM procrastinate_jobs job
 WHERE queue_name = %(queue)s
   AND (status = 'doing'
        OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))
        OR (status = 'todo' AND scheduled_at <= now() + make_interval(secs => %(soon)s)
            AND EXISTS (SELECT FROM newskeep_attempts old
                         WHERE old.job = job.id AND old.attempt = job.attempts - 1 AND old.state IN ('lost', 'away'))))
"""

"""Takes jobs and does them, some at a time, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from crawler.durations import duration
from newskeep.queue.jobs import KEPT_HOURS
from newskeep.queue.membership import Membership, Taken, ticks
from newskeep.queue.task import UnknownTask
from newskeep.worker.child import Child
from newskeep.worker.outage import Outage
from newskeep.worker.processes import Processes
from newskeep.worker.readiness import Readiness
from newskeep.worker.request import JobEnd, JobRequest
from newskeep.worker.verdict import Verdict, judge, may_be_the_machines
from storage.errors import NewskeepError, StoreUnavailable, UsageError

_log = logging.getLogger(__name__)

#: Seconds between two looks for jobs, where no message told of one; for what is put off there is none.
_LOOK = 5.0
#: Seconds between two purges of what is done.
_PURGE = 3600.0
#: Seconds until the queue is tried again after it could not be reached.
_RECONNECT = 2.0
#: Seconds for which what became of the jobs is told to a queue that does not answer, once they have ended.
_LAST_WORDS = 15.0
#: Seconds until a task beside the jobs that goes on is cancelled once more.
_CANCEL_AGAIN = 0.2
#: Seconds by which the machine's clock may differ from the queue's, as for a store in `newskeep.doctor.archive`.
_CLOCK_OFF = 60.0
#: What the process ends with, beside the signal's number, where it does not wait for the end of its jobs.
_STOPPED = 128


@dataclass(slots=True)
class Running:
    """A job under way."""

    taken: Taken
    child: Child
    cancelled: bool = False
    #: Whether it was ended because it did not stop in time.
    given_up: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


class Worker:
    """One worker of a queue; see `run`."""

    def __init__(
        self,
        membership: Membership,
        request: Callable[[Taken | None], JobRequest],
        at_once: int,
        *,
        is_ready: bool = True,
        stop_within: float = 60.0,
        until_empty: bool = False,
        on_job: Callable[[Taken, Verdict | None], None] = lambda taken, verdict: None,
    ) -> None:
        """`request` makes of a job what its process is told; of none, a trial of the machine.

        `is_ready`: whether the machine is known to be well, and need not be tried before the first job. `stop_within`:
        seconds that jobs have to end in when the worker is stopped. `until_empty`: end when nothing waits or runs
        anywhere.
        `on_job` is called when a job begins, with `None`, and when it ends.
        """
        self._membership = membership
        self._request = request
        self._processes = Processes()
        self._readiness = Readiness(request(None), self._processes, self._changed, is_ready=is_ready)
        self._at_once = at_once
        self._stop_within = stop_within
        self._until_empty = until_empty
        self._on_job = on_job
        self._running: dict[asyncio.Task[None], Running] = {}
        self._draining = False
        #: When the worker was stopped, once it is.
        self._stopped = -math.inf
        self._failed = 0
        self._came = asyncio.Event()
        self._beats = asyncio.Event()
        #: When the queue was there again.
        self._back = -math.inf
        self._queue_away = Outage(
            "the queue is away; jobs under way go on while their leases last", "the queue is there again"
        )
        self._unknown: set[tuple[int, int]] = set()
        #: Reasons that are told once.
        self._told: set[str | None] = set()

    async def run(self) -> int:
        """Work until stopped; return how many jobs failed.

        Raises `StoreUnavailable` where the queue is away at first, and where all is done but what this machine keeps in
        its spool, as the store is away.

        On the first SIGTERM or SIGINT no further job is taken, and those under way end in good order and are put back;
        one that has not ended in time is killed, as what it told is safe in the spool. On the second signal all ends at
        once, and the jobs are found by other workers. While the queue is away, jobs go on for
        as long as their leases last.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        await self._membership.open()
        await self._membership.join()
        self._check_clock()
        beside = (self._beat_on(), self._sweep_on(), self._listen_on(), self._readiness.keep())
        side = [asyncio.ensure_future(work) for work in beside]
        try:
            await self._work()
        finally:
            self._readiness.stop()
            await _end_all(side)
            await self._processes.close()
            with suppress(TimeoutError):
                # Where the queue is away, it finds out by itself.
                await asyncio.wait_for(self._membership.close(), _LAST_WORDS)
        if self._until_empty and not self._draining and self._readiness.why is not None:
            raise StoreUnavailable(self._readiness.why)
        return self._failed

    def _check_clock(self) -> None:
        ahead = self._membership.clock_ahead
        if abs(ahead) > _CLOCK_OFF:
            off = f"{duration(ahead)} {'ahead of' if ahead > 0 else 'behind'}"
            _log.warning("this machine's clock is %s the queue's, and dates what is fetched: set it, by NTP best", off)

    def _stop(self, number: signal.Signals) -> None:
        if self._draining:
            self._end_jobs()
            os._exit(_STOPPED + number)
        self._draining = True
        _log.warning("stopping: jobs under way end and are put back; once more to stop at once")
        self._stopped = ticks()
        asyncio.get_running_loop().call_later(self._stop_within, self._give_up)
        # Whatever else it may be that does not answer.
        last = threading.Timer(self._stop_within + 3 * _LAST_WORDS, os._exit, (_STOPPED + number,))
        last.daemon = True
        last.start()
        self._readiness.stop()
        for running in self._running.values():
            running.child.stop()
        self._came.set()

    def _give_up(self) -> None:
        for running in self._running.values():
            running.given_up = True
            _log.warning("job %d has not ended in time, and is ended", running.taken.job)
        self._end_jobs()

    def _end_jobs(self) -> None:
        for running in self._running.values():
            running.child.kill()

    def _changed(self) -> None:
        """Go on with what the machine can do by now, and have others see it."""
        self._came.set()
        self._beats.set()

    async def _work(self) -> None:
        while not self._draining:
            self._came.clear()
            try:
                if await self._fill():
                    return
            except StoreUnavailable as error:
                self._queue_away.begin(str(error))
                await asyncio.sleep(_RECONNECT)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), _LOOK)
        if self._running:
            await asyncio.wait(self._running)

    async def _fill(self) -> bool:
        """Take jobs while there is room and there are some; return whether there will be none any more."""
        while self._readiness.is_ready and len(self._running) < self._at_once and not self._draining:
            taken = await self._membership.take()
            if taken is None:
                return await self._is_over()
            self._begin(taken)
        return self._readiness.why is not None and await self._is_over()

    async def _is_over(self) -> bool:
        return self._until_empty and not self._running and await self._membership.idle()

    def _begin(self, taken: Taken) -> None:
        running = Running(taken, Child(self._request(taken), self._processes))
        self._on_job(taken, None)
        task = asyncio.ensure_future(self._do(running))
        self._running[task] = running
        task.add_done_callback(self._ended)
        if self._draining:
            running.child.stop()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._came.set()
        if error := task.exception():
            _log.error("a job could not be ended: %s", error)

    async def _do(self, running: Running) -> None:
        async def count(counts: Mapping[str, int]) -> None:
            running.counts = counts
            with suppress(StoreUnavailable):
                await self._membership.told(running.taken, counts)

        end = None
        if isinstance(running.taken.task, UnknownTask):
            end = JobEnd(UsageError.exit_code, "elsewhere", running.taken.task.title)
        else:
            try:
                end = await running.child.run(count)
            except NewskeepError as error:
                _log.error("%s", error)
        taken, verdict = running.taken, await self._judge(running, end)
        self._failed += verdict.what == "failed"
        if verdict.state == "elsewhere" and verdict.reason not in self._told:
            self._told.add(verdict.reason)
            _log.warning("job %d: %s", taken.job, verdict.reason)
        self._on_job(taken, verdict)
        await self._settle(taken, verdict, end.crawl if end else None)

    async def _judge(self, running: Running, end: JobEnd | None) -> Verdict:
        doubtful = may_be_the_machines(end) and not running.cancelled and not self._draining
        unable = await self._readiness.doubt() if doubtful else None
        taken = running.taken
        is_unknown = end is not None and end.state == "elsewhere"
        return judge(
            end,
            running.child.code,
            taken.lost,
            taken.away,
            taken.elsewhere,
            cancelled=running.cancelled,
            draining=self._draining,
            has_fetched=bool(running.counts.get("archived")),
            given_up=running.given_up,
            unable=unable,
            untried=await self._untried(taken) if is_unknown else 0,
        )

    async def _untried(self, taken: Taken) -> int:
        """How many other workers may know its site; while the queue is away, one may."""
        try:
            return await self._membership.untried(taken)
        except StoreUnavailable:
            return 1

    async def _settle(self, taken: Taken, verdict: Verdict, crawl: str | None) -> None:
        """Tell the queue, as soon as it hears us; a job that is another's by then stays as it is.

        Who is stopped does not try for long; after that others find the job.
        """
        began = ticks()
        while not self._draining or ticks() < max(began, self._stopped) + _LAST_WORDS:
            try:
                await self._tell(taken, verdict, crawl)
                return
            except StoreUnavailable as error:
                self._queue_away.begin(str(error))
                await asyncio.sleep(_RECONNECT)

    async def _tell(self, taken: Taken, verdict: Verdict, crawl: str | None) -> None:
        member = self._membership
        if verdict.what == "again":
            await member.put_back(taken, verdict.seconds, verdict.state, verdict.reason)
        elif verdict.what == "done":
            await member.end(taken, "succeeded", verdict.state, verdict.reason, crawl)
        else:
            status = "aborted" if verdict.what == "cancelled" else "failed"
            await member.end(taken, status, verdict.state, verdict.reason, crawl)  # type: ignore[arg-type]

    # Beside the jobs

    async def _beat_on(self) -> None:
        while True:
            try:
                if not self._membership.holds:
                    # Who was gone for too long comes back as another; its jobs stop by themselves.
                    await self._membership.join()
                self._beats.clear()
                self._mind(await self._membership.beat(self._draining, self._readiness.why))
                if self._queue_away.end():
                    self._back = ticks()
            except StoreUnavailable as error:
                self._queue_away.begin(str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._beats.wait(), self._membership.lease / 6)

    def _mind(self, ours: Mapping[tuple[int, int], bool]) -> None:
        known = {(each.taken.job, each.taken.attempt): each for each in self._running.values()}
        for key, unwanted in ours.items():
            if unwanted and key in known and not known[key].cancelled:
                known[key].cancelled = True
                known[key].child.stop()
        # Twice in a row: one that is just taken, or just ended, is told apart.
        unknown = ours.keys() - known.keys()
        for job, attempt in unknown & self._unknown:
            _log.warning("job %d was taken and not heard of; it is put back", job)
            task = asyncio.ensure_future(self._membership.let_go(job, attempt))
            task.add_done_callback(lambda done: done.exception())
        self._unknown = set(unknown)

    async def _sweep_on(self) -> None:
        purged = ticks()
        while True:
            await asyncio.sleep(self._membership.lease / 4)
            if ticks() - self._back < self._membership.lease:
                # Others could not say either that they are alive.
                continue
            try:
                for job in await self._membership.sweep():
                    _log.warning("job %d: its worker was lost", job)
                    self._came.set()
                if ticks() - purged > _PURGE:
                    purged = ticks()
                    await self._membership.purge(KEPT_HOURS)
            except StoreUnavailable as error:
                self._queue_away.begin(str(error))

    async def _listen_on(self) -> None:
        while True:
            with suppress(StoreUnavailable):
                await self._membership.listen(self._came.set)
            await asyncio.sleep(_LOOK)


async def _end_all(tasks: Collection[asyncio.Future[None]]) -> None:
    """Cancel tasks, and return when they have ended, however that was."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        # Again, where one was cancelled while its time-out, or a pool that had just given it a connection, forgot it
        # (`asyncio.wait_for` before Python 3.12).
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)

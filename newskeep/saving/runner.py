"""Does the jobs of an archive, one at a time, while `serve` runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from newskeep.saving.jobs import Job, JobQueue
from newskeep.saving.process import saved
from newskeep.saving.processes import SaveProcesses
from newskeep.saving.request import SaveRequest
from storage.errors import AlreadyRunning, NewskeepError
from storage.locking import held

_log = logging.getLogger(__name__)

#: Seconds between two looks for jobs that another process took in, or for the lock that it holds.
_LOOK_SECONDS = 2.0
#: Seconds that the job under way gets at the end. Its process stops in good order also after that, without us.
_GRACE_SECONDS = 5.0


class JobRunner:
    """A thread that does jobs for the time of the block. Of several on one folder one works, the others wait.

    At the end the job under way is stopped in good order, and goes on with what is left of it at the next start.
    """

    def __init__(self, queue: JobQueue, request: Callable[[Job], SaveRequest]) -> None:
        self._queue = queue
        self._request = request
        self._ending = threading.Event()
        # Kept for the time of the block: who asks for a page is waiting for it.
        self._processes = SaveProcesses()
        self._stop: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._queue.came.set()
        self._stop()
        self._thread.join(_GRACE_SECONDS)
        self._processes.zygotes.retire()

    def _work(self) -> None:
        told: str | None = None
        while not self._ending.is_set():
            try:
                with held(self._queue.root / "lock", "the work on jobs"):
                    self._work_alone()
            except AlreadyRunning:
                pass  # another server works on them
            except NewskeepError as error:
                if str(error) != told:
                    _log.warning("jobs cannot be done: %s", error)
                told = str(error)
            self._ending.wait(_LOOK_SECONDS)

    def _work_alone(self) -> None:
        while not self._ending.is_set():
            self._queue.came.clear()
            job = next(self._queue.waiting(), None)
            if job is None:
                self._queue.came.wait(_LOOK_SECONDS)
            else:
                self._do(job)

    def _do(self, job: Job) -> None:
        job = job.begun()
        self._queue.keep(job)
        error: str | None = None
        try:
            if job.left:
                for outcome in saved(self._request(job), self._begun, self._processes):
                    if self._ending.is_set() and outcome.outcome == "failed":
                        continue  # it was cut off, and is asked for again
                    job = job.told(outcome)
                    self._queue.keep(job)
        except NewskeepError as failure:
            error = str(failure)
        except Exception:
            _log.exception("job %s", job.id)
            error = "a fault of ours; the server's log has the details"
        finally:
            self._stop = lambda: None
        if self._ending.is_set() and job.left:
            # What is left is done at the next start.
            self._queue.keep(job)
            return
        self._queue.end(job.ended(error))

    def _begun(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        if self._ending.is_set():
            stop()

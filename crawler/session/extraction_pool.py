"""Extraction in worker processes: a page that hangs or crashes its worker costs that page's text, not the crawl."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import logging
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import forkserver, resource_tracker
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from crawler import defaults
from crawler.allocator import give_back
from crawler.session.page_extraction import Extraction, extract_response, is_readable
from crawler.session.reasons import in_words
from crawler.session.stop_flag import StopAsked
from crawler.session.worker_context import WorkerContext
from storage.spool import Look, no_look

logger = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")
#: A worker is replaced after this many pages: parsers keep memory they no longer need.
_PAGES_A_WORKER = 2_000
#: So many pages a worker extracts between two returns of free memory, which take it some milliseconds.
_PAGES_BETWEEN = 20
#: How many pages this process, a worker, has extracted.
_extracted = itertools.count(1)
#: Allocations between two looks for garbage cycles (700 by default): a page makes many objects, few of them in cycles.
_GC_THRESHOLD = 50_000
#: So many pools may break one after the other with no page between them.
_RENEWALS = 3
#: So many pages in a row that the machine let none of be extracted, and it is not the moment that is bad.
_HOPELESS = 5
#: How often who waits for a page looks whether the workers still run.
_LOOK_SECONDS = 1.0
_FORK_SERVER_GONE = 255
#: linux/prctl.h: the signal to get when the parent ends.
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """Bounds of one page: `seconds` of wall clock, `content_bytes` decompressed, `memory_bytes` of address space."""

    seconds: float = defaults.EXTRACTION_TIMEOUT
    content_bytes: int = defaults.CONTENT_MAX_BYTES
    memory_bytes: int = defaults.EXTRACTION_MEMORY_BYTES


class _Broken(Exception):
    """The workers are gone, or nobody can tell what they do; the page has nothing to do with it."""


class _NotBegun(_Broken):
    """What the system has against workers, in words for people."""


class _Pool(ProcessPool):
    """Pebble takes its locks away before it ends its workers; those that are still beginning would trip over that."""

    def _stop_pool(self) -> None:
        # Then nobody begins workers any more.
        if self._pool_manager_loop is not None:
            self._pool_manager_loop.join()
        workers = list(self._pool_manager.worker_manager.workers.values())
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
        super()._stop_pool()  # type: ignore[no-untyped-call]


class _Workers:
    """One pool of pebble's, and who waits for it: of a pool that breaks some futures would never be done."""

    def __init__(self, workers: int, limits: ExtractionLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._ended = False
        # Not fork: the crawler has threads, and a lock held at the fork would stay held in the child.
        context = WorkerContext()
        # Loaded once in the fork server, not once a worker.
        context.set_forkserver_preload(["crawler.session.worker_preload"])
        self._pool = _Pool(
            max_workers=workers,
            max_tasks=_PAGES_A_WORKER,
            initializer=_begin_work,
            initargs=(limits.memory_bytes,),
            context=context,
        )

    def submit(self, response: bytes, url: str, captured: datetime, is_known_page: bool = False) -> Future[Extraction]:
        """Give a page to a worker; raises `_Broken`."""
        task = (response, url, captured, self._limits.content_bytes, is_known_page)
        return self.call(_extract, task, self._limits.seconds)

    def call(self, function: Callable[..., T], task: tuple[Any, ...], seconds: float | None = None) -> Future[T]:
        """Have a worker call a function, for so many seconds at most; raises `_Broken`."""
        with self._lock:
            if not self._runs():
                raise _Broken("the workers have ended")
            try:
                future: Future[T] = self._pool.schedule(function, args=task, timeout=seconds)
            except RuntimeError as error:
                raise _Broken(str(error)) from error
            self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future

    def check(self) -> None:
        """Raise `_Broken` when what was given to the workers may never come back."""
        with self._lock:
            if not self._runs():
                raise _Broken("the workers have ended")

    def end(self) -> None:
        """Stop the workers, whatever they do; who still waits gets `_Broken`."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._waiting):
            # Nobody else can finish it any more; but who waited may have given it up.
            with suppress(InvalidStateError):
                future.set_exception(_Broken("the workers have ended"))

    def failed_with(self, error: Exception) -> bool:
        """Whether an error is the workers' and not the page's; what they are closed over trips in many ways."""
        return _is_broken(error) or (self._ended and not isinstance(error, TimeoutError))

    def _runs(self) -> bool:
        """Whether the pool works; begins it when it has not begun."""
        if self._ended:
            return False
        try:
            with _deaf_fork_server():
                return self._pool.active
        except Exception as error:
            # Not only OSError: multiprocessing trips over a fork server that another thread starts again meanwhile.
            raise _NotBegun(f"no worker could be started: {in_words(error)}") from error


class ExtractionPool:
    """Worker processes that extract; started on first use, and anew when what they come from was killed."""

    def __init__(self, workers: int, limits: ExtractionLimits) -> None:
        #: How many there are.
        self.workers = workers
        self._limits = limits
        self._renewing = threading.Lock()
        self._closed = False
        self._workers = _Workers(workers, limits)
        #: Pools that broke since the last page came back.
        self._broken = 0
        self._worked = False
        #: What kept the last workers from beginning.
        self._obstacle: str | None = None
        self._fault: str | None = None
        #: Pages in a row that failed over the machine.
        self._failed = 0

    @property
    def fault(self) -> str | None:
        """Why the machine let no page at all be extracted; `None` when there was none, or one was."""
        return None if self._worked else self._fault

    async def extract(self, response: bytes, url: str, captured: datetime, is_known_page: bool = False) -> Extraction:
        """Extract one page; never raises for what a page can cause. `is_known_page`: `recognise` saw no wall."""
        if not is_readable(response):
            return Extraction()
        while True:
            workers = self._workers
            try:
                future = asyncio.wrap_future(workers.submit(response, url, captured, is_known_page))
                try:
                    while not (await asyncio.wait({future}, timeout=_LOOK_SECONDS))[0]:
                        workers.check()
                finally:
                    future.cancel()
                return self._came_back(future.result())
            except Exception as error:
                # In a thread: workers are waited for, those that end and those that begin.
                if not workers.failed_with(error):
                    return self._explain(error)
                if not await asyncio.to_thread(self._renew, workers):
                    return self._explain(_Broken())

    def extract_now(self, response: bytes, url: str, captured: datetime, look: Look = no_look) -> Extraction:
        """The same for a caller without an event loop; `look` is called every second, what it raises ends the wait."""
        if not is_readable(response):
            return Extraction()
        while True:
            workers = self._workers
            try:
                future = workers.submit(response, url, captured)
                while not wait({future}, timeout=_LOOK_SECONDS).done:
                    look()
                    workers.check()
                return self._came_back(future.result())
            except StopAsked:
                future.cancel()
                raise
            except Exception as error:
                if not workers.failed_with(error):
                    return self._explain(error)
                if not self._renew(workers):
                    return self._explain(_Broken())

    def call_now(self, function: Callable[[S], T], task: S, look: Look = no_look) -> T | None:
        """Have a worker call a pure function of ours, as `extract_now` does; `None` where the caller has to do it.

        No workers are started for it, and what goes wrong in one, or with it, will be seen where it is done again.
        """
        workers = self._workers
        if not self._worked:
            return None
        try:
            future = workers.call(function, (task,))
            while not wait({future}, timeout=_LOOK_SECONDS).done:
                look()
                workers.check()
            return future.result()
        except StopAsked:
            future.cancel()
            raise
        except Exception:
            logger.debug("a worker could not call %s", function.__name__, exc_info=True)
            return None

    def close(self) -> None:
        """Stop the workers, whatever they do."""
        with self._renewing:
            self._closed = True
            self._workers.end()

    def _renew(self, broken: _Workers) -> bool:
        """Put new workers in the place of broken ones, if nobody has yet; return whether to give them the page."""
        with self._renewing:
            if self._closed:
                return False
            if self._workers is not broken:
                return True
            broken.end()
            if self._broken == _RENEWALS:
                return False
            self._broken += 1
            logger.debug("the extraction workers are gone; new ones take their pages")
            self._workers = _Workers(self.workers, self._limits)
            # Begun here, not in the event loop.
            try:
                self._workers.check()
            except _NotBegun as error:
                self._obstacle = str(error)
            except _Broken:
                pass
            return True

    def _came_back(self, extraction: Extraction) -> Extraction:
        self._broken = 0
        self._obstacle = None
        if extraction.again:
            return self._machine_failed(extraction.reason)
        self._worked = True
        self._failed = 0
        return extraction

    def _machine_failed(self, reason: str | None) -> Extraction:
        self._fault = reason
        self._failed += 1
        if self._failed == _HOPELESS:
            logger.warning("%s, page after page; they are archived without, newskeep reextract makes it later", reason)
        return Extraction(reason=reason, again=True, hopeless=self._failed >= _HOPELESS)

    def _explain(self, error: Exception) -> Extraction:
        if isinstance(error, TimeoutError):
            return Extraction(reason=f"no text: timed out (extraction took longer than {self._limits.seconds:g} s)")
        if self._closed:
            return Extraction(reason="no text: failed (stopped before extraction)", again=True)
        again = True
        if isinstance(error, _Broken):
            reason = f"no text: failed ({self._obstacle or 'the extraction workers end again and again'})"
        elif isinstance(error, ProcessExpired):
            # SIGKILL comes from outside, mostly when memory is short; it may have been meant for another.
            again = error.exitcode == -signal.SIGKILL
            reason = f"no text: failed ({'the extractor was killed' if again else 'the page crashed the extractor'})"
        else:
            again = isinstance(error, OSError | MemoryError)
            reason = f"no text: failed ({in_words(error)})"
        return self._machine_failed(reason) if again else Extraction(reason=reason)


def _is_broken(error: Exception) -> bool:
    """Whether the workers failed as a whole, and not over this page."""
    if isinstance(error, ProcessExpired):
        # What multiprocessing says of a worker when the fork server, who alone would know, is gone.
        return bool(error.exitcode == _FORK_SERVER_GONE)
    return isinstance(error, _Broken | BrokenProcessPool)


def default_workers() -> int:
    """One worker a core, and one core less where there are many: the crawler needs one itself."""
    cores = len(os.sched_getaffinity(0))
    return max(1, cores - 1) if cores > 2 else cores


@contextmanager
def _deaf_fork_server() -> Iterator[None]:
    """See that the process that workers come from runs, deaf to SIGTERM, also when a thread begun here starts it.

    That reaches the whole process group where `timeout` or a supervisor sends it: the crawler ends in good order, and
    needs its workers for the pages under way. The fork server ends when the crawler has.
    """
    # Both start by `python -c`, which looks in the current folder first: workers would run a crawler.py lying there.
    safe_path = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    # The tracker first, because it changes the signals of the thread that starts it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        forkserver.ensure_running()
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if safe_path is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = safe_path


def _extract(response: bytes, url: str, captured: datetime, content_bytes: int, is_known_page: bool) -> Extraction:
    """Do so in a worker, which then has no more memory than it needs."""
    found = extract_response(response, url, captured, content_bytes, is_known_page)
    if next(_extracted) % _PAGES_BETWEEN == 0:
        give_back()
    return found


def _begin_work(memory_bytes: int) -> None:
    # Out of reach of what is sent to the crawler's process group: it decides when workers end, and tells each one.
    os.setpgid(0, 0)
    # A worker without its fork server is one that nobody minds: it ends as well, whatever page it has.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Blocked in the fork server: what came before the group was left is forgotten.
    signal.sigtimedwait({signal.SIGTERM}, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    # A lower limit that somebody has set, as `ulimit -v` does, is theirs to raise.
    set_before = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = memory_bytes if set_before == resource.RLIM_INFINITY else min(memory_bytes, set_before)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # What is loaded by now stays.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)

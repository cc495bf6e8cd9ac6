"""Extraction in worker processes: a page that hangs or crashes its worker costs that page's text, not the crawl."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import forkserver, resource_tracker

from pebble import ProcessExpired, ProcessPool

from storage.http import ContentError, HttpMessage
from storage.model import Article

_HTML_TYPES = {"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"}
#: A worker is replaced after this many pages: parsers keep memory they no longer need.
_PAGES_A_WORKER = 2_000


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """Bounds of one page: `seconds` of wall clock, `content_bytes` decompressed, `memory_bytes` of address space."""

    seconds: float = 30.0
    content_bytes: int = 64 * 1024 * 1024
    memory_bytes: int = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Extraction:
    """An article, or the reason why there is none; both `None` for what is not a page."""

    article: Article | None = None
    reason: str | None = None
    #: The machine failed, not the page: extracting again may well succeed, and nothing of this is to be kept.
    again: bool = False


def is_page(response: bytes) -> bool:
    """Whether a response, as on the wire, is an HTML page with status 200."""
    message = HttpMessage.parse(response)
    if message.status != 200 or not message.body:
        return False
    if message.media_type is None:
        # Browsers look at the first bytes when no type is given (WHATWG MIME Sniffing, 7.1); so few servers do this.
        return message.payload[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    return message.media_type in _HTML_TYPES


def extract_response(response: bytes, url: str, captured: datetime, content_bytes: int) -> Extraction:
    """Extract the article of a response as on the wire; runs in a worker."""
    from crawler.extraction import extract

    message = HttpMessage.parse(response)
    try:
        content = message.content(content_bytes)
    except ContentError as error:
        return Extraction(reason=f"no text: {error}")
    try:
        return Extraction(extract(content, url, content_type=message.header("content-type"), now=captured))
    except MemoryError:
        return Extraction(reason="no text: the page needs too much memory", again=True)


class ExtractionPool:
    """Worker processes that extract; started on first use."""

    def __init__(self, workers: int, limits: ExtractionLimits) -> None:
        self._limits = limits
        self._ready = threading.Lock()
        # Not fork: the crawler has threads, and a lock held at the fork would stay held in the child.
        context = multiprocessing.get_context("forkserver")
        # Imported once in the fork server, not once a worker.
        context.set_forkserver_preload(["crawler.extraction"])
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=_PAGES_A_WORKER,
            initializer=_begin_work,
            initargs=(limits.memory_bytes,),
            context=context,
        )

    async def extract(self, response: bytes, url: str, captured: datetime) -> Extraction:
        """Extract one page; never raises for what a page can cause."""
        if not is_page(response):
            return Extraction()
        try:
            return await asyncio.wrap_future(self._submit(response, url, captured))
        except Exception as error:
            return self._explain(error)

    def extract_now(self, response: bytes, url: str, captured: datetime) -> Extraction:
        """The same for a caller without an event loop."""
        if not is_page(response):
            return Extraction()
        try:
            return self._submit(response, url, captured).result()
        except Exception as error:
            return self._explain(error)

    def close(self) -> None:
        """Stop the workers, whatever they do."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _submit(self, response: bytes, url: str, captured: datetime) -> Future[Extraction]:
        with self._ready:
            _start_fork_server()
        future: Future[Extraction] = self._pool.schedule(
            extract_response, args=(response, url, captured, self._limits.content_bytes), timeout=self._limits.seconds
        )
        return future

    def _explain(self, error: Exception) -> Extraction:
        if isinstance(error, TimeoutError):
            return Extraction(reason=f"no text: extraction took longer than {self._limits.seconds:g} s")
        if isinstance(error, ProcessExpired):
            # SIGKILL comes from outside, mostly when memory is short; it may have been meant for another.
            killed = error.exitcode == -signal.SIGKILL
            reason = "the extractor was killed" if killed else "the page crashed the extractor"
            return Extraction(reason=f"no text: {reason}", again=killed)
        if isinstance(error, RuntimeError) and not self._pool.active:
            return Extraction(reason="no text: stopped before extraction", again=True)
        return Extraction(reason=f"no text: {type(error).__name__}: {error}", again=isinstance(error, OSError))


def default_workers() -> int:
    """One worker a core, and one core less where there are many: the crawler needs one itself."""
    cores = len(os.sched_getaffinity(0))
    return max(1, cores - 1) if cores > 2 else cores


def _start_fork_server() -> None:
    """Start the process that workers come from, if it does not run, deaf to SIGTERM.

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
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if safe_path is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = safe_path


def _begin_work(memory_bytes: int) -> None:
    # Out of reach of what is sent to the crawler's process group: it decides when workers end, and tells each one.
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Blocked in the fork server: what came before the group was left is forgotten.
    signal.sigtimedwait({signal.SIGTERM}, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # One page at a time: threads of numpy's linear algebra would only cost address space.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

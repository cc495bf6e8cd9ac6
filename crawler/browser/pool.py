"""The browsers of a crawl: one for each host, kept for the host's next page."""

from __future__ import annotations

import asyncio
import threading

from crawler.browser.job import BrowserBounds, Rendered, RenderJob
from crawler.browser.process import BrowserGone, BrowserProcess
from storage.errors import NewskeepError

#: A host, and of what kind its browser is.
Key = tuple[object, ...]


class Browsers:
    """Shows pages, as many at a time as there may be browsers. Where another host needs one, the one that has waited
    longest for a page is ended.
    """

    def __init__(self, limit: int, bounds: BrowserBounds | None = None) -> None:
        """`limit`: browsers at a time, those that wait for a page included."""
        self._limit = limit
        self._bounds = bounds or BrowserBounds()
        self._turns = asyncio.Semaphore(limit)
        self._lock = threading.Lock()
        self._busy = 0
        #: Those that wait, the one that has waited longest first.
        self._idle: list[tuple[Key, BrowserProcess]] = []
        self._is_closed = False

    async def show(self, job: RenderJob, host: str) -> Rendered:
        """Have a page shown by the browser of its host; nobody else's page is ever in one with it.

        Whatever a page does to its browser is told in `Rendered.error`. Raises `NewskeepError` where the browser's net
        log is not understood.
        """
        unwanted = threading.Event()
        async with self._turns:
            try:
                return await asyncio.to_thread(self._show, job, (host, *job.kind), unwanted)
            finally:
                # Where the caller is cancelled, the thread goes on until the process has ended.
                unwanted.set()

    def close(self) -> None:
        """End the browsers that wait for a page, and keep none from now on. From any thread."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for _, process in idle:
            process.end()

    def _show(self, job: RenderJob, key: Key, unwanted: threading.Event) -> Rendered:
        process = self._take(key)
        try:
            try:
                return process.show(job, unwanted)
            except BrowserGone:
                process.end()
                process = BrowserProcess(self._bounds)
                return process.show(job, unwanted)
        finally:
            self._give_back(key, process)

    def _take(self, key: Key) -> BrowserProcess:
        """The browser of a host, or a new one, with room made for it."""
        with self._lock:
            found = next((each for each in self._idle if each[0] == key), None)
            is_full = self._busy + len(self._idle) >= self._limit
            leaving = found or (self._idle[0] if self._idle and is_full else None)
            if leaving is not None:
                self._idle.remove(leaving)
            self._busy += 1
        if found is not None:
            return found[1]
        if leaving is not None:
            leaving[1].end()
        try:
            return BrowserProcess(self._bounds)
        except OSError as error:
            with self._lock:
                self._busy -= 1
            raise NewskeepError(f"the browser's process does not start: {error.strerror}") from error

    def _give_back(self, key: Key, process: BrowserProcess) -> None:
        with self._lock:
            self._busy -= 1
            if process.is_kept and not self._is_closed:
                self._idle.append((key, process))
                return
        process.end()

"""A browser's net log, read out of a FIFO as it is written, so that it never lies on the disk; cut by pages."""

from __future__ import annotations

import os
import queue
import secrets
import threading
from pathlib import Path

from crawler.browser.connections import Connections
from crawler.browser.net_log import LogEvent, read_events

#: Bytes of a line of the log at most; a read from a socket is far smaller.
_LINE_MAX = 64 << 20
_READ = 1 << 20


class LogPipe:
    """The log of one browser, which shows one page at a time.

    What belongs to a page ends with a mark: a request of ours, of an address that nobody can guess and that leads
    nowhere. Chromium writes its log some events late, and in order: behind the mark nothing of the page is to come.
    """

    def __init__(self, path: Path, limit: int) -> None:
        """`limit`: bytes that are kept of each page."""
        os.mkfifo(path, 0o600)
        # The second one keeps the first from ending before the browser has opened it.
        self._read = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._kept_open: int | None = os.open(path, os.O_WRONLY)
        os.set_blocking(self._read, True)
        self._limit = limit
        self._marks = f"http://{secrets.token_hex(16)}.invalid/"
        self._mark = 0
        #: What came of each page; an error where the log could not be read any further.
        self._pages: queue.SimpleQueue[Connections | Exception] = queue.SimpleQueue()
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def mark(self) -> str:
        """The address that ends the page which is being shown."""
        return f"{self._marks}{self._mark}"

    def page(self, timeout: float) -> Connections:
        """What went over the wire up to the next mark, or the end of the log.

        Raises `TimeoutError` where neither comes within so many seconds, and what reading the log has raised.
        """
        try:
            found = self._pages.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(found, Exception):
            raise found
        return found

    def end(self) -> None:
        """Let the log end: the browser has ended."""
        if self._kept_open is not None:
            os.close(self._kept_open)
            self._kept_open = None

    def _follow(self) -> None:
        with os.fdopen(self._read, "rb") as log:
            page = Connections(self._limit)
            try:
                for event in read_events(iter(lambda: log.readline(_LINE_MAX), b"")):
                    if self._is_mark(event):
                        self._mark += 1
                        self._pages.put(page)
                        page = Connections(self._limit)
                    else:
                        page.take(event)
                self._pages.put(page)
            except Exception as error:
                self._pages.put(error)
            # Whoever writes must not wait for us.
            while log.read(_READ):
                pass

    def _is_mark(self, event: LogEvent) -> bool:
        is_request = event.name == "URL_REQUEST_START_JOB" and event.phase == "begin"
        return is_request and event.params.get("url") == self.mark

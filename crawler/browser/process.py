"""The process of a browser, from the side of whoever wants pages shown."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from typing import Self

from crawler.browser.job import BrowserBounds, Rendered, RenderJob
from crawler.browser.processes import kill_descendants, kill_marked
from storage.errors import NewskeepError

#: -P: a file called "crawler.py" in the current folder must not be taken for ours.
_COMMAND = (sys.executable, "-P", "-m", "crawler.browser.worker")
#: Seconds beyond those of a page: a browser starts, ends, and its log is read.
_GRACE_SECONDS = 60.0
#: Bytes of the path of temporary files that leave Chromium enough for its own.
_ROOM_MAX = 30
#: Bytes of the number before an answer.
_HEAD = 8


class BrowserGone(Exception):
    """A browser that ended before it asked for a page: idle for too long, or killed. Another one is as good."""


class BrowserProcess:
    """A process with one browser; its methods block, one at a time. Whoever makes one has to `end` it."""

    def __init__(self, bounds: BrowserBounds) -> None:
        # What a killed browser still has open there is in nobody's way.
        self._folder = tempfile.TemporaryDirectory(prefix="newskeep-browser-", dir=_room(), ignore_cleanup_errors=True)
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        arguments = (self._folder.name, json.dumps(asdict(bounds)))
        self._process = subprocess.Popen(
            (*_COMMAND, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            start_new_session=True,
        )
        #: Whether a page has been shown, and another one may follow.
        self.is_kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def show(self, job: RenderJob, unwanted: threading.Event) -> Rendered:
        """Have a page shown; given up when it is `unwanted`. What it does to the browser is told in `Rendered.error`.

        Raises `BrowserGone` for one that is kept no more, and `NewskeepError` where the browser's net log is not
        understood.
        """
        was_kept, self.is_kept = self.is_kept, False
        ended = threading.Event()
        seconds = job.bounds.seconds + _GRACE_SECONDS
        threading.Thread(target=self._end_late, args=(unwanted, ended, seconds), daemon=True).start()
        try:
            answer = self._ask(json.dumps(asdict(job)).encode() + b"\n")
        finally:
            ended.set()
        if not answer:
            if was_kept and self._process.wait() == 0:
                raise BrowserGone
            return Rendered(job.url, error=f"the browser ended early{self._last_words()}")
        found: Rendered | NewskeepError
        found, self.is_kept = pickle.loads(answer)
        if isinstance(found, NewskeepError):
            raise found
        return found

    def end(self) -> None:
        """Return when no process of it is left, however it has gone on."""
        self.is_kept = False
        self._kill()
        # Of a process that was killed the children are nobody's; the folder is their home.
        kill_marked(self._folder.name)
        self._process.__exit__(None, None, None)
        self._told.close()
        self._folder.cleanup()

    def _ask(self, line: bytes) -> bytes:
        """The answer; empty where none comes."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            return b""
        size = int.from_bytes(self._process.stdout.read(_HEAD), "big")
        answer = self._process.stdout.read(size)
        return answer if len(answer) == size else b""

    def _end_late(self, unwanted: threading.Event, ended: threading.Event, seconds: float) -> None:
        """Kill a process that is over its time, or whose page nobody wants any more."""
        left = seconds
        while left > 0 and not unwanted.is_set():
            if ended.wait(0.5):
                return
            left -= 0.5
        self._kill()

    def _kill(self) -> None:
        kill_descendants(self._process.pid)
        self._process.kill()

    def _last_words(self) -> str:
        self._told.seek(0)
        lines = self._told.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""


def _room() -> str:
    """Where folders of browsers are made: Chromium has a socket in its own, and 107 bytes for its path (unix(7))."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= _ROOM_MAX else "/tmp"

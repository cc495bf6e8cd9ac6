"""The process that shows a page, from the side of whoever wants it shown."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from typing import IO

from crawler.browser.job import Rendered, RenderJob
from crawler.browser.processes import kill_descendants, kill_marked
from storage.errors import NewskeepError

#: -P: a file called "crawler.py" in the current folder must not be taken for ours.
_COMMAND = (sys.executable, "-P", "-m", "crawler.browser.worker")
#: Seconds beyond those of a page: a browser starts, ends, and its log is read.
_GRACE_SECONDS = 60.0
#: Bytes of the path of temporary files that leave Chromium enough for its own.
_ROOM_MAX = 30


async def rendered(job: RenderJob) -> Rendered:
    """Have a page shown by a browser of its own; no process of it is left on return, however it ends.

    Whatever a page does to its browser is told in `Rendered.error`. Raises `NewskeepError` where the browser's net log
    is not understood.
    """
    work = threading.Event()
    try:
        return await asyncio.to_thread(_rendered, job, work)
    finally:
        # Where the caller is cancelled, the thread goes on until the process has ended.
        work.set()


def _rendered(job: RenderJob, unwanted: threading.Event) -> Rendered:
    # What a killed browser still has open there is in nobody's way.
    with (
        tempfile.TemporaryDirectory(prefix="newskeep-browser-", dir=_room(), ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as told,
        subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, start_new_session=True
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        ended = threading.Event()
        guard = threading.Thread(
            target=_end_late, args=(process, unwanted, ended, job.bounds.seconds + _GRACE_SECONDS), daemon=True
        )
        guard.start()
        try:
            process.stdin.write(json.dumps({"job": asdict(job), "folder": folder}).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.read()
        except BrokenPipeError:
            answer = b""
        finally:
            ended.set()
            _kill(process)
            # Of a process that was killed the children are nobody's; the folder is their home.
            kill_marked(folder)
        return _read(answer, job, told)


def _room() -> str:
    """Where folders of browsers are made: Chromium has a socket in its own, and 107 bytes for its path (unix(7))."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= _ROOM_MAX else "/tmp"


def _end_late(
    process: subprocess.Popen[bytes], unwanted: threading.Event, ended: threading.Event, seconds: float
) -> None:
    """Kill a process that is over its time, or that nobody wants any more."""
    left = seconds
    while left > 0 and not unwanted.is_set():
        if ended.wait(0.5):
            return
        left -= 0.5
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    kill_descendants(process.pid)
    process.kill()


def _read(answer: bytes, job: RenderJob, told: IO[bytes]) -> Rendered:
    if not answer:
        told.seek(0)
        lines = told.read().decode(errors="replace").strip().splitlines()
        return Rendered(job.url, error=f"the browser ended early{': ' + lines[-1][:200] if lines else ''}")
    found: Rendered | NewskeepError = pickle.loads(answer)
    if isinstance(found, NewskeepError):
        raise found
    return found

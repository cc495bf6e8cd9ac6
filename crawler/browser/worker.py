"""A process with one browser: a job comes in as a line of JSON, what came of it goes out as a pickle, then the next.

A process of its own, since a net log is one browser's, and what a page does to it must be nobody else's. When its input
ends, whoever wanted its pages is gone, and everything that was started here is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import queue
import shutil
import sys
import threading
from pathlib import Path
from typing import IO

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright

from crawler.browser.host_browser import HasEnded, HostBrowser, first_line
from crawler.browser.job import Behaviour, BrowserBounds, RenderBounds, Rendered, RenderJob
from crawler.browser.processes import adopt_orphans, kill_descendants
from storage.errors import NewskeepError

Jobs = queue.SimpleQueue[RenderJob]


class Answers:
    """Where what came of each job goes."""

    #: Bytes of the number before an answer that says how long it is.
    HEAD = 8

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def put(self, found: Rendered | NewskeepError, stays: bool) -> None:
        """`stays`: whether this process takes a further job."""
        data = pickle.dumps((found, stays))
        self._stream.write(len(data).to_bytes(self.HEAD, "big") + data)
        self._stream.flush()


async def serve(jobs: Jobs, answers: Answers, folder: Path, bounds: BrowserBounds) -> None:
    """Show pages until the browser is spent or gone, or nobody has wanted one for a while.

    A job that comes too late has no answer: whoever sent it has another browser show the page.
    """
    job = await asyncio.to_thread(jobs.get)
    async with async_playwright() as playwright:
        try:
            browser = await HostBrowser.start(playwright, job, folder, bounds)
        except PlaywrightError as failure:
            answers.put(Rendered(job.url, error=f"the browser does not start: {first_line(failure)}"), stays=False)
            return
        except NewskeepError as error:
            answers.put(error, stays=False)
            return
        while True:
            try:
                found = await browser.show(job)
            except NewskeepError as error:
                answers.put(error, stays=False)
                return
            except HasEnded:
                return
            answers.put(found, stays=not browser.is_spent)
            if browser.is_spent:
                return
            try:
                job = await asyncio.to_thread(jobs.get, timeout=bounds.idle)
            except queue.Empty:
                return


def read_job(line: bytes) -> RenderJob:
    fields = json.loads(line)
    behaviour = fields["behaviour"]
    fields["behaviour"] = Behaviour(**{**behaviour, "click": tuple(behaviour["click"])})
    fields["bounds"] = RenderBounds(**fields["bounds"])
    fields["fields"] = tuple((name, value) for name, value in fields["fields"])
    return RenderJob(**fields)


def _take_jobs(jobs: Jobs, folder: Path) -> None:
    """Hand jobs on; kill all that was started here, and this process, when nobody is left who has any."""
    for line in iter(sys.stdin.buffer.readline, b""):
        jobs.put(read_job(line))
    _end(folder, 1)


def _end(folder: Path, code: int) -> None:
    kill_descendants(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(code)


def main() -> None:
    """Arguments: an empty folder, which goes with this process; the bounds of its browser as JSON."""
    adopt_orphans()
    # Whatever a library prints must not stand between the bytes of the answers.
    answers = Answers(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    folder, bounds = Path(sys.argv[1]), BrowserBounds(**json.loads(sys.argv[2]))
    os.environ["TMPDIR"] = str(folder)
    jobs: Jobs = queue.SimpleQueue()
    threading.Thread(target=_take_jobs, args=(jobs, folder), daemon=True).start()
    asyncio.run(serve(jobs, answers, folder, bounds))
    _end(folder, 0)


if __name__ == "__main__":
    main()

"""A process that shows one page: a job comes in as a line of JSON, what came of it goes out as a pickle, and it ends.

A process of its own, since a net log is one browser's, and what a page does to it must be nobody else's. When its input
ends, whoever wanted the page is gone, and everything that was started here is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from crawler.browser.chromium import arguments, can_be_sandboxed, environment
from crawler.browser.connections import Connections
from crawler.browser.job import Behaviour, RenderBounds, Rendered, RenderJob
from crawler.browser.net_log import UnknownNetLog, read_events
from crawler.browser.page import CONTEXT, NotShown, ShownPage
from crawler.browser.processes import adopt_orphans, kill_descendants
from crawler.browser.proxy import JudgingProxy
from storage.model import Resource, Truncation

#: Bytes of a line of the log at most; a read from a socket is far smaller.
_LINE_MAX = 64 << 20
#: Seconds in which a browser has to start, and in which it has to end.
_START_SECONDS, _END_SECONDS = 30.0, 10.0


class NetLogReader:
    """Reads a net log out of a FIFO as it is written, in a thread, so that it never lies on the disk."""

    def __init__(self, path: Path, limit: int) -> None:
        os.mkfifo(path, 0o600)
        # The second one keeps the first from ending before the browser has opened it.
        self._read = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._kept_open: int | None = os.open(path, os.O_WRONLY)
        os.set_blocking(self._read, True)
        self.connections = Connections(limit)
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        with os.fdopen(self._read, "rb") as log:
            try:
                self.connections.take_all(read_events(iter(lambda: log.readline(_LINE_MAX), b"")))
            except Exception as error:
                self.failure = error
            # Whoever writes must not wait for us.
            while log.read(1 << 20):
                pass

    def end(self) -> None:
        """Return when all that was written is read; the browser has ended."""
        if self._kept_open is not None:
            os.close(self._kept_open)
            self._kept_open = None
        self._thread.join(_END_SECONDS)


async def render(job: RenderJob, folder: Path) -> Rendered:
    """Show a page in a browser of its own. `folder`: an empty one, for what it leaves. Raises `UnknownNetLog`."""
    log = NetLogReader(folder / "net.log", job.bounds.bytes)
    async with JudgingProxy(job.allow_private, job.bounds.bytes) as proxy, async_playwright() as playwright:
        shown = ShownPage(job, proxy)
        url, resources = job.url, list[Resource]()
        error: str | None = None
        try:
            browser = await _start(playwright, job, proxy, folder)
        except PlaywrightError as failure:
            return Rendered(job.url, error=f"the browser does not start: {_first_line(failure)}")
        is_late = False
        try:
            async with asyncio.timeout(job.bounds.seconds):
                context = await browser.new_context(user_agent=_user_agent(browser, job), **_context(job))
                url, resources = await shown.show(context)
        except NotShown as failure:
            error = str(failure)
        except TimeoutError:
            is_late, error = True, f"the page did not come to rest within {job.bounds.seconds:g} s"
        except PlaywrightError as failure:
            error = f"the browser ended: {_first_line(failure)}"
        cut: Truncation = "time" if is_late else "disconnect"
        if proxy.is_full:
            resources, error, cut = [], f"the page asks for more than {job.bounds.bytes:,} bytes", "length"
        await _end(browser)
        await asyncio.to_thread(log.end)
        if log.failure is not None:
            raise log.failure
        exchanges = tuple(log.connections.exchanges(proxy.peers, cut))
        left_out = (*_counted(shown.left_out), *_counted(proxy.refused), *log.connections.faults)
    return Rendered(url, exchanges, tuple(resources), error, left_out)


async def _start(playwright: Playwright, job: RenderJob, proxy: JudgingProxy, folder: Path) -> Browser:
    return await playwright.chromium.launch(
        executable_path=job.program,
        args=arguments(proxy.address, folder / "net.log", job.insecure),
        chromium_sandbox=can_be_sandboxed(),
        env=environment(folder),  # type: ignore[arg-type]
        timeout=_START_SECONDS * 1000,
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
    )


async def _end(browser: Browser) -> None:
    """Have the browser write its log to the end; one that hangs is killed."""
    try:
        async with asyncio.timeout(_END_SECONDS):
            await browser.close()
    except (TimeoutError, PlaywrightError):
        pass
    await asyncio.to_thread(kill_descendants, os.getpid(), "chrom")


def _context(job: RenderJob) -> dict[str, Any]:
    return {**CONTEXT, "ignore_https_errors": job.insecure}


def _user_agent(browser: Browser, job: RenderJob) -> str:
    """Ours at the end of the browser's, which pages look at to see what they may ask of it."""
    major = browser.version.partition(".")[0]
    system = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    return f"{system} Chrome/{major}.0.0.0 Safari/537.36 {job.user_agent}"


def _counted(what: dict[str, int]) -> list[str]:
    return [said if count == 1 else f"{said}, {count} times" for said, count in what.items()]


def _first_line(error: PlaywrightError) -> str:
    return str(error).partition("\n")[0][:200]


def _end_with_input() -> None:
    """Kill all that was started here, and this process, when nobody is left who wants the page."""
    sys.stdin.buffer.read()
    kill_descendants(os.getpid())
    os._exit(1)


def read_job(line: bytes) -> tuple[RenderJob, Path]:
    given = json.loads(line)
    fields, behaviour = given["job"], given["job"]["behaviour"]
    fields["behaviour"] = Behaviour(**{**behaviour, "click": tuple(behaviour["click"])})
    fields["bounds"] = RenderBounds(**fields["bounds"])
    fields["fields"] = tuple((name, value) for name, value in fields["fields"])
    return RenderJob(**fields), Path(given["folder"])


def main() -> None:
    adopt_orphans()
    # Whatever a library prints must not stand between the bytes of the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    job, folder = read_job(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    os.environ["TMPDIR"] = str(folder)
    try:
        found: Rendered | UnknownNetLog = asyncio.run(render(job, folder))
    except UnknownNetLog as error:
        found = error
    pickle.dump(found, answer)
    answer.flush()
    kill_descendants(os.getpid())
    os._exit(0)


if __name__ == "__main__":
    main()

"""One browser, which shows one page after another: each in a context of its own, behind a proxy of its own."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, Playwright, ProxySettings
from playwright.async_api import Error as PlaywrightError

from crawler.browser.chromium import arguments, can_be_sandboxed, environment
from crawler.browser.connections import Connections
from crawler.browser.job import BrowserBounds, Rendered, RenderJob
from crawler.browser.log_pipe import LogPipe
from crawler.browser.nss import trust
from crawler.browser.page import CONTEXT, NotShown, ShownPage
from crawler.browser.processes import kill_descendants, memory_below
from crawler.browser.proxy import JudgingProxy, Rules
from storage.model import Resource, Truncation

#: A request that fails, since it leads nowhere. Not a navigation: Chromium would try those again.
_LEAVE_A_MARK = "(url) => fetch(url, {mode: 'no-cors'}).catch(() => undefined)"
#: Seconds in which a browser has to start, in which it has to end, and in which it has to put a page away.
_START_SECONDS, _END_SECONDS, _AWAY_SECONDS = 30.0, 10.0, 10.0


class HasEnded(Exception):
    """A browser that has ended by itself, was killed, or hangs, before a page was asked for."""


class HostBrowser:
    """Shows pages of one kind (`RenderJob.kind`). After a page that did it harm it `is_spent`."""

    def __init__(self, browser: Browser, log: LogPipe, keeper: Page, bounds: BrowserBounds) -> None:
        """`keeper`: a page of ours, which leaves the marks in the log."""
        self._browser = browser
        self._log = log
        self._keeper = keeper
        self._bounds = bounds
        self._pages = 0
        self._started = time.monotonic()
        self.is_spent = False

    @classmethod
    async def start(cls, playwright: Playwright, job: RenderJob, folder: Path, bounds: BrowserBounds) -> HostBrowser:
        """`folder`: an empty one, for what it leaves. Raises `PlaywrightError`, `NewskeepError`."""
        if job.ca_file:
            await asyncio.to_thread(trust, Path(job.ca_file), folder)
        log = LogPipe(folder / "net.log", job.bounds.bytes)
        browser = await playwright.chromium.launch(
            executable_path=job.program,
            args=arguments(folder / "net.log", job.insecure),
            chromium_sandbox=can_be_sandboxed(),
            env=environment(folder),  # type: ignore[arg-type]
            timeout=_START_SECONDS * 1000,
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        keeper = await (await browser.new_context()).new_page()
        return cls(browser, log, keeper, bounds)

    async def show(self, job: RenderJob) -> Rendered:
        """Show a page that knows nothing of earlier ones. Raises `UnknownNetLog`, and `HasEnded`."""
        self._pages += 1
        async with JudgingProxy(Rules(job.allow_private, job.proxy, job.trust_proxy), job.bounds.bytes) as proxy:
            page = ShownPage(job, proxy)
            url, resources = job.url, list[Resource]()
            error: str | None = None
            cut: Truncation = "disconnect"
            context = await self._context(job, proxy)
            try:
                async with asyncio.timeout(job.bounds.seconds):
                    url, resources = await page.show(context)
            except NotShown as failure:
                error, self.is_spent = str(failure), page.has_crashed
            except TimeoutError:
                error, cut = f"the page did not come to rest within {job.bounds.seconds:g} s", "time"
                self.is_spent = True
            except PlaywrightError as failure:
                error, self.is_spent = f"the browser ended: {first_line(failure)}", True
            if proxy.is_full:
                resources, cut = [], "length"
                error, self.is_spent = f"the page asks for more than {job.bounds.bytes:,} bytes", True
            connections = await self._put_away(context)
            exchanges = tuple(connections.exchanges(proxy.peers, cut))
            left_out = (*_counted(page.left_out), *_counted(proxy.refused), *connections.faults)
        self.is_spent = self.is_spent or await asyncio.to_thread(self._is_worn)
        return Rendered(url, exchanges, tuple(resources), error, left_out)

    async def end(self) -> None:
        """Have the browser write its log to the end; one that hangs is killed."""
        self.is_spent = True
        with suppress(TimeoutError, PlaywrightError):
            async with asyncio.timeout(_END_SECONDS):
                await self._browser.close()
        await asyncio.to_thread(kill_descendants, os.getpid(), "chrom")
        self._log.end()

    async def _put_away(self, context: BrowserContext) -> Connections:
        """Close a page with its connections, and return what went over them."""
        if not self.is_spent:
            with suppress(TimeoutError, PlaywrightError):
                async with asyncio.timeout(_AWAY_SECONDS):
                    await context.close()
                    await self._keeper.evaluate(_LEAVE_A_MARK, self._log.mark)
                return await asyncio.to_thread(self._log.page, _AWAY_SECONDS)
        await self.end()
        return await asyncio.to_thread(self._log.page, _END_SECONDS)

    def _is_worn(self) -> bool:
        bounds = self._bounds
        is_old = self._pages >= bounds.pages or time.monotonic() - self._started >= bounds.age
        return is_old or memory_below(os.getpid()) > bounds.memory

    async def _context(self, job: RenderJob, proxy: JudgingProxy) -> BrowserContext:
        """A context with nothing of an earlier page in it, and no way out but the proxy. Raises `HasEnded`."""
        way = ProxySettings(
            server=f"socks5://{proxy.address}",
            # Without this Chromium goes to loopback by itself, whatever the proxy says.
            bypass="<-loopback>",
        )
        agent = _user_agent(self._browser.version, job.user_agent)
        try:
            async with asyncio.timeout(_AWAY_SECONDS):
                return await self._browser.new_context(
                    **CONTEXT, user_agent=agent, proxy=way, ignore_https_errors=job.insecure
                )
        except (TimeoutError, PlaywrightError) as error:
            raise HasEnded from error


def first_line(error: PlaywrightError) -> str:
    return str(error).partition("\n")[0][:200]


def _user_agent(version: str, ours: str) -> str:
    """Ours at the end of the browser's, which pages look at to see what they may ask of it."""
    system = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    return f"{system} Chrome/{version.partition('.')[0]}.0.0.0 Safari/537.36 {ours}"


def _counted(what: dict[str, int]) -> list[str]:
    return [said if count == 1 else f"{said}, {count} times" for said, count in what.items()]

"""One page in one browser: loaded, brought to rest, and taken down."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ElementHandle, Frame, Page, Request, Response, Route, WebSocketRoute
from playwright.async_api import Error as PlaywrightError

from crawler.browser.blocklist import Blocklist
from crawler.browser.blocklist import read as read_blocklist
from crawler.browser.job import RenderJob
from crawler.browser.proxy import JudgingProxy
from storage.model import Resource
from storage.renditions import DOM_TYPE, uri_of

_WIDTH, _HEIGHT = 1280, 900
#: Pixels of a picture's height; a texture is not higher.
_PICTURE_MAX = 16_000
#: Seconds of the pause behind a scroll or a click, and in which the network has to be still.
_PAUSE, _CLICK = 0.5, 2.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Times that a document is asked for that goes away meanwhile.
_TRIES = 3
#: The document with what its open shadow roots, and frames of its own origin, show in their place, as readers see it:
#: extractors know neither. In the place of the frames that are given it has their numbers.
_FLAT_DOM = """(foreign) => {
  const copy = (node) => {
    const number = foreign.indexOf(node);
    const frame = node.localName === "iframe" && node.contentDocument;
    const made = frame || number >= 0 ? document.createElement("div") : node.cloneNode(false);
    if (frame || number >= 0) made.dataset.frame = node.src;
    if (number >= 0) return made.append(document.createComment(`frame ${number}`)), made;
    const isSlot = node.localName === "slot" && node.assignedNodes && node.assignedNodes().length;
    const inside = isSlot ? node.assignedNodes()
      : frame ? (frame.body || frame).childNodes : (node.shadowRoot || node).childNodes;
    for (const child of inside) made.appendChild(copy(child));
    if (node.localName === "template") made.innerHTML = node.innerHTML;
    return made;
  };
  const type = document.doctype ? "<!DOCTYPE html>" : "";
  return type + copy(document.documentElement).outerHTML;
}"""


_BODY = re.compile(r"<body\b[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
#: Pixels of a frame of another origin that may hold an article: those of advertisements are smaller.
_FRAME_WIDTH, _FRAME_HEIGHT = 500, 400
#: Frames of other origins that are looked at.
_FRAMES_MAX = 20


class NotShown(Exception):
    """A page that came to nothing; the message is for a person."""


class ShownPage:
    """A page that is loaded within bounds. What it asks for passes `_judge` first, then the proxy."""

    def __init__(self, job: RenderJob, proxy: JudgingProxy) -> None:
        self._job = job
        self._proxy = proxy
        self._blocklist = read_blocklist(Path(job.blocklist)) if job.blocklist else Blocklist()
        self._site = (urlsplit(job.url).hostname or "").removeprefix("www.")
        self._requests = 0
        self._host: str | None = None
        #: Address of the document that is shown, whatever its script writes into the address bar.
        self._shown: str | None = None
        self._page: Page | None = None
        self._crashed = asyncio.Event()
        #: What was left out, in words, and how often.
        self.left_out: Counter[str] = Counter()

    @property
    def has_crashed(self) -> bool:
        return self._crashed.is_set()

    async def show(self, context: BrowserContext) -> tuple[str, list[Resource]]:
        """Load the page, and return its address and what was made of it. Raises `NotShown`."""
        job = self._job
        await context.route("**/*", self._judge)
        await context.route_web_socket("**/*", self._close_socket)
        context.on("request", self._name)
        await context.add_cookies(_cookies(job))
        self._page = page = await context.new_page()
        context.on("page", self._close_popup)
        page.on("response", self._note_document)
        page.on("crash", lambda _: self._crashed.set())
        page.on("download", lambda _: self.left_out.update(["a download"]))
        work = asyncio.ensure_future(self._loaded(page))
        crash = asyncio.ensure_future(self._crashed.wait())
        try:
            await asyncio.wait((work, crash), return_when=asyncio.FIRST_COMPLETED)
            if self._crashed.is_set():
                raise NotShown("the page crashed the browser")
            return await work
        finally:
            for task in (work, crash):
                task.cancel()

    async def _loaded(self, page: Page) -> tuple[str, list[Resource]]:
        deadline = time.monotonic() + self._job.bounds.rest
        try:
            await page.goto(self._job.url, wait_until="commit", timeout=self._job.bounds.seconds * 1000)
        except PlaywrightError as error:
            raise NotShown(self._why(error)) from error
        # Whether it comes to rest or not: what it shows by then is taken.
        await _patiently(page.wait_for_load_state("load", timeout=_milliseconds(deadline)))
        await _patiently(page.wait_for_load_state("networkidle", timeout=_milliseconds(deadline)))
        if time.monotonic() >= deadline:
            self.left_out[f"what comes after {self._job.bounds.rest:g} s"] += 1
        try:
            await self._behave(page)
            return await self._taken(page)
        except PlaywrightError as error:
            raise NotShown(self._why(error)) from error

    async def _behave(self, page: Page) -> None:
        behaviour = self._job.behaviour
        for selector in behaviour.click:
            await self._click(page, selector)
        for _ in range(behaviour.scroll):
            await page.evaluate("() => window.scrollBy(0, window.innerHeight)")
            await self._settle(page)
        for _ in range(behaviour.more_times if behaviour.more else 0):
            if not await self._click(page, behaviour.more or ""):
                break
        if behaviour.scroll:
            await page.evaluate("() => window.scrollTo(0, 0)")

    async def _click(self, page: Page, selector: str) -> bool:
        """Click what is shown there; whether anything was."""
        target = page.locator(selector).first
        if not await target.is_visible():
            return False
        await _patiently(target.click(timeout=_CLICK * 1000))
        await self._settle(page)
        return True

    async def _settle(self, page: Page) -> None:
        await asyncio.sleep(_PAUSE)
        await _patiently(page.wait_for_load_state("networkidle", timeout=_CLICK * 1000))

    async def _taken(self, page: Page) -> tuple[str, list[Resource]]:
        job, dom = self._job, await self._dom(page)
        url = (self._shown or job.url).partition("#")[0]
        if urlsplit(page.url).scheme not in _DEFAULT_PORTS:
            raise NotShown("the page went where it may not go")
        if len(dom) > job.bounds.dom:
            raise NotShown("the page's document is too large")
        taken = [Resource(uri_of("dom", url), DOM_TYPE, dom.encode("utf-8", "replace"))]
        if job.screenshot:
            taken.append(Resource(uri_of("screenshot", url), "image/png", await _picture(page)))
        if job.pdf:
            taken.append(Resource(uri_of("pdf", url), "application/pdf", await page.pdf(print_background=True)))
        return url, taken

    async def _dom(self, page: Page) -> str:
        """The document; of a page that loads itself anew, the one that stays long enough."""
        for attempt in range(_TRIES):
            try:
                frames = await self._foreign_frames(page)
                dom = str(await page.evaluate(_FLAT_DOM, [element for element, _ in frames]))
                for number, (_, shown) in enumerate(frames):
                    dom = dom.replace(f"<!--frame {number}-->", shown, 1)
                return dom
            except PlaywrightError:
                if self._crashed.is_set() or attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE)
        raise AssertionError("unreachable")

    async def _foreign_frames(self, page: Page) -> list[tuple[ElementHandle, str]]:
        """Large frames of the page that have other origins, and what they show: the page's own script cannot tell."""
        found = list[tuple[ElementHandle, str]]()
        for frame in page.main_frame.child_frames[:_FRAMES_MAX]:
            if _origin(frame.url) == _origin(page.url) or urlsplit(frame.url).scheme not in _DEFAULT_PORTS:
                continue
            # One that has gone meanwhile shows nothing.
            with suppress(PlaywrightError, TimeoutError):
                element = await frame.frame_element()
                box = await element.bounding_box()
                if box and box["width"] >= _FRAME_WIDTH and box["height"] >= _FRAME_HEIGHT:
                    shown = await asyncio.wait_for(frame.evaluate(_FLAT_DOM, []), _CLICK)
                    body = _BODY.search(str(shown))
                    found.append((element, body[1] if body else ""))
        return found

    def _note_document(self, response: Response) -> None:
        is_redirect = 300 <= response.status < 400
        if response.request.is_navigation_request() and not is_redirect:
            frame = _frame_of(response.request)
            if frame is not None and frame.parent_frame is None:
                self._shown = response.url

    async def _judge(self, route: Route, request: Request) -> None:
        """Let a request go to the proxy, or end it here."""
        refusal = self._refusal(request)
        self._requests += refusal is None
        # One of a page that has gone meanwhile is nobody's any more.
        with suppress(PlaywrightError):
            if refusal is None:
                await self._named(request.url)
                await route.continue_(headers=await self._headers(request))
            else:
                self.left_out[refusal] += 1
                # What leads away is as if it had never begun: the page stays.
                await route.abort("aborted" if request.is_navigation_request() else "blockedbyclient")

    def _refusal(self, request: Request) -> str | None:
        """Why a request is not let go; `None` where it is."""
        parts = urlsplit(request.url)
        if parts.scheme not in _DEFAULT_PORTS:
            return f"a request by {parts.scheme}:"
        if self._requests >= self._job.bounds.requests:
            return f"requests beyond {self._job.bounds.requests}"
        if self._is_blocked(parts.hostname or ""):
            return f"{parts.hostname} (on the blocklist)"
        if request.is_navigation_request():
            frame = _frame_of(request)
            if self._page is None or frame is None or frame.page != self._page:
                return "a popup"
            if frame.parent_frame is None:
                here = urlsplit(self._page.url).netloc
                if self._host is not None and parts.netloc not in (self._host, here):
                    return f"the page's way to {parts.netloc}"
                self._host = self._host or parts.netloc
        return None

    def _is_blocked(self, host: str) -> bool:
        """Whether the list has a host that is not of the page's own site."""
        return not f".{host}".endswith(f".{self._site}") and self._blocklist.blocks(host)

    async def _headers(self, request: Request) -> dict[str, str] | None:
        """The fields of a request with those that are sent to the page's origin; `None` where there are none to add."""
        added = {name.lower(): value for name, value in self._job.fields if name.lower() != "cookie"}
        if not added or _origin(request.url) != _origin(self._job.url):
            return None
        return {**await request.all_headers(), **added}

    async def _named(self, url: str) -> None:
        await self._proxy.name(*_origin(url))

    async def _name(self, request: Request) -> None:
        """Where a redirect leads, which does not pass `_judge`; a host that is not named is not connected to."""
        host = urlsplit(request.url).hostname or ""
        if request.redirected_from is not None and self._is_blocked(host):
            self.left_out[f"{host} (on the blocklist)"] += 1
        elif request.redirected_from is not None and urlsplit(request.url).scheme in _DEFAULT_PORTS:
            await self._named(request.url)

    async def _close_popup(self, page: Page) -> None:
        self.left_out["a popup"] += 1
        with suppress(PlaywrightError):
            await page.close()

    async def _close_socket(self, socket: WebSocketRoute) -> None:
        self.left_out["a WebSocket"] += 1
        with suppress(PlaywrightError):
            await socket.close()

    def _why(self, error: PlaywrightError) -> str:
        refused = next(iter(self._proxy.refused), None)
        if refused is not None and "SOCKS" in str(error):
            return f"not connected: {refused}"
        if self._crashed.is_set() or "crash" in str(error).lower():
            self._crashed.set()
            return "the page crashed the browser"
        if "ERR_ABORTED" in str(error) or "Download is starting" in str(error):
            return "it is a download, not a page"
        said = str(error).partition("\n")[0].removeprefix("Page.goto: ").removeprefix("Page.evaluate: ")
        return f"the browser says {said.partition(' at ')[0]}"


def _frame_of(request: Request) -> Frame | None:
    """The frame that a navigation is of; `None` while its window is only being opened."""
    try:
        return request.frame
    except PlaywrightError:
        return None


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _cookies(job: RenderJob) -> list[Any]:
    pairs = [pair for name, value in job.fields if name.lower() == "cookie" for pair in value.split(";")]
    split = [pair.strip().partition("=") for pair in pairs if pair.strip()]
    return [{"name": name, "value": value, "url": job.url} for name, _, value in split]


async def _picture(page: Page) -> bytes:
    height = await page.evaluate("() => document.documentElement.scrollHeight")
    clip: Any = {"x": 0, "y": 0, "width": _WIDTH, "height": min(max(int(height), _HEIGHT), _PICTURE_MAX)}
    return await page.screenshot(full_page=True, clip=clip, animations="disabled", timeout=15_000)


async def _patiently(wait: Awaitable[Any]) -> None:
    """Wait for what may not come: a page that never rests is taken as it is."""
    with suppress(PlaywrightError):
        await wait


def _milliseconds(deadline: float) -> float:
    # 0 would be no bound at all.
    return max(1.0, (deadline - time.monotonic()) * 1000)


#: How a context is made: nothing of an earlier page, nothing that goes past the net log.
CONTEXT: dict[str, Any] = {
    "viewport": {"width": _WIDTH, "height": _HEIGHT},
    "service_workers": "block",
    "accept_downloads": False,
}

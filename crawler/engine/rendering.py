"""Pages that only a browser shows: which are rendered, how, and what of it is recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from scrapy import Request

from crawler.browser.chromium import check_rendering
from crawler.browser.job import Behaviour, RenderBounds, RenderJob
from crawler.defaults import Render
from crawler.engine.host_queue import host_of
from crawler.engine.redaction import redact
from crawler.politeness.host_gate import WAIT_STATUSES
from crawler.session.outcomes import phrase
from crawler.session.page_extraction import NEEDS_SCRIPTS, RENDERED, Extraction, is_page, is_whole
from crawler.sites.context import context_of
from storage.errors import NewskeepError
from storage.http import HttpMessage
from storage.warc import NOT_MODIFIED, resource_head

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from crawler.browser.job import Rendered
    from crawler.session.recorder import RecordedExchange
    from crawler.sites.context import CrawlContext
    from storage.model import Exchange, Resource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What a crawl has said of rendering."""

    render: Render
    chromium: str | None
    proxy: str | None
    user_agent: str
    allow_private: bool
    insecure: bool
    ca_file: str | None
    trust_proxy: bool
    blocklist: str | None
    refuse_noarchive: bool
    delay: float
    screenshot: bool
    pdf: bool
    behaviour: Behaviour
    bounds: RenderBounds

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Self:
        return cls(
            render=settings["RENDER"],
            chromium=settings.get("CHROMIUM"),
            proxy=settings.get("PROXY"),
            user_agent=settings["USER_AGENT"],
            allow_private=settings.getbool("ALLOW_PRIVATE_ADDRESSES"),
            insecure=settings.getbool("INSECURE"),
            ca_file=settings.get("CA_FILE"),
            trust_proxy=settings.getbool("TRUST_PROXY"),
            blocklist=settings.get("BLOCKLIST"),
            refuse_noarchive=settings["NOARCHIVE"] == "refuse" and settings.getbool("ROBOTSTXT_OBEY"),
            delay=settings.getfloat("DOWNLOAD_DELAY"),
            screenshot=settings.getbool("SCREENSHOT"),
            pdf=settings.getbool("PDF"),
            behaviour=settings["RENDER_BEHAVIOUR"] or Behaviour(),
            bounds=RenderBounds(seconds=settings.getfloat("RENDER_TIMEOUT"), bytes=settings.getint("RENDER_MAXSIZE")),
        )


@dataclass(frozen=True, slots=True)
class PageShown:
    """The exchange and the text of a page that count, and what a browser did not give it, in words."""

    recorded: RecordedExchange
    extraction: Extraction
    left_out: tuple[str, ...] = ()


class Renderer:
    """Renders the pages of one crawl, as many at a time as the session allows."""

    def __init__(self, context: CrawlContext, options: RenderOptions) -> None:
        self._context = context
        self._options = options

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(context_of(crawler), RenderOptions.from_settings(crawler.settings))

    async def wants(self, recorded: RecordedExchange, extraction: Extraction) -> bool:
        """Whether a page is to be rendered, now that its plain answer has been read."""
        exchange = recorded.exchange
        if self._options.render != "never" and HttpMessage.parse(exchange.response).status == NOT_MODIFIED:
            return await asyncio.to_thread(self._was_rendered, exchange.url)
        match self._options.render:
            case "always":
                whole = is_page(exchange.response) and is_whole(exchange.response, exchange.truncated)
                return whole and recorded.capture is not None and recorded.wall is None
            case "when-needed":
                return extraction.reason == NEEDS_SCRIPTS
        return False

    def _was_rendered(self, url: str) -> bool:
        """Whether the text that is held is a browser's: that its shell is the same as before says nothing of it."""
        try:
            extractor = self._context.session.archive.article(url).extractor
        except NewskeepError:
            return False
        return extractor is not None and extractor.method.startswith(RENDERED)

    async def render(self, recorded: RecordedExchange, extraction: Extraction) -> PageShown:
        """Render a page and record all that went over the wire.

        What counts are exchange and text of the plain answer where nothing came of it, with the reason. Raises
        `SpoolError`.
        """
        try:
            shown = await self._shown(recorded.exchange.url)
        except NewskeepError as error:
            return PageShown(recorded, _noting(extraction, f"not rendered: {error}"))
        if shown.left_out:
            logger.info("%s: left out: %s", shown.url, "; ".join(shown.left_out))
        page, dom = await self._record(shown)
        if page is None or dom is None or page.capture is None or page.wall is not None:
            said = _noting(extraction, f"not rendered: {shown.error or _why(page)}")
            return PageShown(recorded, said, shown.left_out)
        found = await self._context.session.extract(page, dom)
        if found.article is None and extraction.article is not None:
            return PageShown(recorded, extraction, shown.left_out)
        if found.reason == NEEDS_SCRIPTS:
            found = _noting(found, "though it was rendered")
        return PageShown(page, found, shown.left_out)

    async def _shown(self, url: str) -> Rendered:
        options, session = self._options, self._context.session
        program = check_rendering(options.chromium)
        subscription = self._context.subscription
        job = RenderJob(
            url=url,
            program=program,
            user_agent=options.user_agent,
            allow_private=options.allow_private,
            insecure=options.insecure,
            ca_file=options.ca_file,
            proxy=options.proxy,
            trust_proxy=options.trust_proxy,
            blocklist=options.blocklist,
            screenshot=options.screenshot,
            pdf=options.pdf,
            fields=_texts(subscription.fields(url)) if subscription else (),
            behaviour=options.behaviour,
            bounds=options.bounds,
        )
        host = host_of(Request(url))
        async with session.gate.turn(host, options.delay) as turn:
            shown = await session.browsers.show(job, host)
            page = _page_of(shown)
            if page is not None:
                message = HttpMessage.parse(page.response)
                if message.status in WAIT_STATUSES:
                    turn.answered(message.status, message.header("retry-after"), 0.0)
        return shown

    async def _record(self, shown: Rendered) -> tuple[RecordedExchange | None, Resource | None]:
        """Record every exchange; return that of the page, and its DOM as it may be kept."""
        page, found = _page_of(shown), None
        resources = shown.resources if page is not None and is_page(page.response) else ()
        for exchange in shown.exchanges:
            beside: tuple[Resource, ...] = ()
            if exchange is page:
                kept = (self._kept(exchange, resource) for resource in resources)
                beside = resources = tuple(replace(each, left_out=shown.left_out) for each in kept)
            recorded = await self._context.session.record(
                self._redacted(exchange), None, self._options.refuse_noarchive, beside, is_browsers=True
            )
            found = recorded if exchange is page else found
        return found, resources[0] if resources else None

    def _redacted(self, exchange: Exchange) -> Exchange:
        """The exchange without secrets; a browser that was given none has none to tell."""
        subscription = self._context.subscription
        return redact(exchange, (), tuple(subscription.secrets()), False) if subscription else exchange

    def _kept(self, exchange: Exchange, resource: Resource) -> Resource:
        """What was made of a page, its text without secrets; pictures show what a subscriber sees."""
        if not resource.kind.startswith("text/"):
            return resource
        head = resource_head(resource.kind)
        kept = self._redacted(replace(exchange, response=head + resource.data, interim=()))
        return replace(resource, data=HttpMessage.parse(kept.response).body)


def _page_of(shown: Rendered) -> Exchange | None:
    """The exchange of the page itself: the first of the address that was shown."""
    return next((exchange for exchange in shown.exchanges if exchange.url == shown.url and exchange.response), None)


def _why(page: RecordedExchange | None) -> str:
    """Why a page that the browser showed is none."""
    if page is None:
        return "no page came"
    if page.wall is not None:
        return page.wall.reason
    message = HttpMessage.parse(page.exchange.response)
    return f"the browser was answered {message.status} {message.reason or phrase(message.status)}".strip()


def _noting(extraction: Extraction, said: str) -> Extraction:
    return replace(extraction, reason=f"{extraction.reason} ({said})" if extraction.reason else said)


def _texts(fields: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in fields)

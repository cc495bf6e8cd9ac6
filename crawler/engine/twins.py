"""The text of a page that has none without scripts, from its AMP or print form."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK

from crawler.discovery.twins import twins_of
from crawler.engine.host_queue import host_of
from crawler.session.outcomes import phrase
from crawler.session.page_extraction import NEEDS_SCRIPTS, Extraction
from crawler.session.recorder import recorded_for
from crawler.sites.context import context_of
from crawler.sites.items import TWIN_OF
from storage.errors import SpoolError
from storage.http import ContentError, HttpMessage

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.session.recorder import RecordedExchange
    from crawler.session.session import Session
    from storage.model import Capture

logger = logging.getLogger(__name__)

#: Bytes of a page in which its twins are looked for, and seconds that a twin waits for its host at most.
_LOOK, _PATIENCE = 1 << 20, 60.0
#: Seconds after which it is seen whether a host that was busy is free.
_LOOK_AGAIN = 0.2


class Twins:
    """Fetches the twins of pages like any page, robots.txt and the host's pauses minded; each is a capture."""

    def __init__(self, crawler: Crawler, session: Session, allowed: bool) -> None:
        self._crawler = crawler
        self._session = session
        self._allowed = allowed

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        # Where a browser shows every page, its text is the page's own.
        allowed = crawler.settings["RENDER"] != "always" and crawler.settings.getbool("EXTRACTION")
        return cls(crawler, context_of(crawler).session, allowed)

    async def text_of(self, recorded: RecordedExchange, extraction: Extraction) -> Extraction:
        """Return the text of a page by its first twin that has it; `extraction` where none does, or it needs none.

        Raises `SpoolError`.
        """
        page = recorded.capture
        if not self._allowed or page is None or extraction.reason != NEEDS_SCRIPTS:
            return extraction
        for url in await asyncio.to_thread(_named, recorded.exchange.response, page.url):
            found = await self._extracted(url, page)
            if found.article is not None:
                return found
        return extraction

    async def _extracted(self, url: str, page: Capture) -> Extraction:
        request = Request(
            url,
            # Who asks without a callback is not sent back to the scheduler, which would give the answer to nobody.
            callback=NO_CALLBACK,
            dont_filter=True,
            # A twin that leads elsewhere is none: most lead to the page that is read already.
            meta={TWIN_OF: page, "dont_redirect": True},
        )
        try:
            await self._wait(host_of(request))
            answer = await self._crawler.engine.download_async(request)
        except SpoolError:
            raise
        except Exception as error:
            logger.info("%s: its twin %s: %s", page.url, url, error)
            return Extraction()
        found = await self._session.extract(recorded_for(answer), twin_of=page)
        if found.article is None:
            why = found.reason or f"{answer.status} {phrase(answer.status)}"
            logger.info("%s: its twin %s: %s", page.url, url, why)
        return found

    async def _wait(self, host: str) -> None:
        """Wait for a host outside of the downloader, where a request would take the place of others."""
        ends = time.monotonic() + _PATIENCE
        while (left := self._session.gate.ready_in(host)) > 0 and time.monotonic() < ends:
            if self._session.stop.asked or self._session.stopped is not None:
                raise IgnoreRequest("the crawl ends")
            await asyncio.sleep(min(left, _LOOK_AGAIN))


def _named(response: bytes, url: str) -> tuple[str, ...]:
    message = HttpMessage.parse(response)
    try:
        return twins_of(message.content(_LOOK), url, message.header("content-type"))
    except ContentError:
        return ()

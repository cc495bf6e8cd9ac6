"""The session's life in a Scrapy crawler: stops it when nothing can be written, closes what it made itself."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Self

from scrapy import signals

from crawler.session import Session, is_attached, session_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


class SessionExtension:
    """Ties a crawler to its session."""

    def __init__(self, crawler: Crawler, session: Session, owner: bool) -> None:
        self._crawler = crawler
        self._session = session
        self._owner = owner

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        # A session that run.py attached is shared by several crawlers, and closed by run.py after the last.
        owner = not is_attached(crawler)
        extension = cls(crawler, session_of(crawler), owner)
        extension._session.on_failure(extension._stop)
        if owner:
            crawler.signals.connect(extension._close, signals.engine_stopped)
        return extension

    def _stop(self) -> None:
        from twisted.internet import reactor

        reactor.callFromThread(self._close_spider)

    def _close_spider(self) -> None:
        if self._crawler.engine.spider is not None:
            self._closing = asyncio.ensure_future(self._crawler.engine.close_spider_async(reason="cannot write"))

    async def _close(self) -> None:
        await asyncio.to_thread(self._session.close)
        if self._session.failure is not None:
            logger.error("%s", self._session.failure)

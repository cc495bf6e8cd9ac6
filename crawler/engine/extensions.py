"""The session's and the site's life in a Scrapy crawler."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from scrapy import signals
from scrapy.exceptions import CloseSpider, NotConfigured

from crawler.engine.faults import SignalFaults
from crawler.engine.settings_log import redact_settings
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.run_summary import site_lines, total_line
from storage.errors import NewskeepError, StoreUnavailable
from storage.locking import held

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy.crawler import Crawler

    from crawler.sites.run_ledger import RunLedger

logger = logging.getLogger(__name__)


class SessionExtension:
    """Stops a crawler when nothing can be written; closes the session that it made itself, and says what was done."""

    def __init__(self, crawler: Crawler, context: CrawlContext) -> None:
        self._crawler = crawler
        self._context = context
        self._session = context.session

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        redact_settings()
        extension = cls(crawler, context_of(crawler))
        # A session of run.py's is shared by several crawlers; run.py stops them, and closes it after the last.
        if crawler.settings.getbool("STANDALONE"):
            extension._session.on_failure(extension._stop)
            # To the end of the process.
            SignalFaults(extension._session).__enter__()
            crawler.signals.connect(extension._closed, signals.spider_closed)
            crawler.signals.connect(extension._close, signals.engine_stopped)
        return extension

    def _stop(self) -> None:
        from twisted.internet import reactor

        reactor.callFromThread(self._close_spider)

    def _close_spider(self) -> None:
        if self._crawler.engine.spider is not None:
            self._closing = asyncio.ensure_future(self._crawler.engine.close_spider_async(reason="cannot write"))

    def _closed(self, reason: str) -> None:
        if reason == "shutdown":
            # Scrapy has its own signal handlers, which know nothing of sealing.
            self._session.stop.ask()

    async def _close(self) -> None:
        session, passing = self._session, self._context.passing
        await asyncio.to_thread(session.close)
        if session.failure is not None:
            logger.error("%s", session.failure)
        if passing is not None:
            session.archive.close()
            passing.cleanup()
            return
        requisites = self._context.requisites.counts if self._context.requisites else {}
        _say([total_line(session.outcomes.counts, requisites, session.archive.uri, session.crawl)])
        if session.stop.asked:
            _say(["stopped before the end: run the same command again for the rest"])


class SiteExtension:
    """Keeps account of a site's run: that it starts, how it ended, when the site is due again.

    Who runs Scrapy by hand gets the site's lock here; run.py holds it already.
    """

    def __init__(self, crawler: Crawler, context: CrawlContext, ledger: RunLedger) -> None:
        self._crawler = crawler
        self._session = context.session
        self._requisites = context.requisites
        self._ledger = ledger
        self._locks = crawler.settings.getbool("STANDALONE")
        self._lock = ExitStack()
        self._opened = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        context = context_of(crawler)
        if context.ledger is None:
            raise NotConfigured
        extension = cls(crawler, context, context.ledger)
        crawler.signals.connect(extension._open, signals.spider_opened)
        crawler.signals.connect(extension._close, signals.spider_closed)
        return extension

    async def _open(self) -> None:
        try:
            if self._locks:
                name = self._ledger.site.name
                self._lock.enter_context(held(site_lock(self._session.archive.state, name), f"a crawl of {name}"))
            await self._ledger.open()
        except NewskeepError as error:
            self._lock.close()
            if self._locks or isinstance(error, StoreUnavailable):
                # The session tells it when it ends: no other site is there that goes on, or it is no site's failure.
                self._session.note_fault(error)
            else:
                logger.error("%s", error)
            raise CloseSpider(str(error)) from error
        self._opened = True

    async def _close(self, reason: str) -> None:
        if not self._opened:
            return
        try:
            if self._requisites is not None:
                self._ledger.counts.requisites = self._requisites.counts
            requests = self._crawler.stats.get_value("downloader/request_count") or 0
            state = self._session.ended(reason, self._ledger.verdict)
            if self._session.stopped == "failed":
                # Who asks why the run failed must not look for it at the site.
                self._ledger.problem(str(self._session.failure))
            await self._ledger.close(state, requests)
            if self._locks:
                session, site = self._session, self._ledger.site
                _say(await asyncio.to_thread(site_lines, session.archive, site.name, state, session.crawl))
        except Exception as error:
            # Scrapy would log it and go on.
            self._session.note_fault(error)
        finally:
            self._lock.close()


def _say(lines: list[str]) -> None:
    """Print lines for the person who runs Scrapy, without what a terminal would obey; its log tells of trouble only."""
    for line in lines:
        print("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line), file=sys.stderr)


def site_lock(state: Path, name: str) -> Path:
    """The lock file of a site of the archive whose local state is in the folder `state`."""
    # Of a section the name is an address.
    return state / "locks" / f"site-{quote(name, safe=':')}.lock"

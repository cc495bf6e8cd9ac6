"""What Scrapy catches, logs and goes on after as if nothing had been: exceptions of spiders, pipelines, extensions."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import CloseSpider

from crawler.session.faults import fault_of
from crawler.session.reasons import in_words
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.items import MissedPage, Page, missed

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.session.session import Session

#: Where Scrapy logs what handlers of its signals raise, which are the methods of extensions; no signal tells of it.
_SIGNAL_LOG = "scrapy.utils.signal"


class FaultExtension:
    """Has the run end with the fault, and gives an outcome to the URL that was asked for."""

    def __init__(self, crawler: Crawler, context: CrawlContext) -> None:
        self._crawler = crawler
        self._context = context
        self._given_up: set[asyncio.Future[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler, context_of(crawler))
        crawler.signals.connect(extension._in_spider, signals.spider_error)
        crawler.signals.connect(extension._in_pipeline, signals.item_error)
        crawler.signals.connect(extension._closed, signals.spider_closed)
        return extension

    def _in_spider(self, failure: Failure, response: Response | Failure | None, spider: Spider) -> None:  # noqa: ARG002
        assert failure.value is not None
        self._note(failure.value)
        # None of it where start() has raised.
        request = getattr(response, "request", None)
        item = missed(request, in_words(failure.value)) if request is not None else None
        if item is None or not self._context.under_way.is_owed(_key(item)):
            return
        self._context.under_way.hand_on(_key(item))
        if not isinstance(item, MissedPage):
            self._context.under_way.done(_key(item))
        task = asyncio.ensure_future(self._crawler.engine.scraper.start_itemproc_async(item, response=None))
        self._given_up.add(task)
        task.add_done_callback(self._given_up.discard)

    def _in_pipeline(self, item: Any, failure: Failure) -> None:
        assert failure.value is not None
        self._note(failure.value)
        if isinstance(item, Page | MissedPage) and item.known is not None:
            # Nobody else will say that it is done with.
            self._context.under_way.done(item.known.url)

    async def _closed(self) -> None:
        await asyncio.gather(*self._given_up)

    def _note(self, error: BaseException) -> None:
        self._context.session.note_fault(error)
        if self._context.ledger is not None:
            self._context.ledger.problem(str(fault_of(error)))


class SignalFaults(logging.Handler):
    """Tells a session what extensions raise, while it is entered; Scrapy's own words show only if asked for."""

    def __init__(self, session: Session) -> None:
        super().__init__(logging.ERROR)
        self._session = session
        self._logger = logging.getLogger(_SIGNAL_LOG)
        self._before = self._logger.level, self._logger.propagate

    def __enter__(self) -> Self:
        self._logger.propagate = self._logger.propagate and self._logger.isEnabledFor(logging.ERROR)
        self._logger.setLevel(logging.ERROR)
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        level, self._logger.propagate = self._before
        self._logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, CloseSpider):
            self._session.note_fault(error)


def _key(item: MissedPage | Any) -> str:
    return str(item.known.url if isinstance(item, MissedPage) else item.url)

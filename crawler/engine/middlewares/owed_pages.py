"""Pages that a spider's own callback does not hand on: each URL that was asked for has an outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Self

from crawler.session.recorder import recorded_for
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.items import GIVEN, Page, known_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class OwedPagesMiddleware:
    """Yields the page of an answer behind what a callback gave, if that was not it: a crawl waits for each."""

    def __init__(self, context: CrawlContext) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(context_of(crawler))

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for each in result:
            yield each
        request, under_way = response.request, self._context.under_way
        if request is None:
            return
        known = known_of(request)
        url = known.url if known else request.cb_kwargs.get(GIVEN)
        if isinstance(url, str) and under_way.is_owed(url):
            under_way.hand_on(url)
            if known is None:
                under_way.done(url)
            yield Page(url, recorded_for(response), known)

"""Archives a list of URLs: `newskeep save -i FILE`, `scrapy crawl urls -a file=FILE`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, Spider
from scrapy.exceptions import CloseSpider

from crawler.list_forms import Form
from crawler.session.held import held_outcome
from crawler.session.outcomes import failed_outcome, was_asked
from crawler.session.recorder import recorded_for
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.items import GIVEN, Page
from crawler.sites.page_requisites import Requisites
from crawler.url_list import ListedURL, read_urls
from storage.annotations import parse_tags
from storage.errors import UsageError
from storage.model import Outcome
from storage.urls import parse_timestamp

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.subscriptions.subscription import Subscription


logger = logging.getLogger(__name__)


class UrlsSpider(Spider):
    """Fetches each different URL of `urls` (text lines, or with blanks between) or of the file named `file` ("-" is
    standard input).

    With `requisites` also the pictures, styles and scripts of the pages. With `newer_than` (a time, or as text 1 to 14
    digits or ISO 8601) what the archive holds since then is told as held, and not asked for. `form` is that of the file
    (crawler.list_forms), where its name and beginning do not tell it. What is archived has the `tags` (as text: with
    commas between).
    """

    name = "urls"
    custom_settings = {
        # Nothing here reads bodies; extraction decodes them itself, within bounds.
        "COMPRESSION_ENABLED": False,
    }
    #: URLs under way or waiting; the rest of the list stays unread, so that memory stays flat. Large, so that a slow
    #: host has to own very many of them before the others wait for it.
    window = 5_000

    _context: CrawlContext

    def __init__(
        self,
        file: str | None = None,
        urls: Iterable[str] | str = (),
        requisites: bool = False,
        newer_than: datetime | str | None = None,
        form: Form | None = None,
        subscription: Subscription | None = None,
        tags: Iterable[str] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._wants_requisites = requisites
        self._subscription = subscription
        self._file = file
        self._form = form
        self._newer_than = parse_timestamp(newer_than) if isinstance(newer_than, str) else newer_than
        # A text is what `scrapy crawl urls -a urls=…` gives.
        self._urls = urls.split() if isinstance(urls, str) else urls
        self._tags = parse_tags(tags.split(",") if isinstance(tags, str) and tags else tags)
        self._duplicates = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider._context = context = context_of(crawler)
        context.subscription = spider._subscription
        context.tags = spider._tags
        if spider._wants_requisites:
            # Before further pages, so that what waits stays little however long the list is.
            context.requisites = Requisites(context.session.archive.index, 10)
        return spider

    async def start(self) -> AsyncIterator[Request | Outcome]:
        try:
            for listed in self._listed():
                if listed.error is not None:
                    yield Outcome(listed.given, "refused", listed.error)
                    continue
                if (held := await self._held(listed)) is not None:
                    yield held
                    continue
                await self._context.under_way.room(self.window)
                self._context.under_way.add(listed.given)
                yield self._request(listed)
            if self._duplicates:
                logger.warning("%d more in the list are the same URLs again; each is told once", self._duplicates)
        except UsageError as error:
            self._context.session.note_fault(error)
            raise CloseSpider(str(error)) from error

    async def parse(self, response: Response, **kwargs: Any) -> AsyncIterator[Page | Request]:
        recorded = recorded_for(response)
        self._context.under_way.done(kwargs[GIVEN])
        yield Page(kwargs[GIVEN], recorded)
        if self._context.requisites is not None and recorded.wall is None:
            async for request in self._context.requisites.of_page(recorded):
                yield request

    async def failed(self, failure: Failure) -> AsyncIterator[Outcome]:
        request: Request = failure.request  # type: ignore[attr-defined]
        assert failure.value is not None
        given: str = request.cb_kwargs[GIVEN]
        outcome = failed_outcome(given, request, failure.value) if was_asked(failure.value) else None
        self._context.under_way.done(given)
        if outcome is not None:
            yield outcome

    def _listed(self) -> Iterator[ListedURL]:
        return read_urls(self._urls, self._file, self._count_duplicate, self._form)

    async def _held(self, listed: ListedURL) -> Outcome | None:
        if self._newer_than is None:
            return None
        # It may read from the store.
        archive = self._context.session.archive
        return await asyncio.to_thread(held_outcome, archive, listed.given, listed.url, self._newer_than)

    def _count_duplicate(self) -> None:
        self._duplicates += 1

    def _request(self, listed: ListedURL) -> Request:
        if self._subscription is not None:
            self._subscription.name_host(listed.url)
        return Request(
            listed.url,
            callback=self.parse,
            errback=self.failed,
            cb_kwargs={GIVEN: listed.given},
            # The list has been freed of duplicates; a redirect may well lead to another of its URLs.
            dont_filter=True,
        )

"""The spider of a news site. A site is data: a subclass only declares.

class Guardian(NewsSpider):
    name = "guardian"
    start_urls = ["https://www.theguardian.com/"]
    sitemaps = ["https://www.theguardian.com/sitemaps/news.xml"]
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider

from crawler.browser.job import Behaviour
from crawler.frontier import frontier_of, revisit_policy
from crawler.frontier.address_state import AddressState, SiteState
from crawler.frontier.recall import recall, reconcile
from crawler.politeness.block_detection import RefusalWatch
from crawler.politeness.errors import AlreadyHeld
from crawler.session.conditional import conditional_headers
from crawler.session.faults import fault_of
from crawler.session.outcomes import failed_outcome, was_asked
from crawler.session.recorder import recorded_for
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.items import KNOWN, MissedPage, Page, known_of
from crawler.sites.link_selection import LinkSelector
from crawler.sites.page_requisites import Requisites
from crawler.sites.run_ledger import RunLedger
from crawler.sites.site import Site, make_site
from crawler.sites.site_keys import KEYS
from crawler.sites.site_terms import TermsRequests
from crawler.sites.source_fetcher import SourceRead
from crawler.sites.source_schedule import SourceSchedule
from crawler.sites.subscribed import subscription_of
from crawler.sites.time_window import Window
from crawler.subscriptions.references import resolve
from storage.errors import StoreUnavailable, UsageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from twisted.python.failure import Failure

    from crawler.session.recorder import RecordedExchange
    from crawler.subscriptions.subscription import Subscription
    from storage.archive import Archive

logger = logging.getLogger(__name__)


class NewsSpider(Spider):
    """Asks a site's sources that are due, then fetches its articles, the newest first, then those due again.

    Subclasses set `name`, `start_urls` and what else of `crawler.sites.site.Site` they want, by the same names. Without
    a name a class is no spider and may be a base of others.
    """

    custom_settings = {
        # Nothing here reads bodies but discovery and extraction, which decode them themselves, within bounds.
        "COMPRESSION_ENABLED": False,
        # What leads on and on is no article; each step is a request to the site.
        "REDIRECT_MAX_TIMES": 8,
    }
    start_urls: list[str] = []
    #: Articles under way or waiting in Scrapy.
    window = 64
    #: The site, where it is not declared by class attributes.
    declared: ClassVar[Site | None] = None

    ledger: RunLedger
    _context: CrawlContext
    _terms: TermsRequests | None = None
    _archive: Archive

    def __init__(
        self,
        site: Site | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        eager: bool = False,
        on_read: Callable[[SourceRead], None] = lambda read: None,
        subscription: Subscription | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        chosen = site or self.declared or self.site_of_class()
        if chosen is None:
            raise UsageError(f"spider {self.name!r} has no site: a class names start_urls; `site` takes -a url=ADDRESS")
        self.site: Site = chosen
        self._window = Window(since, until)
        #: Whether somebody waits for what is new now: feeds and declared sources are asked though they are not due.
        self._eager = eager
        self._on_read = on_read
        self._subscription = subscription
        self._watch = RefusalWatch()

    @classmethod
    def site_of_class(cls) -> Site | None:
        """The site that the class declares; `None` for one that declares no address. Raises `ConfigError`."""
        if cls.declared is not None:
            return cls.declared
        values = {key: getattr(cls, key) for key in KEYS if key != "start" and getattr(cls, key, None) is not None}
        if cls.start_urls:
            values["start"] = cls.start_urls
        if not values.keys() & {"start", "feeds", "sitemaps"}:
            return None
        return replace(make_site(cls.name, values, f"{cls.__module__}.{cls.__name__}: "), spider=cls.name)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider._context = context = context_of(crawler)
        spider._archive = archive = context.session.archive
        frontier = frontier_of(archive)
        context.session.gate.remember_in(frontier)
        context.session.rules.remember_in(frontier)
        context.subscription = spider._subscription or subscription_of(spider.site)
        context.ledger = spider.ledger = RunLedger(frontier, spider.site, context.session.crawl)
        context.under_way = spider.ledger.under_way
        if frontier.site(spider.site.name).blocks:
            # It blocked us the last time: a second refusal says that nothing has changed.
            spider._watch = RefusalWatch(limit=2, window=3)
        context.tags = spider.site.tags
        if crawler.settings.getbool("TDMREP"):
            spider._terms = TermsRequests(archive.index)
        if spider.site.requisites:
            # After the articles: what is new goes first.
            context.requisites = Requisites(archive.index, -10)
        if not crawler.settings.frozen:
            # `scrapy shell` makes its spider when all is set up.
            spider._set(crawler.settings)
        return spider

    def _set(self, settings: BaseSettings) -> None:
        """Put what the site says over the settings; the command line stays above."""
        settings.set("DOWNLOAD_DELAY", self.site.delay, priority="spider")
        if self.site.noarchive:
            settings.set("NOARCHIVE", self.site.noarchive, priority="spider")
        if self.site.proxy:
            settings.set("PROXY", resolve(self.site.proxy, f"[sites.{self.site.name}] proxy"), priority="spider")
        if self.site.accept_language:
            sent = {**settings.getdict("DEFAULT_REQUEST_HEADERS"), "Accept-Language": self.site.accept_language}
            settings.set("DEFAULT_REQUEST_HEADERS", sent, priority="spider")
        if self.site.user_agent:
            settings.set("USER_AGENT", self.site.user_agent, priority="spider")
        if self.site.render is not None:
            settings.set("RENDER", self.site.render, priority="spider")
        behaviour = Behaviour(self.site.scroll, self.site.click, self.site.load_more)
        settings.set("RENDER_BEHAVIOUR", behaviour, priority="spider")
        if self.site.insecure is not None:
            settings.set("INSECURE", self.site.insecure, priority="spider")

    async def start(self) -> AsyncIterator[Request]:
        try:
            async for request in self._run():
                yield request
        except Exception as error:
            # Scrapy would log it and go on.
            self._context.session.note_fault(error)
            self.ledger.problem(str(fault_of(error)))
            self.ledger.verdict = "failed"

    async def _run(self) -> AsyncIterator[Request]:
        before = await asyncio.to_thread(self.ledger.frontier.site, self.site.name)
        now = datetime.now(UTC)
        if before.blocked_until is not None and before.blocked_until > now:
            until = f"{before.blocked_until:%Y-%m-%d %H:%M} UTC"
            self.ledger.problem(f"left alone until {until}: {before.blocked_reason}")
            self.ledger.verdict = "blocked"
            return
        await asyncio.to_thread(self._recall, before)
        finder = LinkSelector(self.site, self._window, now)
        sources = SourceSchedule(self.ledger, finder, self._download, self._sitemaps, self._on_read)
        await sources.read(self._eager)
        self.site = self.ledger.site = finder.site
        async for request in self._articles(sources):
            yield request
        await self.ledger.judge(asked_all=self._eager)

    async def _download(self, request: Request) -> Response:
        """Fetch a source; raises what `failed` would be given.

        By way of the scheduler, which knows when a host may be asked.
        """
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        # Nobody waits any more where the crawl was stopped meanwhile.
        def answered(response: Response) -> None:
            if not answer.cancelled():
                answer.set_result(response)

        def failed(failure: Failure) -> None:
            # What became of it on the way is told in the meta of the request that was sent.
            request.meta.update(failure.request.meta)  # type: ignore[attr-defined]
            if not answer.cancelled():
                answer.set_exception(failure.value or RuntimeError("no answer"))

        self.crawler.engine.crawl(request.replace(callback=answered, errback=failed, priority=100))
        response = await answer
        self._mind_refusals(recorded_for(response))
        return response

    def _mind_refusals(self, recorded: RecordedExchange) -> None:
        """End the run when the site does not want us."""
        reason = self._watch.note(recorded.exchange.response, recorded.wall)
        if reason is not None and self.ledger.blocked is None:
            self.ledger.blocked = reason
            self.ledger.verdict = "blocked"
            self.ledger.problem(f"left alone for a while: {reason}")
            self._closing = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason="blocked"))

    async def _sitemaps(self, url: str) -> Sequence[str]:
        """What robots.txt says, as far as its middleware has read it."""
        parts = urlsplit(url)
        rules = self._context.session.rules.known(f"{parts.scheme}://{parts.netloc}")
        return list(rules.parser.sitemaps) if rules and rules.parser else []

    async def _articles(self, sources: SourceSchedule) -> AsyncIterator[Request]:
        """Yield requests for what is due, up to the cap; what they name (a canonical address) comes after them."""
        asked: set[str] = set()
        # Of a back-fill first what is of its time, then what may be.
        surely = bool(self._window)
        while (left := self.site.cap - len(asked)) > 0:
            # What was asked and failed may be due still.
            found = await self.ledger.due_articles(left + len(asked), self._window, surely)
            due = [known for known in found if known.url not in asked]
            if not due and surely:
                surely = False
                await sources.take_doubtful(left)
                continue
            if not due:
                return
            # A run that was killed may have archived some and not noted it.
            for known in await asyncio.to_thread(self._lacking, due[:left]):
                await self.ledger.under_way.room(self.window)
                if not self.ledger.has_followed(known.url):
                    yield self._request(known)
            asked.update(known.url for known in due[:left])
            await self.ledger.under_way.room(1)
            await self.ledger.flush()

    def _lacking(self, due: list[AddressState]) -> list[AddressState]:
        try:
            return reconcile(self.ledger.frontier, self._archive.index, due, revisit_policy.recalled)
        except StoreUnavailable as error:
            logger.warning("%s; what is held may be fetched again", error)
            return due

    def _recall(self, before: SiteState) -> None:
        """Learn from the archive what is held of a site of which the frontier knows nothing."""
        # Which of the site's articles are those of a section, nobody knows; what is held is not fetched again.
        if before.started is None and not self.site.section:
            recall(
                self.ledger.frontier, self._archive.index, self.site.name, self.site.netlocs, revisit_policy.recalled
            )

    def _request(self, known: AddressState) -> Request:
        self.ledger.sent(known.url)
        return Request(
            known.url,
            headers=conditional_headers(known.etag, known.last_modified),
            callback=self.parse,
            errback=self.failed,
            cb_kwargs={KNOWN: known},
            dont_filter=True,
        )

    async def parse(self, response: Response, **kwargs: Any) -> AsyncIterator[Page | Request]:
        recorded = recorded_for(response)
        known: AddressState = kwargs[KNOWN]
        self._mind_refusals(recorded)
        self.ledger.under_way.hand_on(known.url)
        yield Page(known.url, recorded, known)
        if self._terms is not None and (asked := await self._terms.of_page(response.url)):
            yield asked
        if recorded.wall is None and self._context.requisites is not None:
            async for request in self._context.requisites.of_page(recorded):
                yield request

    async def failed(self, failure: Failure) -> AsyncIterator[MissedPage]:
        request: Request = failure.request  # type: ignore[attr-defined]
        known = known_of(request)
        assert failure.value is not None and known is not None
        if not was_asked(failure.value):
            self.ledger.under_way.done(known.url)
            return
        same_as = failure.value.url if isinstance(failure.value, AlreadyHeld) else None
        missed = MissedPage(known, failed_outcome(known.url, request, failure.value), same_as)
        self.ledger.under_way.hand_on(known.url)
        yield missed

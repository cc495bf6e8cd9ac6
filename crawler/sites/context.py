"""What the parts of one Scrapy crawler share: middlewares, pipelines, extensions, the download handler, the spider."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from crawler.config import resolved_address
from crawler.session.session import Session, SessionOptions
from crawler.sites.under_way import UnderWay
from storage.objects.retention import ObjectLock

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.sites.page_requisites import Requisites
    from crawler.sites.run_ledger import RunLedger
    from crawler.subscriptions.subscription import Subscription


logger = logging.getLogger(__name__)


@dataclass(slots=True)
class CrawlContext:
    """The session is there from the start; the spider adds the rest when it is made, before anything else asks."""

    session: Session
    #: The account of the run, for a crawl of a site.
    ledger: RunLedger | None = None
    #: What the spider has asked for.
    under_way: UnderWay = field(default_factory=UnderWay)
    #: What is sent to be let in, where there is a subscription.
    subscription: Subscription | None = None
    #: What fetches pictures, styles and scripts, where they are wanted.
    requisites: Requisites | None = None
    #: Given to what the spider has archived.
    tags: tuple[str, ...] = ()
    #: Where the archive is that goes when the session has ended, for one that only looks.
    passing: TemporaryDirectory[str] | None = None


_contexts: WeakKeyDictionary[Crawler, CrawlContext] = WeakKeyDictionary()


def attach(crawler: Crawler, session: Session) -> CrawlContext:
    """Have a Scrapy crawler record into `session`, which stays the caller's to close."""
    _contexts[crawler] = CrawlContext(session)
    return _contexts[crawler]


def attached(crawler: Crawler) -> CrawlContext | None:
    """The context of a crawler that has one by now."""
    return _contexts.get(crawler)


def context_of(crawler: Crawler) -> CrawlContext:
    """The context of a crawler; where none was attached (`scrapy crawl`), with a session made from its settings."""
    if crawler not in _contexts:
        from storage import open_archive

        uri, state, passing = crawler.settings["ARCHIVE"], crawler.settings.get("STATE"), None
        index = crawler.settings.get("INDEX")
        if only_looks(crawler):
            passing = TemporaryDirectory(prefix="newskeep-look-")
            uri, state, index = passing.name, None, None
            logger.warning("only looking: nothing is archived; `newskeep save URL` archives a page")
        mode = crawler.settings.get("OBJECT_LOCK")
        lock = ObjectLock(mode, crawler.settings.getint("OBJECT_LOCK_DAYS")) if mode and passing is None else None
        archive = open_archive(uri, state, lock, resolved_address(index, "index"))
        session = Session(archive, SessionOptions.from_settings(crawler.settings))
        attach(crawler, session).passing = passing
    return _contexts[crawler]


def only_looks(crawler: Crawler) -> bool:
    """Whether Scrapy shows a person a page (`scrapy shell`, `fetch`, `view`, `parse`, `check`) and runs no crawl.

    It does so with a spider of the project too, where one is named or allows the page's host.
    """
    # The shell has an engine without a crawl; the other commands give the spider a `start` of their own.
    return not crawler.crawling or crawler.spidercls.start.__module__.startswith("scrapy.commands.")

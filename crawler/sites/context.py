"""What the parts of one Scrapy crawler share: middlewares, pipelines, extensions, the download handler, the spider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from crawler.session.session import Session, SessionOptions

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.sites.page_requisites import Requisites
    from crawler.sites.run_ledger import RunLedger


@dataclass(slots=True)
class CrawlContext:
    """The session is there from the start; the spider adds the rest when it is made, before anything else asks."""

    session: Session
    #: The account of the run, for a crawl of a site.
    ledger: RunLedger | None = None
    #: What fetches pictures, styles and scripts, where they are wanted.
    requisites: Requisites | None = None


_contexts: WeakKeyDictionary[Crawler, CrawlContext] = WeakKeyDictionary()


def attach(crawler: Crawler, session: Session) -> CrawlContext:
    """Have a Scrapy crawler record into `session`, which stays the caller's to close."""
    _contexts[crawler] = CrawlContext(session)
    return _contexts[crawler]


def context_of(crawler: Crawler) -> CrawlContext:
    """The context of a crawler; where none was attached (`scrapy crawl`), with a session made from its settings."""
    if crawler not in _contexts:
        from storage import open_archive

        archive = open_archive(crawler.settings["ARCHIVE"], state=crawler.settings.get("STATE"))
        return attach(crawler, Session(archive, SessionOptions.from_settings(crawler.settings)))
    return _contexts[crawler]

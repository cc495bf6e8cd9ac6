"""Item pipelines: a fetched page is extracted in a worker process, its outcome told, and the frontier learns of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy.exceptions import DropItem, NotConfigured

from crawler.engine.rendering import PageShown, Renderer
from crawler.engine.twins import Twins
from crawler.session.outcomes import page_outcome
from crawler.session.reasons import in_words
from crawler.session.report import outcome_json
from crawler.session.session import Session
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.items import MissedPage, Page
from crawler.sites.visit_outcome import VisitResult, alias, visit_of_failure, visit_of_page
from storage.model import Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.sites.run_ledger import RunLedger


class ExtractionPipeline:
    """Gives a `Page` its article and its outcome."""

    def __init__(self, session: Session, twins: Twins, renderer: Renderer) -> None:
        self._session = session
        self._twins = twins
        self._renderer = renderer

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(context_of(crawler).session, Twins.from_crawler(crawler), Renderer.from_crawler(crawler))

    async def process_item(self, item: Any) -> Any:
        if not isinstance(item, Page):
            return item
        try:
            recorded = item.recorded
            extraction = await self._session.extract(recorded)
            # A plain request costs less than a browser.
            extraction = await self._twins.text_of(recorded, extraction)
            page = PageShown(recorded, extraction)
            if await self._renderer.wants(recorded, extraction):
                page = await self._renderer.render(recorded, extraction)
            outcome = page_outcome(item.url, page.recorded, page.extraction, page.left_out)
            return replace(item, recorded=page.recorded, extraction=page.extraction, outcome=outcome)
        except Exception as error:
            # A URL without an outcome would be lost unseen.
            self._session.note_fault(error)
            return replace(item, outcome=Outcome(item.url, "failed", in_words(error)))


def _ledger_of(context: CrawlContext) -> RunLedger:
    """The account of a site's run; a pipeline that needs one is left out for spiders that keep none."""
    if context.ledger is None:
        raise NotConfigured
    return context.ledger


class FrontierDecisionPipeline:
    """Says what a page of a site means for the frontier; a page that is no article is marked in its outcome."""

    def __init__(self, ledger: RunLedger, session: Session) -> None:
        self._ledger = ledger
        self._session = session

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        context = context_of(crawler)
        return cls(_ledger_of(context), context.session)

    async def process_item(self, item: Any) -> Any:
        if not isinstance(item, Page) or item.known is None or item.outcome is None or item.extraction is None:
            return item
        try:
            noted = await asyncio.to_thread(
                visit_of_page,
                self._ledger.site,
                item.known,
                item.recorded,
                item.extraction,
                item.outcome,
                datetime.now(UTC),
                lambda url: self._ledger.frontier.known(self._ledger.site.name, url),
            )
        except Exception as error:
            # It is archived all the same, and its outcome says so.
            self._session.note_fault(error)
            return item
        outcome = replace(item.outcome, reason=item.outcome.reason or noted.not_article)
        return replace(item, outcome=outcome, noted=noted)


class ArchivePipeline:
    """Reports outcomes, in the order in which they are ready."""

    def __init__(self, context: CrawlContext) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(context_of(crawler))

    async def process_item(self, item: Any) -> Any:
        # Read at each item: the spider says them after the pipelines are made.
        session, tags = self._context.session, self._context.tags
        match item:
            case Page(outcome=Outcome() as outcome) | MissedPage(outcome=outcome):
                return replace(item, told=await session.report(outcome, tags))
            case Outcome():
                await session.report(item, tags)
        return item


class FrontierPipeline:
    """Keeps visits in the frontier, once what they tell is durable."""

    def __init__(self, ledger: RunLedger) -> None:
        self._ledger = ledger

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(_ledger_of(context_of(crawler)))

    async def process_item(self, item: Any) -> Any:
        ledger = self._ledger
        try:
            match item:
                case Page(known=None) | Page(told=False) | MissedPage(told=False):
                    pass
                case Page(noted=VisitResult() as noted, outcome=Outcome() as outcome, extraction=extraction):
                    await ledger.announce(noted.announced)
                    await ledger.visit(noted.visits)
                    article = extraction.article if extraction else None
                    ledger.count(outcome, undated=article is not None and article.published is None)
                    if item.recorded.wall is not None and not item.recorded.wall.of_page:
                        ledger.counts.walled += 1
                        ledger.failed(urlsplit(item.url).netloc, item.recorded.wall.reason)
                    if outcome.outcome == "archived" and (outcome.reason or "").startswith("no text: "):
                        ledger.counts.no_text += 1
                    if outcome.noarchive and outcome.outcome in ("archived", "unchanged"):
                        ledger.counts.noarchive += 1
                    if noted.not_article:
                        ledger.counts.not_article += 1
                case MissedPage(known, outcome, same_as=str() as url):
                    await ledger.visit([alias(ledger.site, known, url, datetime.now(UTC), outcome.status)])
                    ledger.count(outcome)
                case Page(known=known, outcome=Outcome() as outcome) | MissedPage(known, outcome):
                    assert known is not None
                    ledger.failed(urlsplit(known.url).netloc, outcome.reason or "failed")
                    await ledger.visit([visit_of_failure(ledger.site, known, outcome, datetime.now(UTC))])
                    ledger.count(outcome)
        finally:
            if isinstance(item, Page | MissedPage) and item.known is not None:
                ledger.under_way.done(item.known.url)
        return item


class OutcomePipeline:
    """Turns what spiders yield into what Scrapy's feed exports (`-o FILE`) write: outcomes, as `save --json` prints."""

    async def process_item(self, item: Any) -> Any:
        match item:
            case Page(outcome=Outcome() as outcome, told=True) | MissedPage(outcome=outcome, told=True):
                return outcome_json(outcome)
            case Outcome():
                return outcome_json(item)
            case Page() | MissedPage():
                raise DropItem("nothing more can be written")
        return item

"""Item pipeline: a fetched page is extracted in a worker process, and every URL's outcome is told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from crawler.outcomes import page_outcome
from crawler.session import Session, session_of
from storage.model import Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.recorder import Recorded

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """An answered request, as spiders yield it; `url` is the address as it was given."""

    url: str
    recorded: Recorded


class ArchivePipeline:
    """Turns a `Page` into its outcome, and reports outcomes, in the order in which they are ready."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(session_of(crawler))

    async def process_item(self, item: Any) -> Any:
        match item:
            case Page(url, recorded):
                await self._session.report(await self._outcome(url, recorded))
            case Outcome():
                await self._session.report(item)
        return item

    async def _outcome(self, url: str, recorded: Recorded) -> Outcome:
        try:
            return page_outcome(url, recorded, await self._session.extract(recorded))
        except Exception as error:
            # A URL without an outcome would be lost unseen.
            logger.exception("no outcome of %s", url)
            return Outcome(url, "failed", f"a fault of ours: {error!r}")

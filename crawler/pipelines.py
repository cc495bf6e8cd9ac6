"""Item pipeline: a fetched page is extracted in a worker process, and every URL's outcome is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from crawler.outcomes import page_outcome
from crawler.session import Session, session_of
from storage.model import Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.recorder import Recorded


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
                extraction = await self._session.extract(recorded)
                await self._session.report(page_outcome(url, recorded, extraction))
            case Outcome():
                await self._session.report(item)
        return item

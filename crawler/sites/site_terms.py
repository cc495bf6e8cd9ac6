"""A site's tdmrep.json, asked for once a host and day behind the articles, so that the archive has it as it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request

from crawler.sites.items import ANONYMOUS
from storage.errors import InvalidURL, StoreUnavailable
from storage.rights.tdmrep import PATH
from storage.urls import normalize

if TYPE_CHECKING:
    from storage.index.index import Index

#: Not asked for again when the archive has an answer that is younger, whatever it was.
_FRESH = timedelta(days=1)
#: Hosts of a run that are asked, and what is fetched before it: articles and their requisites.
_HOSTS_MOST, _LAST = 50, -100


class TermsRequests:
    """Says of an answered page what is to be asked of its host; of each host once a run."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._seen: set[str] = set()

    async def of_page(self, url: str) -> Request | None:
        """A request for the tdmrep.json of a page's host; `None` where it is not due."""
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}{PATH}"
        if address in self._seen or len(self._seen) >= _HOSTS_MOST:
            return None
        self._seen.add(address)
        if await asyncio.to_thread(self._is_held, address):
            return None
        # What becomes of it is in the WARC; a site without one is the rule, and no trouble.
        return Request(
            address,
            callback=_nothing,
            errback=_nothing,
            priority=_LAST,
            dont_filter=True,
            meta={"dont_retry": True, ANONYMOUS: True},
        )

    def _is_held(self, address: str) -> bool:
        try:
            held = self._index.latest(normalize(address))
        except (InvalidURL, StoreUnavailable):
            return True
        return held is not None and datetime.now(UTC) - held.timestamp < _FRESH


def _nothing(_: Any) -> None:
    """Takes an answer, or that there was none."""

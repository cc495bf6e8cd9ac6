"""What a page needs to be seen as it was: pictures, styles with what they import, scripts, fonts, icons."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scrapy import Request

from crawler.discovery import requisites_of, requisites_of_css
from crawler.frontier.clock import is_ahead
from crawler.session.recorder import recorded_for
from storage.errors import InvalidURL, StoreUnavailable
from storage.http import ContentError, HttpMessage
from storage.urls import normalize

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from crawler.session.recorder import RecordedExchange
    from storage.index.index import Index
    from storage.model import Capture

#: Not fetched again when the archive holds a capture that is younger.
_FRESH = timedelta(days=30)
#: Of one page and its styles, and of a run.
_MOST_A_PAGE, _MOST_A_RUN = 300, 100_000
#: Styles that import styles.
_DEPTH = 3
#: Bytes of a page or style that are looked through.
_MAX_BYTES = 16 * 1024 * 1024


class Requisites:
    """The requisites of one run, each fetched once; `counts` by outcome: archived, unchanged, held, refused, failed."""

    def __init__(self, index: Index, priority: int) -> None:
        """`priority` is that of the requests, against 0 of the pages'."""
        self.counts: Counter[str] = Counter()
        self._index = index
        self._priority = priority
        self._seen: set[str] = set()

    async def of_page(self, recorded: RecordedExchange) -> AsyncIterator[Request]:
        """Yield requests for what an answered page needs and the archive lacks."""
        message = HttpMessage.parse(recorded.exchange.response)
        capture = recorded.capture
        if capture is None or capture.is_revisit or not 200 <= (message.status or 0) < 300:
            return
        room = [_MOST_A_PAGE]
        for url in await asyncio.to_thread(self._lacking, message, capture.url, False):
            if request := self._request(url, room, 0):
                yield request

    async def _answered(self, response: Response, room: list[int], depth: int) -> AsyncIterator[Request]:
        recorded = recorded_for(response)
        message = HttpMessage.parse(recorded.exchange.response)
        if not 200 <= response.status < 300:
            self.counts["failed"] += 1
            return
        self.counts["unchanged" if recorded.capture and recorded.capture.is_revisit else "archived"] += 1
        if message.media_type != "text/css" or depth >= _DEPTH:
            return
        for url in await asyncio.to_thread(self._lacking, message, response.url, True):
            if request := self._request(url, room, depth + 1):
                yield request

    def _failed(self, failure: Failure) -> None:
        from crawler.session.outcomes import failed_outcome

        request: Request = failure.request  # type: ignore[attr-defined]
        assert failure.value is not None
        self.counts[failed_outcome(request.url, request, failure.value).outcome] += 1

    def _request(self, url: str, room: list[int], depth: int) -> Request | None:
        """A request for what no page of the run has asked for; `room` is what is left to its page."""
        if url in self._seen:
            return None
        if room[0] <= 0 or len(self._seen) >= _MOST_A_RUN:
            self.counts["left out"] += 1
            return None
        room[0] -= 1
        self._seen.add(url)
        return Request(
            url,
            callback=self._answered,
            errback=self._failed,
            cb_kwargs={"room": room, "depth": depth},
            priority=self._priority,
            dont_filter=True,
        )

    def _lacking(self, message: HttpMessage, url: str, is_css: bool) -> list[str]:
        """What a page or style names that the run has not asked for and the archive does not hold; in a thread."""
        try:
            content = message.content(_MAX_BYTES)
        except ContentError:
            return []
        kind = message.header("content-type")
        named = requisites_of_css(content, url, kind) if is_css else requisites_of(content, url, kind)
        lacking = []
        for each in _normalized(named):
            if each in self._seen:
                continue
            if self._is_held(each):
                self._seen.add(each)
                self.counts["held"] += 1
            else:
                lacking.append(each)
        return lacking

    def _is_held(self, url: str) -> bool:
        try:
            capture = self._index.latest(url, accept=_succeeded)
        except StoreUnavailable:
            return False
        now = datetime.now(UTC)
        return capture is not None and capture.timestamp > now - _FRESH and not is_ahead(capture.timestamp, now)


def _normalized(urls: Iterable[str]) -> Iterable[str]:
    for url in urls:
        try:
            yield normalize(url)
        except InvalidURL:
            continue


def _succeeded(capture: Capture) -> bool:
    return capture.status is not None and 200 <= capture.status < 400

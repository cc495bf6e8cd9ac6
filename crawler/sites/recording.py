"""A crawl of somebody else's spider as it is recorded: what came into the WARC, and the texts made meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.session.recorder import RecordedExchange
    from crawler.session.session import Session

#: Pages that wait for a worker or have one, a worker; the texts of more are made when their WARC is sealed.
_AHEAD = 2


class Recording:
    """Its methods belong to the event loop; the session stays the caller's to close."""

    def __init__(self, session: Session) -> None:
        self.session = session
        #: Captures by kind: "responses", "revisits", and how many of them are "truncated".
        self.counts: Counter[str] = Counter()
        self._at_once = _AHEAD * session.options.workers if session.options.has_text else 0
        self._extracting: set[asyncio.Task[None]] = set()

    def recorded(self, recorded: RecordedExchange) -> None:
        """Count an exchange that is in the WARC; its text is made meanwhile, where there is room."""
        capture = recorded.capture
        if capture is None:
            return
        self.counts["revisits" if capture.is_revisit else "responses"] += 1
        self.counts["truncated"] += recorded.exchange.truncated is not None
        # The crawl never waits for a text: how fast it goes is not ours to say.
        if len(self._extracting) < self._at_once and not capture.url.endswith("/robots.txt"):
            task = asyncio.ensure_future(self._extract(recorded))
            self._extracting.add(task)
            task.add_done_callback(self._extracting.discard)

    async def settle(self) -> None:
        """Return when no text is being made any more."""
        await asyncio.gather(*self._extracting)

    async def _extract(self, recorded: RecordedExchange) -> None:
        try:
            await self.session.extract(recorded)
        except Exception as error:
            self.session.note_fault(error)


Begin = Callable[[], Awaitable[Recording]]
_begun: WeakKeyDictionary[Crawler, Begin] = WeakKeyDictionary()


def begin_with(crawler: Crawler, begin: Begin | None) -> None:
    """Have `recording_of` give what `begin` returns, however often it is called; `None` when the crawl has ended."""
    if begin is None:
        _begun.pop(crawler, None)
    else:
        _begun[crawler] = begin


async def recording_of(crawler: Crawler) -> Recording:
    """The recording of a crawler, begun now where it was not yet; raises `NewskeepError` where that fails."""
    return await _begun[crawler]()

"""The order of requests: only those leave the scheduler whose host may be asked now.

Scrapy's own queue hands out requests of a host that is busy, slow or dead too. They wait in the downloader, count as
requests under way, and once they are `CONCURRENT_REQUESTS`, no other host is asked and no list is read further. Here
they stay where they cost nothing. To wake the engine takes a private name of Scrapy; crawler/engine/handler.py says
where others are.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scrapy.pqueues import DownloaderAwarePriorityQueue
from scrapy.utils.httpobj import urlparse_cached

from crawler.sites.context import context_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


def host_of(request: Request) -> str:
    """Host and port as in the URL's authority: what has a robots.txt, and what is asked one at a time."""
    return urlparse_cached(request).netloc.rpartition("@")[2].lower()


class HostQueue(DownloaderAwarePriorityQueue):
    """A queue a host, taken in turn; within a host by priority. For SCHEDULER_PRIORITY_QUEUE."""

    def __init__(self, crawler: Crawler, *arguments: Any, **options: Any) -> None:
        super().__init__(crawler, *arguments, **options)
        self._engine: Any = crawler.engine
        self._gate = context_of(crawler).session.gate
        self._at_once = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") or 1
        self._timer: asyncio.TimerHandle | None = None

    def push(self, request: Request) -> None:
        # Scrapy would file a redirect to another host under the host that it came from.
        request.meta["download_slot"] = host_of(request)
        super().push(request)

    def pop(self) -> Request | None:
        """The next request of a host that may be asked; `None` while there is none, and then wakes the engine."""
        # By what `push` has noted: this is asked for all that is under way, at every request.
        active = self._engine.downloader.active
        under_way = Counter(request.meta.get("download_slot") or host_of(request) for request in active)
        soonest = math.inf
        for host in self.pqueues:
            if under_way[host] < self._at_once:
                wait = self._gate.ready_in(host)
                if wait <= 0:
                    return self._take(host)
                soonest = min(soonest, wait)
        if self.pqueues:
            self._wake_in(soonest)
        return None

    def peek(self) -> Request | None:
        raise NotImplementedError

    def close(self) -> dict[str, list[int]]:
        if self._timer is not None:
            self._timer.cancel()
        return super().close()

    def _take(self, host: str) -> Request | None:
        queue = self.pqueues.pop(host)
        request = queue.pop()
        if len(queue):
            # To the end of the row.
            self.pqueues[host] = queue
        else:
            queue.close()
        return request

    def _wake_in(self, seconds: float) -> None:
        # Of what this crawler has under way the engine hears itself; of a host busy for another crawler it does not.
        self._gate.when_free(self._wake)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds < math.inf:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        with suppress(AttributeError):  # the engine has no slot before the spider is open and after it is closed
            self._engine._slot.nextcall.schedule()

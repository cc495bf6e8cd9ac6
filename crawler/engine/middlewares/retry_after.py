"""Hosts that ask for time: 429 and 503, with Retry-After or without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy.http.request import NO_CALLBACK

from crawler.engine.host_queue import host_of
from crawler.politeness.errors import HostLeftAlone
from crawler.politeness.host_gate import WAIT_STATUSES, HostGate
from crawler.sites.context import context_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

#: In a request's meta: it was answered with a 429 or 503 and is asked for the last time.
ASKED_AGAIN = "asked_again"


class RetryAfterMiddleware:
    """Asks once more, when the host's wait is over; does not ask hosts that are left alone.

    The host's gate has read the answer already, so the wait holds for all requests to the host.
    """

    def __init__(self, gate: HostGate) -> None:
        self._gate = gate

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(context_of(crawler).session.gate)

    def process_request(self, request: Request) -> None:
        if reason := self._gate.left_alone(host_of(request)):
            raise HostLeftAlone(reason)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if response.status not in WAIT_STATUSES or request.callback is NO_CALLBACK:
            # Who asks without a callback (for robots.txt) holds a place in the downloader and must not wait there.
            return response
        return again(request, self._gate) or response


def again(request: Request, gate: HostGate) -> Request | None:
    """The request once more, for the scheduler; `None` if it was that already, or its host is left alone."""
    if ASKED_AGAIN in request.meta or gate.left_alone(host_of(request)):
        return None
    copy = sooner(request)
    copy.meta[ASKED_AGAIN] = True
    return copy


def sooner(request: Request) -> Request:
    """The same request for the scheduler, before others of its host: it was first."""
    return request.replace(dont_filter=True, priority=request.priority + 1)

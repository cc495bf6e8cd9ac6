"""Obeys robots.txt."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from crawler.engine.host_queue import host_of
from crawler.engine.middlewares.retry_after import again, sooner
from crawler.politeness.errors import HostLeftAlone, HostUnreachable, Refused
from crawler.politeness.host_gate import WAIT_STATUSES
from crawler.politeness.robots import ROBOTS_MAX_BYTES, UNREACHABLE_SECONDS, Rules, holds_for, parsed
from crawler.session.recorder import recorded_for
from crawler.session.session import Session
from crawler.sites.context import context_of
from crawler.sites.items import ANONYMOUS
from storage.errors import SpoolError
from storage.http import ContentError, HttpMessage

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response


#: Seconds that a request may wait for its host in the downloader, where it takes the place of another.
_SHORTLY = 0.2


class RobotsMiddleware:
    """Obeys robots.txt as RFC 9309 has it: 4xx allows all, 5xx allows nothing, redirects lead to other hosts too.

    429 counts as 5xx. A host that cannot be reached fails its requests with the reason. Crawl-delay, up to `max_delay`
    seconds, goes to the host's gate.
    """

    def __init__(self, crawler: Crawler, session: Session, user_agent: str, max_delay: float) -> None:
        self._crawler = crawler
        self._rules = session.rules
        self._gate = session.gate
        self._user_agent = user_agent
        self._max_delay = max_delay

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        settings = crawler.settings
        token, longest = settings["ROBOTSTXT_USER_AGENT"], settings.getfloat("CRAWL_DELAY_MAX")
        return cls(crawler, context_of(crawler).session, token, longest)

    async def process_request(self, request: Request) -> Request | None:
        if request.meta.get("dont_obey_robotstxt"):
            return None
        url = urlparse_cached(request)
        origin = f"{url.scheme}://{url.netloc}"
        rules = await self._rules.of(origin, lambda: self._learn(origin, host_of(request)))
        if rules.wait and (later := again(request, self._gate)):
            return later
        rules.check(request.url, self._user_agent)
        if request.callback is not NO_CALLBACK and self._gate.ready_in(host_of(request)) > _SHORTLY:
            # Asked for robots.txt just now, the host wants a pause: the request waits for it in the scheduler.
            return sooner(request)
        return None

    async def _learn(self, origin: str, host: str) -> Rules:
        if kept := await self._rules.recall(origin):
            return await self._read(kept[0], host, kept[1])
        return await self._fetch(origin, host)

    async def _fetch(self, origin: str, host: str) -> Rules:
        request = Request(
            f"{origin}/robots.txt",
            callback=NO_CALLBACK,
            priority=1000,
            dont_filter=True,
            # dont_obey_robotstxt: the rules of robots.txt do not apply to itself, nor to where it redirects.
            meta={"dont_obey_robotstxt": True, ANONYMOUS: True},
        )
        soon = time.monotonic() + UNREACHABLE_SECONDS
        try:
            response = await self._crawler.engine.download_async(request)
        except Refused as error:
            return Rules(refusal=f"robots.txt {error}")
        except (HostLeftAlone, SpoolError) as error:
            return Rules(unreachable=HostUnreachable(error), until=soon)
        except IgnoreRequest:
            # Too many redirects count as unavailable (RFC 9309, 2.3.1.2).
            return Rules()
        except Exception as error:
            timeout = request.meta.get("download_timeout", 0.0)
            return Rules(unreachable=HostUnreachable(error, timeout), until=soon)
        if response.status >= 500 or response.status == 429:
            wait = response.status in WAIT_STATUSES
            refusal = f"robots.txt answered {response.status}, which forbids all (RFC 9309)"
            return Rules(refusal=refusal, wait=wait, until=time.monotonic() if wait else soon)
        return await self._answered(response, origin, host)

    async def _answered(self, response: Response, origin: str, host: str) -> Rules:
        message = HttpMessage.parse(recorded_for(response).exchange.response)
        seconds = holds_for(message, datetime.now(UTC))
        try:
            # Another status than success allows all (RFC 9309, 2.3.1.1 and .3).
            content = message.content(ROBOTS_MAX_BYTES * 8) if 200 <= response.status < 300 else b""
        except ContentError as error:
            return Rules(refusal=f"robots.txt cannot be read: {error}", until=time.monotonic() + seconds)
        await self._rules.remember(origin, content, seconds)
        return await self._read(content, host, seconds)

    async def _read(self, content: bytes, host: str, seconds: float) -> Rules:
        parser = await parsed(content, self._user_agent)
        if delay := parser.crawl_delay(self._user_agent):
            self._gate.crawl_delay(host, min(float(delay), self._max_delay))
        return Rules(parser, until=time.monotonic() + seconds)

"""What happens to requests and responses between the engine and the wire."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from storage.errors import InvalidURL
from storage.http import ContentError, HttpMessage
from storage.urls import normalize

if TYPE_CHECKING:
    from protego import Protego
    from scrapy.crawler import Crawler
    from scrapy.http import Response

#: Hosts whose rules are kept; a list of a hundred thousand hosts must not fill the memory.
_RULES_KEPT = 5_000
#: How long a host that did not answer is left alone.
_UNREACHABLE_SECONDS = 300.0
#: Bytes of robots.txt that count; the RFC asks for at least 500 KiB.
_ROBOTS_MAX_BYTES = 512 * 1024


class Refused(IgnoreRequest):
    """A request that is not sent; the message is the reason a person is told."""


class HostUnreachable(IgnoreRequest):
    """A request that is not sent because its host did not answer for robots.txt; `cause` is what happened there."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class RedirectPolicy(RedirectMiddleware):
    """Follows redirects to http and https; a target of another kind, or with credentials in it, is refused."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        result = super().process_response(request, response)
        if isinstance(result, Request):
            try:
                normalize(result.url)
            except InvalidURL as error:
                raise Refused(f"redirects to an address that is refused: {error}") from error
        elif response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
            scheme = (response.headers["Location"] or b"").partition(b":")[0].decode("latin-1")
            raise Refused(f"redirects to an address that is not http: {scheme}")
        return result


class ProxyMiddleware:
    """Sends every request through the proxy of the configuration; Scrapy's own does the rest of the work."""

    def __init__(self, proxy: str) -> None:
        self._proxy = proxy

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        proxy = crawler.settings.get("PROXY")
        if not proxy:
            raise NotConfigured
        return cls(proxy)

    def process_request(self, request: Request) -> None:
        request.meta.setdefault("proxy", self._proxy)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a host's robots.txt allows: its parsed rules, or why everything or nothing is allowed."""

    parser: Protego | None = None
    refusal: str | None = None
    unreachable: Exception | None = None
    #: On the monotonic clock, in seconds.
    until: float = math.inf

    def check(self, url: str, user_agent: str) -> None:
        if self.refusal is not None:
            raise Refused(self.refusal)
        if self.unreachable is not None:
            # Not retried: the attempts were made for robots.txt, and the other URLs of the host need not wait for more.
            raise HostUnreachable(self.unreachable)
        if self.parser is not None and not self.parser.can_fetch(url, user_agent):
            raise Refused("robots.txt")


class RobotsMiddleware:
    """Obeys robots.txt as RFC 9309 has it: 4xx allows all, 5xx allows nothing, redirects are followed.

    A host that cannot be reached fails its requests with the reason. Crawl-delay, up to `max_delay` seconds, becomes
    the delay between requests to the host.
    """

    def __init__(self, crawler: Crawler, user_agent: str, max_delay: float) -> None:
        self._crawler = crawler
        self._user_agent = user_agent
        self._max_delay = max_delay
        self._rules: OrderedDict[str, asyncio.Future[_Rules]] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        settings = crawler.settings
        return cls(crawler, settings["ROBOTSTXT_USER_AGENT"], settings.getfloat("CRAWL_DELAY_MAX"))

    async def process_request(self, request: Request) -> None:
        if not request.meta.get("dont_obey_robotstxt"):
            (await self._rules_for(request)).check(request.url, self._user_agent)

    async def _rules_for(self, request: Request) -> _Rules:
        url = urlparse_cached(request)
        origin = f"{url.scheme}://{url.netloc}"
        known = self._rules.get(origin)
        if known is None or (known.done() and known.result().until < time.monotonic()):
            self._rules[origin] = asyncio.ensure_future(self._fetch(origin, request))
            while len(self._rules) > _RULES_KEPT:
                self._rules.popitem(last=False)
        self._rules.move_to_end(origin)
        return await asyncio.shield(self._rules[origin])

    async def _fetch(self, origin: str, page: Request) -> _Rules:
        request = Request(
            f"{origin}/robots.txt",
            callback=NO_CALLBACK,
            priority=1000,
            dont_filter=True,
            # dont_obey_robotstxt: the rules of robots.txt do not apply to itself, nor to where it redirects.
            meta={"dont_obey_robotstxt": True},
        )
        try:
            response = await self._crawler.engine.download_async(request)
        except Refused as error:
            return _Rules(refusal=str(error))
        except IgnoreRequest:
            # Too many redirects count as unavailable (RFC 9309, 2.3.1.2).
            return _Rules()
        except Exception as error:
            return _Rules(unreachable=error, until=time.monotonic() + _UNREACHABLE_SECONDS)
        if response.status >= 500:
            return _Rules(refusal=f"robots.txt answered {response.status}, which forbids all (RFC 9309)")
        if response.status != 200:
            return _Rules()
        return self._parse(response, page)

    def _parse(self, response: Response, page: Request) -> _Rules:
        from protego import Protego

        recorded = response.meta["recorded"]
        try:
            body = HttpMessage.parse(recorded.exchange.response).content(_ROBOTS_MAX_BYTES * 8)
        except ContentError as error:
            return _Rules(refusal=f"robots.txt cannot be read: {error}")
        parser = Protego.parse(body[:_ROBOTS_MAX_BYTES].decode("utf-8", "replace").lstrip("\ufeff"))
        if delay := parser.crawl_delay(self._user_agent):
            self._slow_down(page, min(float(delay), self._max_delay))
        return _Rules(parser)

    def _slow_down(self, page: Request, delay: float) -> None:
        """Set the delay of the host's download slot, now and for when Scrapy makes it anew."""
        downloader = self._crawler.engine.downloader
        key = downloader.get_slot_key(page)
        downloader.per_slot_settings[key] = {"concurrency": 1, "delay": delay, "jitter": 0.1}
        if slot := downloader.slots.get(key):
            slot.concurrency, slot.delay, slot.jitter = 1, delay, 0.1

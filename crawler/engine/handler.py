"""The recording download handler: every exchange as it was on the wire, in the WARC before anyone sees the response.

Scrapy's HTTP/1.1 handler does the fetching; its protocol class is subclassed (recording_protocol.py) to copy what is
written to and read from the transport. It uses private names of Scrapy and Twisted, as recording_protocol.py,
response_parser.py, public_endpoints.py and host_queue.py beside it and redirects.py and proxy.py of middlewares/ do;
pyproject.toml holds both to the versions they were tested with, and tests/crawl/test_capture.py compares every byte
with what a raw socket sent.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers import http11
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import ConnectError
from twisted.web.client import Agent
from twisted.web.http_headers import Headers as TxHeaders

from crawler.engine.host_queue import host_of
from crawler.engine.large_responses import LARGE_BYTES
from crawler.engine.middlewares.redirects import chain_cookies
from crawler.engine.proxied import check_host, proxy_failure
from crawler.engine.public_endpoints import PublicEndpoints
from crawler.engine.recording_protocol import ATTEMPT_HEADER, Attempt, RecordingFactory, attempts, large_responses
from crawler.engine.redaction import is_private, redact
from crawler.engine.response_parser import FRAMING_BYTES, HEAD_MAX_BYTES
from crawler.engine.signing import signed_fields
from crawler.engine.socks import SocksEndpoints
from crawler.engine.tls import TLSPolicy, handshake_failure
from crawler.engine.wire import exchange_of
from crawler.identity import Identity, identity_of
from crawler.identity.signatures import FIELDS
from crawler.politeness.proxies import is_socks
from crawler.session.page_extraction import is_whole
from crawler.sites.context import context_of
from crawler.sites.items import ANONYMOUS, TWIN_OF, UNRECORDED

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred

    from crawler.session.recorder import RecordedExchange
    from crawler.subscriptions.subscription import Subscription
    from storage.model import Exchange

#: More than a body may have that may come, as a share of it, for its framing: chunk sizes, trailers.
_FRAMING_SHARE = 0.25
#: What happens to a request to a host that is not there.
_SILENT: dict[type[Exception], str] = {
    CannotResolveHostError: "name not found",
    DownloadConnectionRefusedError: "connection refused",
    DownloadTimeoutError: "timed out",
    ConnectError: "no connection",
}
#: Seconds behind the time limit after which a server that never pauses is cut off.
_GRACE_SECONDS = 1.0
#: How long an idle connection is kept for the next request to its host.
KEPT_SECONDS = 10


#: In a request's meta: it, or one that redirected to it, was sent with secrets.
_PRIVATE = "private"
_numbers = itertools.count(1)


class _RecordingAgent(http11._ScrapyAgent):
    """Scrapy's agent whose requests carry the number of their attempt to the connection."""

    def __init__(
        self,
        number: bytes,
        fields: Iterable[tuple[bytes, bytes]],
        identity: Identity | None,
        allow_private: bool,
        trusts_proxy: bool,
        **kwargs: Any,
    ) -> None:
        """`fields` are added to the request here: what Scrapy does not know it can neither log nor redirect.

        So is the signature of `identity`, made for each request as it goes out: retries and redirects have their own.
        """
        self._trusts_proxy = allow_private or trusts_proxy
        super().__init__(**kwargs)
        self._number = number
        self._fields = fields
        self._identity = identity
        self._allow_private = allow_private

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        proxy = request.meta.get("proxy") or ""
        if is_socks(proxy):
            agent = super()._get_agent(request.replace(meta={**request.meta, "proxy": None}), timeout)
            agent._endpointFactory = SocksEndpoints(agent._endpointFactory, proxy, not self._trusts_proxy)
        else:
            agent = super()._get_agent(request, timeout)
        if not (self._allow_private or request.meta.get("proxy")):
            agent._endpointFactory = PublicEndpoints(agent._endpointFactory)
        send = agent.request

        def tagged(method: bytes, uri: bytes, headers: TxHeaders, body: Any = None) -> Deferred[Any]:
            headers.setRawHeaders(ATTEMPT_HEADER, [self._number])
            for name, value in self._fields:
                headers.setRawHeaders(name, [value])
            if self._identity is not None:
                for name, value in signed_fields(self._identity, method, uri, headers):
                    headers.setRawHeaders(name, [value])
            return send(method, uri, headers, body)

        # On the instance: Scrapy asks the agent's class for its kind.
        agent.request = tagged  # type: ignore[method-assign,assignment]
        return agent


class RecordingHandler(http11.HTTP11DownloadHandler):
    """Downloads over HTTP/1.1 and hands every exchange to the session before it returns or raises.

    Leaves the last exchange and its capture for `recorded_of`. What the session raises (a WARC that cannot
    be written) goes on to the caller: no response is seen whose record is not in the WARC.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._configure(crawler)

    def _configure(self, crawler: Crawler) -> None:
        """Set the rules of our own crawls: whom we ask, whom we believe, how long we wait, what we keep."""
        self._context = context_of(crawler)
        self._session = self._context.session
        self._pool._factory = RecordingFactory
        # Twisted's 240 s would hold a socket for each of thousands of hosts.
        self._pool.cachedConnectionTimeout = KEPT_SECONDS
        # On a kept connection that is dead Twisted would send again at once; the retry waits for the host's turn.
        self._pool.retryAutomatically = False
        # Whether an answer that was cut is whole all the same is decided in _leave.
        self._fail_on_dataloss = False
        self._allow_private = crawler.settings.getbool("ALLOW_PRIVATE_ADDRESSES")
        self._trust_proxy = crawler.settings.getbool("TRUST_PROXY")
        self._contextFactory: Any = TLSPolicy(crawler.settings.getbool("INSECURE"), crawler.settings.get("CA_FILE"))
        self._identity = identity_of(*(crawler.settings.get(name) for name in ("SIGNING_KEY", "SIGNATURE_AGENT")))
        # Who ignores robots.txt ignores this rule for robots, too.
        self._refuse_noarchive = crawler.settings["NOARCHIVE"] == "refuse" and crawler.settings.getbool(
            "ROBOTSTXT_OBEY"
        )
        self._delay = crawler.settings.getfloat("DOWNLOAD_DELAY")
        self._timeout = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")

    async def download_request(self, request: Request) -> Response:
        # The record is part of the turn: when it cannot be written, nothing more is asked for.
        async with self._session.gate.turn(host_of(request), self._delay) as turn:
            request.meta.pop("recorded", None)
            try:
                response = await self._fetch(request, turn.check)
            except tuple(_SILENT) as error:
                turn.silent(next(told for kind, told in _SILENT.items() if isinstance(error, kind)))
                raise
            field = response.headers.get("Retry-After", b"") or b""
            turn.answered(response.status, field.decode("latin-1"), request.meta.get("download_latency", 0.0))
            return response

    async def _fetch(self, request: Request, may_send: Callable[[], None] = lambda: None) -> Response:
        number = b"%d" % next(_numbers)
        attempt = attempts[number] = self._attempt(request, may_send)
        try:
            return await self._recorded(request, number, attempt)
        finally:
            large_responses.ended(attempt)

    async def _recorded(self, request: Request, number: bytes, attempt: Attempt) -> Response:
        response = error = None
        try:
            response = await self._download(request, number, attempt)
        except Exception as caught:
            error = attempt.lost or caught
        finally:
            del attempts[number]
        if request.meta.get(UNRECORDED):
            if response is None:
                raise error or ResponseDataLossError()
            return response
        asked = next(iter(request.meta.get("redirect_urls", ())), None)
        for wire in attempt.wires:
            if wire.secured is None and request.url.startswith("https:"):
                continue  # the handshake was not completed: nothing was sent
            last = wire is attempt.wires[-1]
            exchange = await self._redacted(exchange_of(wire, request.url, response if last else None, error), request)
            recorded = await self._session.record(
                exchange, asked, self._refuse_noarchive, twin_of=request.meta.get(TWIN_OF)
            )
            wire.received.clear()
            lost = self._leave(request, recorded)
            error = error or (lost if last else None)
        if error is not None:
            raise error
        assert response is not None
        if subscription := self._subscription(request):
            subscription.take(response, renewed_only=True)
        return response

    def _subscription(self, request: Request) -> Subscription | None:
        return None if request.meta.get(ANONYMOUS) else self._context.subscription

    async def _redacted(self, exchange: Exchange, request: Request) -> Exchange:
        """The exchange as it may be kept; where a request with secrets is sent on to is for one reader, too."""
        private = bool(request.meta.get(_PRIVATE))
        cookies = () if private else tuple(chain_cookies(request))
        subscription = self._subscription(request)
        known = tuple(subscription.secrets()) if subscription else ()
        ours = FIELDS if self._identity else frozenset()
        if len(exchange.response) > LARGE_BYTES:
            kept = await asyncio.to_thread(redact, exchange, cookies, known, private, ours)
        else:
            kept = redact(exchange, cookies, known, private, ours)
        if is_private(kept):
            request.meta[_PRIVATE] = True
        return kept

    def _leave(self, request: Request, recorded: RecordedExchange) -> Exception | None:
        """Have the spider find what was recorded; return what is raised for a response that is not whole."""
        recorded.leave_in(request)
        whole = is_whole(recorded.exchange.response, recorded.exchange.truncated)
        return None if whole else ResponseDataLossError()

    async def _download(self, request: Request, number: bytes, attempt: Attempt) -> Response:
        """Have Scrapy fetch; what it and Twisted raise of proxies and TLS is told as such."""
        if attempt.through_proxy and not (self._allow_private or self._trust_proxy):
            await check_host(urlparse_cached(request).hostname or "", attempt.deadline - time.monotonic())
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(self._agent(number, request).download_request(request))
        except Exception as error:
            if failure := handshake_failure(error.__cause__ or error):
                raise failure from error
            if attempt.through_proxy and not attempt.wires and (refusal := proxy_failure(error)):
                raise refusal from error
            raise

    def _attempt(self, request: Request, may_send: Callable[[], None]) -> Attempt:
        body = request.meta.get("download_maxsize", self._default_maxsize)
        timeout = request.meta.get("download_timeout", self._timeout)
        return Attempt(
            bool(request.meta.get("proxy")),
            self._allow_private,
            HEAD_MAX_BYTES + body + FRAMING_BYTES + int(body * _FRAMING_SHARE),
            time.monotonic() + timeout + _GRACE_SECONDS,
            may_send,
        )

    def _agent(self, number: bytes, request: Request) -> _RecordingAgent:
        subscription, url = self._subscription(request), request.url
        return _RecordingAgent(
            number,
            tuple(subscription.fields(url, request.headers.get("Cookie"))) if subscription else (),
            self._identity,
            self._allow_private,
            self._trust_proxy,
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )

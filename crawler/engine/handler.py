"""The recording download handler: every exchange as it was on the wire, in the WARC before anyone sees the response.

Scrapy's HTTP/1.1 handler does the fetching; its protocol class is subclassed to copy what is written to and read from
the transport. This is the only module that uses private names of Twisted, and one of three that use those of Scrapy;
pyproject.toml holds both to the versions it was tested with, and tests/crawl/test_capture.py compares every byte with
what a raw socket sent. The others are host_queue.py beside it and middlewares/redirects.py.
"""

from __future__ import annotations

import gc
import itertools
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from scrapy.core.downloader.handlers import http11
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from twisted.internet.protocol import connectionDone
from twisted.web._newclient import HEADER, STATUS, ParseError
from twisted.web.client import Agent
from twisted.web.http import _ChunkedTransferDecoder, _MalformedChunkedDataError, maxChunkSizeLineLength
from twisted.web.http_headers import Headers as TxHeaders
from zope.interface import implementer

from crawler.engine.host_queue import host_of
from crawler.engine.wire import Wire, exchange_of
from crawler.politeness.addresses import is_public
from crawler.politeness.errors import NotPublicAddress
from crawler.session.extraction_pool import is_whole
from crawler.session.reasons import TWO_LENGTHS
from crawler.sites.context import context_of
from storage.http import STATUS_LINE

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress, ITransport
    from twisted.python.failure import Failure
    from twisted.web.client import URI

#: Carries an attempt's number from the agent to the connection; taken off before anything is written.
_ATTEMPT_HEADER = b"X-Newskeep-Attempt"
#: A response is cut off when its heads, those of 1xx responses included, are larger than this, in bytes; servers' own
#: limits are 8 to 64 KB.
HEAD_MAX_BYTES = 256 * 1024
#: … or when more comes than a body may have and this share and these bytes for its framing: chunk sizes, trailers.
_FRAMING_SHARE, _FRAMING_BYTES = 0.25, 256 * 1024
#: Responses larger than this, in bytes, come in so many at a time; the others wait, and their servers with them.
_LARGE_BYTES, _LARGE_AT_ONCE = 4 * 1024 * 1024, 4
#: What happens to a request to a host that is not there.
_SILENT: dict[type[Exception], str] = {
    CannotResolveHostError: "name not found",
    DownloadConnectionRefusedError: "connection refused",
    DownloadTimeoutError: "timed out",
    ConnectError: "no connection",
}
#: Seconds behind the time limit after which a server that never pauses is cut off.
_GRACE_SECONDS = 1.0
#: A field's name (RFC 9110, 5.6.2).
_FIELD_NAME = re.compile(rb"[\w!#$%&'*+.^`|~-]+")
#: How long an idle connection is kept for the next request to its host.
KEPT_SECONDS = 10


@dataclass(slots=True, eq=False)
class _Attempt:
    """One download and its wire; none where no connection came about."""

    through_proxy: bool
    allow_private: bool
    #: Bytes that may come.
    limit: int
    #: By the clock of `time.monotonic`; Twisted's own timer is not heard by a server that never pauses.
    deadline: float
    wires: list[Wire] = field(default_factory=list)


_attempts: dict[bytes, _Attempt] = {}
_numbers = itertools.count(1)


class _LargeResponses:
    """Keeps what is held in memory at once within bounds, however many hosts send without end.

    A response holds its place until it is in the WARC, which may be behind.
    """

    def __init__(self) -> None:
        self._coming: set[_Attempt] = set()
        #: With the transport that was told to wait.
        self._waiting: dict[_Attempt, Any] = {}

    def grown(self, attempt: _Attempt, transport: Any) -> None:
        """A large response has grown: it goes on, or waits for another one to end."""
        if attempt in self._coming or attempt in self._waiting:
            return
        if len(self._coming) < _LARGE_AT_ONCE:
            self._admit(attempt)
        else:
            self._waiting[attempt] = transport
            transport.pauseProducing()

    def ended(self, attempt: _Attempt) -> None:
        """A response is recorded, or given up."""
        self._waiting.pop(attempt, None)
        self._coming.discard(attempt)
        while self._waiting and len(self._coming) < _LARGE_AT_ONCE:
            following, transport = next(iter(self._waiting.items()))
            del self._waiting[following]
            self._admit(following)
            transport.resumeProducing()

    def _admit(self, attempt: _Attempt) -> None:
        # Failures are in cycles with the bodies they came by, and the collector counts objects, not bytes.
        gc.collect()
        self._coming.add(attempt)


_large_responses = _LargeResponses()


class _TeeTransport:
    """Passes everything on to the real transport and copies what is written while a wire is open."""

    def __init__(self, transport: ITransport, protocol: RecordingProtocol) -> None:
        self.__dict__.update(_transport=transport, _protocol=protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._transport, name, value)

    def write(self, data: bytes) -> None:
        wire = self._protocol.wire
        if wire is not None:
            wire.sent += data
        self._transport.write(data)

    def writeSequence(self, pieces: Iterable[bytes]) -> None:  # noqa: N802 - Twisted's name
        self.write(b"".join(pieces))


class _LenientChunks(_ChunkedTransferDecoder):
    """Takes spaces around a chunk's size, and any extension, as browsers do; Twisted fails such a response.

    One whose framing outweighs its content is none that a server sends in good faith, and takes long to take apart.
    """

    _framing = _content = 0

    def _dataReceived_CHUNK_LENGTH(self) -> bool:  # noqa: N802
        end = self._buffer.find(b"\r\n", self._start)
        if 0 <= end < maxChunkSizeLineLength:
            self._buffer[:end] = self._buffer[:end].partition(b";")[0].strip()
            self._start = 0
        is_read = bool(super()._dataReceived_CHUNK_LENGTH())
        if is_read:
            self._framing += end + len(b"\r\n\r\n")
            self._content += self.length
            if self._framing > _FRAMING_BYTES + self._content:
                raise _MalformedChunkedDataError("more framing than content")
        return is_read


class _Parser(http11._LenientHTTPClientParser):
    """Reads the heads that browsers read; Twisted fails many of them."""

    _transferDecoders = {b"chunked": _LenientChunks}  # noqa: N815
    # Real heads exceed Twisted's 16 KB a line; the whole head is bounded by RecordingProtocol.
    MAX_LENGTH = HEAD_MAX_BYTES
    state: str
    _partialHeader: list[bytes] | None  # noqa: N815

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if self.state == STATUS and not line.strip():
            return  # an empty line before the answer (RFC 9112, 2.2)
        if self.state == HEADER and self._partialHeader is None:
            # Folded, but there is nothing before that it goes on with.
            line = line.lstrip(b" \t")
        super().lineReceived(line)

    def statusReceived(self, status: bytes) -> None:  # noqa: N802
        if match := STATUS_LINE.match(status):
            # One form: double spaces, no minor version or lower case make no difference.
            status = b"HTTP/1.%d %b %b" % (match[1] != b"1.0", match[2], match[3] or b"")
        super().statusReceived(status)

    def headerReceived(self, name: bytes, value: bytes) -> None:  # noqa: N802
        # Blanks before the colon have to be removed (RFC 9112, 5.1); what is then no name is passed over.
        if _FIELD_NAME.fullmatch(name := name.strip(b" \t")):
            super().headerReceived(name, value)

    def allHeadersReceived(self) -> None:  # noqa: N802
        fields = self.connHeaders
        codings = [
            coding.partition(b";")[0].strip().lower()
            for value in fields.getRawHeaders(b"Transfer-Encoding", [])
            for coding in value.split(b",")
        ]
        fields.removeHeader(b"Transfer-Encoding")
        if b"chunked" in codings:
            fields.setRawHeaders(b"Transfer-Encoding", [b"chunked"])
        elif lengths := fields.getRawHeaders(b"Content-Length"):
            # Said twice it is said once (RFC 9112, 6.3); no number says nothing: the connection's end counts.
            said = {length.strip() for value in lengths for length in value.split(b",")}
            said = {length for length in said if length.isdigit()}
            if len(said) > 1:
                raise ParseError(TWO_LENGTHS, b", ".join(sorted(said)))
            fields.removeHeader(b"Content-Length")
            if said:
                fields.setRawHeaders(b"Content-Length", [said.pop()])
        super().allHeadersReceived()


class RecordingProtocol(http11._LenientHTTP11ClientProtocol):
    """Scrapy's client protocol that copies its bytes into the open wire."""

    wire: Wire | None = None
    _attempt: _Attempt
    transport: Any

    def makeConnection(self, transport: ITransport) -> None:  # noqa: N802
        super().makeConnection(cast("ITransport", _TeeTransport(transport, self)))

    def request(self, request: Any) -> Deferred[Any]:
        number = getattr(request, "_newskeep_attempt", None)
        if number is None:
            # Twisted sends the same request object again on a new connection, by then without the header.
            number = request._newskeep_attempt = (request.headers.getRawHeaders(_ATTEMPT_HEADER) or [b""])[0]
            request.headers.removeHeader(_ATTEMPT_HEADER)
        attempt = self._attempt = _attempts[number]
        peer = getattr(self.transport.getPeer(), "host", None)
        if not (attempt.through_proxy or attempt.allow_private or is_public(peer or "")):
            # The endpoint has asked already; this holds even if a connection came about in another way.
            self.transport.abortConnection()
            raise NotPublicAddress(peer or "an unknown one")
        self.wire = Wire(datetime.now(UTC), peer=None if attempt.through_proxy else peer)
        attempt.wires.append(self.wire)
        deferred = super().request(request)
        # As Scrapy does one class up: the parser is made in there, and only its class can be changed.
        self._parser.__class__ = _Parser
        return deferred

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        wire = self.wire
        if wire is not None:
            if not wire.received:
                self._note_tls(wire)
            wire.received += data
            if time.monotonic() > self._attempt.deadline:
                self.transport.abortConnection()
                return
            if wire.head_size() > HEAD_MAX_BYTES or len(wire.received) > self._attempt.limit:
                wire.too_large = True
                self.transport.abortConnection()
                return
            if len(wire.received) > _LARGE_BYTES:
                _large_responses.grown(self._attempt, self.transport)
        super().dataReceived(data)

    def _note_tls(self, wire: Wire) -> None:
        with suppress(AttributeError):  # plain TCP has no TLS handle
            connection = self.transport.getHandle()
            wire.tls_version = connection.get_protocol_version_name()
            wire.cipher = connection.get_cipher_name()

    def _finishResponse(self, rest: bytes) -> None:  # noqa: N802
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.framed = True
            if rest:
                # Bytes after the declared end belong to no response of ours.
                del wire.received[-len(rest) :]
        super()._finishResponse(rest)

    def _giveUp(self, reason: Failure) -> None:  # noqa: N802
        if self.wire is not None:
            self.wire.malformed = True
        super()._giveUp(reason)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        wire, self.wire = self.wire, None
        if wire is not None and wire.tls_version is None and reason.check(ConnectionLost):
            # Over TLS a missing close_notify looks the same and is common.
            wire.reset = True
        super().connectionLost(reason)


class _RecordingFactory(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> RecordingProtocol:  # noqa: ARG002, N802
        return RecordingProtocol(self._quiescentCallback)


class _PublicHostnameEndpoint(HostnameEndpoint):
    """Connects to public addresses only, decided after resolving, on every connection."""

    _passed = False
    _refused: str | None = None

    def _getNameResolverAndMaybeWarn(self, reactor: Any) -> Any:  # noqa: N802
        return _PublicResolver(super()._getNameResolverAndMaybeWarn(reactor), self)

    def lets_through(self, host: str) -> bool:
        """Judge one resolved address and remember the verdict."""
        public = is_public(host)
        self._passed |= public
        if not public:
            self._refused = host
        return public

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        deferred = super().connect(protocolFactory)
        deferred.addErrback(self._explain)
        return deferred

    def _explain(self, failure: Failure) -> Failure:
        if self._refused is not None and not self._passed:
            raise NotPublicAddress(self._refused) from failure.value
        return failure


@implementer(IHostnameResolver)
class _PublicResolver:
    def __init__(self, resolver: Any, endpoint: _PublicHostnameEndpoint) -> None:
        self._resolver = resolver
        self._endpoint = endpoint

    def resolveHostName(self, receiver: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        return self._resolver.resolveHostName(_PublicReceiver(receiver, self._endpoint), *args, **kwargs)


@implementer(IResolutionReceiver)
class _PublicReceiver:
    def __init__(self, receiver: Any, endpoint: _PublicHostnameEndpoint) -> None:
        self._receiver = receiver
        self._endpoint = endpoint

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        self._receiver.resolutionBegan(resolution)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if self._endpoint.lets_through(address.host):
            self._receiver.addressResolved(address)


class _PublicEndpoints:
    """The endpoint factory of an agent that may connect to public addresses only."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        # Scrapy's agent reads it from its factory for the connection pool's key.
        self._bindAddress = factory._bindAddress

    def endpointForURI(self, uri: URI) -> Any:  # noqa: N802
        endpoint: Any = _PublicHostnameEndpoint(
            self._factory._reactor,
            uri.host,
            uri.port,
            timeout=self._factory._connectTimeout,
            bindAddress=self._factory._bindAddress,
        )
        if uri.scheme == b"http":
            return endpoint
        return wrapClientTLS(self._factory._policyForHTTPS.creatorForNetloc(uri.host, uri.port), endpoint)


class _RecordingAgent(http11._ScrapyAgent):
    """Scrapy's agent whose requests carry the number of their attempt to the connection."""

    def __init__(self, number: bytes, allow_private: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._number = number
        self._allow_private = allow_private

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        agent = super()._get_agent(request, timeout)
        if not (self._allow_private or request.meta.get("proxy")):
            agent._endpointFactory = _PublicEndpoints(agent._endpointFactory)
        send = agent.request

        def tagged(method: bytes, uri: bytes, headers: TxHeaders, body: Any = None) -> Deferred[Any]:
            headers.setRawHeaders(_ATTEMPT_HEADER, [self._number])
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
        self._pool._factory = _RecordingFactory
        # Twisted's 240 s would hold a socket for each of thousands of hosts.
        self._pool.cachedConnectionTimeout = KEPT_SECONDS
        # On a kept connection that is dead Twisted would send again at once; the retry waits for the host's turn.
        self._pool.retryAutomatically = False
        self._session = context_of(crawler).session
        self._allow_private = crawler.settings.getbool("ALLOW_PRIVATE_ADDRESSES")
        self._delay = crawler.settings.getfloat("DOWNLOAD_DELAY")
        self._timeout = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")

    async def download_request(self, request: Request) -> Response:
        # The record is part of the turn: when it cannot be written, nothing more is asked for.
        async with self._session.gate.turn(host_of(request), self._delay) as turn:
            try:
                response = await self._fetch(request)
            except tuple(_SILENT) as error:
                turn.silent(next(told for kind, told in _SILENT.items() if isinstance(error, kind)))
                raise
            field = response.headers.get("Retry-After", b"") or b""
            turn.answered(response.status, field.decode("latin-1"), request.meta.get("download_latency", 0.0))
            return response

    async def _fetch(self, request: Request) -> Response:
        number = b"%d" % next(_numbers)
        attempt = _attempts[number] = self._attempt(request)
        try:
            return await self._recorded(request, number, attempt)
        finally:
            _large_responses.ended(attempt)

    async def _recorded(self, request: Request, number: bytes, attempt: _Attempt) -> Response:
        request.meta.pop("recorded", None)
        response = error = None
        try:
            with wrap_twisted_exceptions():
                response = await maybe_deferred_to_future(self._agent(number).download_request(request))
        except Exception as caught:
            error = caught
        finally:
            del _attempts[number]
        asked = next(iter(request.meta.get("redirect_urls", ())), None)
        for wire in attempt.wires:
            last = wire is attempt.wires[-1]
            exchange = exchange_of(wire, request.url, response if last else None, error)
            recorded = await self._session.record(exchange, asked)
            recorded.leave_in(request)
            wire.received.clear()
            cut = recorded.exchange.truncated
            if error is None and last and not is_whole(recorded.exchange.response, cut):
                error = ResponseDataLossError()
        if error is not None:
            raise error
        assert response is not None
        return response

    def _attempt(self, request: Request) -> _Attempt:
        body = request.meta.get("download_maxsize", self._default_maxsize)
        timeout = request.meta.get("download_timeout", self._timeout)
        return _Attempt(
            bool(request.meta.get("proxy")),
            self._allow_private,
            HEAD_MAX_BYTES + body + _FRAMING_BYTES + int(body * _FRAMING_SHARE),
            time.monotonic() + timeout + _GRACE_SECONDS,
        )

    def _agent(self, number: bytes) -> _RecordingAgent:
        return _RecordingAgent(
            number,
            self._allow_private,
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            # Whether an answer that was cut is whole all the same is decided in _fetch.
            fail_on_dataloss=False,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )

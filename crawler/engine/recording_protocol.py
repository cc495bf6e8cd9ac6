"""The connections of the recording handler: what goes over them, copied byte by byte into the wire of its attempt.

By private names of Twisted and Scrapy, as handler.py says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from scrapy.core.downloader.handlers import http11
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from zope.interface import implementer

from crawler.engine.large_responses import LARGE_BYTES, LargeResponses
from crawler.engine.response_parser import HEAD_MAX_BYTES, ResponseParser
from crawler.engine.tls import Secured, secured_by
from crawler.engine.wire import Wire
from crawler.politeness.addresses import is_public
from crawler.politeness.errors import LeaseLost, NotPublicAddress

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress, ITransport
    from twisted.python.failure import Failure

#: Carries an attempt's number from the agent to the connection; taken off before anything is written.
ATTEMPT_HEADER = b"X-Newskeep-Attempt"


@dataclass(slots=True, eq=False)
class Attempt:
    """One download and its wire; none where no connection came about."""

    through_proxy: bool
    allow_private: bool
    #: Bytes that may come.
    limit: float
    #: By the clock of `time.monotonic`; Twisted's own timer is not heard by a server that never pauses.
    deadline: float
    #: Raises `LeaseLost` where the host may be asked no more: the process may have stood still while it connected.
    may_send: Callable[[], None] = lambda: None
    wires: list[Wire] = field(default_factory=list)
    #: Why it was not sent although there was a connection.
    lost: LeaseLost | None = None


#: Those under way, by number.
attempts: dict[bytes, Attempt] = {}
large_responses = LargeResponses()


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


@implementer(IHandshakeListener)
class RecordingProtocol(http11._LenientHTTP11ClientProtocol):
    """Scrapy's client protocol that copies its bytes into the open wire."""

    #: What reads the answers; `None`: as Scrapy reads them.
    parser: type[ResponseParser] | None = ResponseParser

    wire: Wire | None = None
    #: How the connection is secured, for all requests on it; `None` before the handshake, and without TLS.
    _secured: Secured | None = None
    _attempt: Attempt
    transport: Any

    def makeConnection(self, transport: ITransport) -> None:  # noqa: N802
        super().makeConnection(cast("ITransport", _TeeTransport(transport, self)))

    def handshakeCompleted(self) -> None:  # noqa: N802
        # What was written waits for this moment.
        if self.wire is not None and not self._may_send():
            return
        self._secured = secured_by(self.transport.getHandle())
        if self.wire is not None:
            self.wire.secured = self._secured

    def request(self, request: Any) -> Deferred[Any]:
        number = getattr(request, "_newskeep_attempt", None)
        if number is None:
            # Twisted sends the same request object again on a new connection, by then without the header.
            number = request._newskeep_attempt = (request.headers.getRawHeaders(ATTEMPT_HEADER) or [b""])[0]
            request.headers.removeHeader(ATTEMPT_HEADER)
        attempt = self._attempt = attempts[number]
        peer = getattr(self.transport.getPeer(), "host", None)
        if not (attempt.through_proxy or attempt.allow_private or is_public(peer or "")):
            # The endpoint has asked already; this holds even if a connection came about in another way.
            self.transport.abortConnection()
            raise NotPublicAddress(peer or "an unknown one")
        if not self._may_send():
            assert attempt.lost is not None
            raise attempt.lost
        self.wire = Wire(datetime.now(UTC), peer=None if attempt.through_proxy else peer, secured=self._secured)
        attempt.wires.append(self.wire)
        deferred = super().request(request)
        # As Scrapy does one class up: the parser is made in there, and only its class can be changed.
        if self.parser is not None:
            self._parser.__class__ = self.parser
        return deferred

    def _may_send(self) -> bool:
        """Whether the host is still ours to ask; where it is not, the connection ends with nothing sent."""
        try:
            self._attempt.may_send()
        except LeaseLost as lost:
            self._attempt.lost = lost
            self.transport.abortConnection()
            return False
        return True

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        wire = self.wire
        if wire is not None:
            wire.received += data
            if not self._goes_on(wire):
                self.transport.abortConnection()
                return
        super().dataReceived(data)

    def _goes_on(self, wire: Wire) -> bool:
        """Whether what has come is within the bounds."""
        if time.monotonic() > self._attempt.deadline:
            return False
        if wire.head_size() > HEAD_MAX_BYTES or len(wire.received) > self._attempt.limit:
            wire.too_large = True
            return False
        if len(wire.received) > LARGE_BYTES:
            large_responses.grown(self._attempt, self.transport)
        return True

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
        if wire is not None and wire.secured is None and reason.check(ConnectionLost):
            # Over TLS a missing close_notify looks the same and is common.
            wire.reset = True
        super().connectionLost(reason)


class RecordingFactory(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> RecordingProtocol:  # noqa: ARG002, N802
        return RecordingProtocol(self._quiescentCallback)

"""Exchanges out of the events of a net log: what went over every socket, by connection and protocol. Pure."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crawler.browser.http1 import Http1Connection, framed
from crawler.browser.http2 import Http2Connection, request_of, responses_of
from crawler.browser.net_log import LogEvent, UnknownNetLog
from storage.errors import InvalidURL
from storage.http import HttpMessage
from storage.model import Exchange, Truncation
from storage.urls import normalize

_SENT = {"SOCKET_BYTES_SENT", "SSL_SOCKET_BYTES_SENT"}
_PLAIN = {"SOCKET_BYTES_SENT", "SOCKET_BYTES_RECEIVED"}
#: Bits of `cert_status` in words (net/cert/cert_status_flags_list.h), the worst first.
_FAULTS = {
    1 << 6: "revoked",
    1 << 0: "for another host",
    1 << 1: "expired or not yet valid",
    1 << 2: "not issued by an authority that is trusted",
    1 << 7: "invalid",
}
_ERRORS = 0xFFFF
#: Cipher suites that Chromium offers, by their numbers in IANA's registry.
_CIPHERS = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}


@dataclass(slots=True, eq=False)
class _Socket:
    """What is known of one socket, while it goes."""

    local: str | None = None
    #: Bytes before are those of the way through our proxy.
    is_through: bool = False
    tls: Mapping[str, Any] | None = None
    is_securing: bool = False
    certificates: tuple[bytes, ...] = ()
    check: int | None = None
    protocol: Http1Connection | Http2Connection = field(default_factory=Http1Connection)

    def secure(self, agreed: Mapping[str, Any]) -> None:
        """TLS is there, and with it the protocol above (RFC 7301)."""
        self.tls = agreed
        if agreed.get("next_proto") == "h2":
            self.protocol = Http2Connection()


class Connections:
    """Takes the events of one browser, in order; then has the exchanges.

    More than `limit` bytes, over all sockets, are not kept: what came is then cut, and says so.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._sockets: dict[int, _Socket] = {}
        self._checks: dict[int, str] = {}

    @property
    def is_full(self) -> bool:
        return self._left < 0

    @property
    def faults(self) -> list[str]:
        """Why some connections could not be read to their end."""
        found = (getattr(socket.protocol, "fault", None) for socket in self._sockets.values())
        return sorted({fault for fault in found if fault})

    def take_all(self, events: Iterable[LogEvent]) -> None:
        for event in events:
            self.take(event)

    def take(self, event: LogEvent) -> None:
        """Raises `UnknownNetLog` where an event is not as it is known."""
        if event.name == "CERT_VERIFIER_JOB":
            self._checks[event.source] = _fault(event.params)
            return
        socket = self._sockets.setdefault(event.source, _Socket())
        match event.name, event.phase:
            case "TCP_CONNECT", "end":
                socket.local = event.params.get("local_address")
            case "SOCKS5_CONNECT", "end":
                socket.is_through = "net_error" not in event.params
            case "SSL_CONNECT", phase:
                socket.is_securing = True
                if phase == "end" and "net_error" not in event.params:
                    socket.secure(event.params)
            case "SSL_CERTIFICATES_RECEIVED", _:
                socket.certificates = tuple(ssl.PEM_cert_to_DER_cert(pem) for pem in event.params["certificates"])
            case "CERT_VERIFIER_REQUEST_BOUND_TO_JOB", _:
                socket.check = event.params["source_dependency"]["id"]
            case "SOCKET_IN_USE", "begin" if isinstance(socket.protocol, Http1Connection):
                socket.protocol.taken()
            case _ if "bytes" in event.params:
                self._take_bytes(socket, event)

    def _take_bytes(self, socket: _Socket, event: LogEvent) -> None:
        # Below TLS there are only sealed bytes, and before the way through the proxy is made only its own.
        if not socket.is_through or (event.name in _PLAIN and socket.is_securing):
            return
        data = _bytes(event.params)
        self._left -= len(data)
        if self._left < 0:
            return
        if event.name in _SENT:
            socket.protocol.sent(data, event.moment)
        else:
            socket.protocol.received(data, event.moment)

    def exchanges(self, peers: Mapping[str, str | None], cut: Truncation) -> Iterator[Exchange]:
        """Yield the exchanges in the order of their requests.

        `peers`: the server's address, by the browser's end of a connection to our proxy ("127.0.0.1:41234"); what came
        over no such connection is nobody's business here; `None` behind another proxy. `cut` is
        said of answers that are not whole.
        """
        found: list[Exchange] = []
        for socket in self._sockets.values():
            if socket.local is not None and socket.local in peers:
                found += self._of(socket, peers[socket.local], "length" if self.is_full else cut)
        yield from sorted(found, key=lambda exchange: exchange.started)

    def _of(self, socket: _Socket, peer: str | None, cut: Truncation) -> Iterator[Exchange]:
        secured: dict[str, Any] = {"peer": peer, "certificates": socket.certificates}
        if socket.tls is not None:
            secured["cipher"] = _CIPHERS.get(socket.tls.get("cipher_suite", 0))
            secured["insecure"] = self._checks.get(-1 if socket.check is None else socket.check) or None
        if isinstance(socket.protocol, Http2Connection):
            yield from _http2_exchanges(socket.protocol, _protocols("h2", socket), cut, secured)
        else:
            yield from _http1_exchanges(socket.protocol, socket, cut, secured)


def _http1_exchanges(
    connection: Http1Connection, socket: _Socket, cut: Truncation, secured: Mapping[str, Any]
) -> Iterator[Exchange]:
    for raw in connection.exchanges():
        request = bytes(raw.sent)
        method, _, rest = request.partition(b" ")
        host = HttpMessage.parse(request).header("host") or ""
        scheme = "http" if socket.tls is None else "https"
        url = _address(f"{scheme}://{host}{rest.partition(b' ')[0].decode('latin-1')}")
        if url is None:
            continue
        interim, final = raw.split_interim()
        response, truncated = framed(method, final, cut)
        version = response[:8].lower().decode("latin-1") if response[:7] == b"HTTP/1." else "http/1.1"
        yield Exchange(
            url=url,
            started=raw.started,
            request=request,
            response=response,
            interim=interim,
            protocols=_protocols(version, socket),
            truncated=truncated if response else None,
            **secured,
        )


def _http2_exchanges(
    connection: Http2Connection, protocols: tuple[str, ...], cut: Truncation, secured: Mapping[str, Any]
) -> Iterator[Exchange]:
    for stream in connection.streams():
        request, url = request_of(stream)
        address = _address(url)
        if address is None:
            continue
        interim, response = responses_of(stream)
        yield Exchange(
            url=address,
            started=stream.started,
            request=request,
            response=response,
            interim=interim,
            protocols=protocols,
            truncated=None if stream.server.is_ended or not response else cut,
            request_frames=bytes(stream.client.frames),
            response_frames=bytes(stream.server.frames),
            **secured,
        )


def _address(url: str) -> str | None:
    try:
        return normalize(url)
    except InvalidURL:
        return None


def _protocols(version: str, socket: _Socket) -> tuple[str, ...]:
    """As WARC-Protocol has them; Chromium says "TLS 1.3"."""
    if socket.tls is None:
        return (version,)
    return version, str(socket.tls.get("version", "TLS 1.3")).lower().replace(" ", "/")


def _bytes(params: Mapping[str, Any]) -> bytes:
    try:
        data = base64.b64decode(params["bytes"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise UnknownNetLog("the browser's net log has bytes in a form that is not understood") from None
    if len(data) != params.get("byte_count"):
        raise UnknownNetLog("the browser's net log has not all bytes that went over a socket")
    return data


def _fault(params: Mapping[str, Any]) -> str:
    """What is wrong with a certificate, in words; empty where nothing is."""
    if not params.get("net_error"):
        return ""
    status = int(params.get("cert_status") or 0)
    words = next((words for bit, words in _FAULTS.items() if status & _ERRORS & bit), "not to be believed")
    return f"the certificate is {words}"

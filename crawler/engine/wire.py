"""What went over one connection for one request: collected byte by byte, then frozen to an exchange."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, ResponseDataLossError

from storage.model import Exchange, Truncation

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.engine.tls import Secured

END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d[ \r\n]")


@dataclass(slots=True, eq=False)
class Wire:
    """What went over one connection for one request, while it goes."""

    started: datetime
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    peer: str | None = None
    #: `None` without TLS, and while its handshake goes on.
    secured: Secured | None = None
    #: The message framing said that the response is whole.
    framed: bool = False
    #: We closed the connection because more came than the bounds allow.
    too_large: bool = False
    #: We closed the connection because what came is not HTTP/1.
    malformed: bool = False
    #: The connection was reset, which no close-delimited body survives whole.
    reset: bool = False

    #: Where the final head begins, as far as 1xx responses were seen, and where its end is looked for.
    _head_at: int = 0
    _looked_to: int = 0
    #: Where the final head ends; 0 while it has not.
    _head_end: int = 0

    def head_size(self) -> int:
        """Bytes of the heads so far, those of 1xx responses among them; what comes behind the final one is not counted.

        Each byte is looked at once, however many pieces it all comes in.
        """
        while not self._head_end:
            end = END_OF_HEAD.search(self.received, self._looked_to)
            if end is None:
                self._looked_to = max(self._head_at, len(self.received) - len(b"\r\n\r"))
                return len(self.received)
            if _INTERIM.match(self.received, self._head_at):
                self._head_at = self._looked_to = end.end()
            else:
                self._head_end = end.end()
        return self._head_end

    def split_interim(self) -> tuple[tuple[bytes, ...], bytes]:
        """Return the 1xx responses and the final response (RFC 9110, 15.2)."""
        interim: list[bytes] = []
        at = 0
        while _INTERIM.match(self.received, at) and (end := END_OF_HEAD.search(self.received, at)):
            interim.append(bytes(self.received[at : end.end()]))
            at = end.end()
        return tuple(interim), bytes(memoryview(self.received)[at:])


def exchange_of(wire: Wire, url: str, response: Response | None, error: Exception | None) -> Exchange:
    """Return what went over the wire as a value, secrets and all: `redaction` takes them out.

    `response` and `error` are how the download ended, for the reason why a response is not whole.
    """
    interim, final = wire.split_interim()
    protocols = [final[:8].lower().decode("latin-1")] if re.match(rb"HTTP/1\.\d ", final) else ["http/1.1"]
    secured = wire.secured
    if secured is not None:
        protocols.append(_protocol(secured.version))
    # Frozen here: bytes that still arrive on a connection being aborted are not part of it.
    return Exchange(
        url=url.partition("#")[0],
        started=wire.started,
        request=bytes(wire.sent),
        response=final,
        interim=interim,
        peer=_plain(wire.peer),
        protocols=tuple(protocols),
        cipher=secured.cipher if secured else None,
        certificates=secured.certificates if secured else (),
        insecure=secured.insecure if secured else None,
        truncated=_truncation(wire, response, error) if final else None,
    )


def _truncation(wire: Wire, response: Response | None, error: Exception | None) -> Truncation | None:
    """Why a response is not whole (WARC 1.1, 5.13)."""
    flags = response.flags if response is not None else []
    if wire.framed:
        return None
    if wire.too_large or (isinstance(error, DownloadCancelledError) and not wire.malformed):
        return "length"
    if isinstance(error, DownloadTimeoutError):
        return "time"
    if wire.malformed or "download_stopped" in flags:
        return "unspecified"
    if wire.reset or isinstance(error, ResponseDataLossError) or "dataloss" in flags or response is None:
        return "disconnect"
    # Scrapy's flag "partial": ended by closing the connection, as whole as HTTP/1.0 can say.
    return None


def _protocol(version: str) -> str:
    """A version by OpenSSL's name ("TLSv1", "TLSv1.3") as WARC-Protocol has it."""
    return "tls/" + (version.removeprefix("TLSv") if "." in version else "1.0")


def _plain(peer: str | None) -> str | None:
    """The address as WARC-IP-Address has it: no zone, an IPv4-mapped one as IPv4."""
    if peer is None:
        return None
    address = ipaddress.ip_address(peer.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

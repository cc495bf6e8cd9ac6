"""HTTP/1 on one connection: bytes as they went, one exchange after another. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from storage.http import HttpMessage
from storage.model import Truncation

_REQUEST_LINE = re.compile(rb"[A-Z]{1,20} \S+ HTTP/1\.[01]\r\n")
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d[ \r\n]")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_TRAILER = re.compile(rb"(?:[^\r\n]+\r?\n)*\r?\n")
_NO_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(slots=True, eq=False)
class RawExchange:
    """A request and what came back, as they went over one connection."""

    started: datetime
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)

    def split_interim(self) -> tuple[tuple[bytes, ...], bytes]:
        """Return the 1xx responses and the final response (RFC 9110, 15.2)."""
        interim: list[bytes] = []
        at = 0
        while _INTERIM.match(self.received, at) and (end := _END_OF_HEAD.search(self.received, at)):
            interim.append(bytes(self.received[at : end.end()]))
            at = end.end()
        return tuple(interim), bytes(memoryview(self.received)[at:])


class Http1Connection:
    """Cuts what goes over a connection into exchanges: one begins where the browser takes the socket into use."""

    def __init__(self) -> None:
        self._exchanges: list[RawExchange] = []
        self._is_next = True

    def taken(self) -> None:
        """A request of its own follows."""
        self._is_next = True

    def sent(self, data: bytes, moment: datetime) -> None:
        # Asked for a password, a browser may send again on the same socket without giving it back.
        again = bool(self._exchanges and self._exchanges[-1].received and _REQUEST_LINE.match(data))
        if self._is_next or again:
            self._exchanges.append(RawExchange(moment))
            self._is_next = False
        self._exchanges[-1].sent += data

    def received(self, data: bytes, _: datetime) -> None:
        if not self._exchanges:
            # What comes unasked has no request, and no address.
            return
        # What comes while nobody uses the socket belongs to the last answer: it was longer than it said.
        self._exchanges[-1].received += data

    def exchanges(self) -> Iterator[RawExchange]:
        yield from self._exchanges


def framed(method: bytes, response: bytes, cut: Truncation) -> tuple[bytes, Truncation | None]:
    """A response without what follows its declared end, and `cut` where it is shorter than that (RFC 9112, 6.3).

    One that ends with its connection is as whole as HTTP/1.0 can say.
    """
    message = HttpMessage.parse(response)
    if not message.complete_head:
        return response, cut
    if message.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return response, None
    if method == b"HEAD" or message.status in _NO_BODY:
        return message.head, None
    length = (message.header("content-length") or "").strip()
    if message.is_chunked:
        end = _end_of_chunks(message.body)
    elif length.isascii() and length.isdigit():
        end = int(length[:18]) if int(length[:18]) <= len(message.body) else None
    else:
        end = len(message.body)
    return (response, cut) if end is None else (response[: len(message.head) + end], None)


def _end_of_chunks(body: bytes) -> int | None:
    """Where a body in chunks ends, its trailer with it; `None` where it does not, or where they are none."""
    at = 0
    while chunk := _CHUNK.match(body, at):
        size, at = int(chunk[1], 16), chunk.end()
        if not size:
            trailer = _TRAILER.match(body, at)
            return trailer.end() if trailer else None
        line = _LINE_END.match(body, at + size)
        if line is None:
            return None
        at = line.end()
    return None

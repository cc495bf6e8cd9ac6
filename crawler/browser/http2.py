"""HTTP/2 on one connection: its frames, and each stream as a message in the form of HTTP/1.1 (RFC 9113). Pure.

The only user of hpack.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hpack import Decoder, HPACKError

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: Types of frames (RFC 9113, 6).
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _CONTINUATION = 0x0, 0x1, 0x3, 0x4, 0x5, 0x9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
_TABLE_SIZE = 0x1
#: Bytes of the largest header list that is unpacked.
_FIELDS_MAX = 1 << 20
#: Frames of a stream that are written down beside its messages.
_KEPT = frozenset({_DATA, _HEADERS, _RST_STREAM, _PUSH_PROMISE, _CONTINUATION})

Fields = list[tuple[bytes, bytes]]
Side = Literal["client", "server"]


@dataclass(slots=True, eq=False)
class Message:
    """What one side sent on a stream."""

    #: A list of fields for each HEADERS: 1xx answers, the message, its trailers.
    heads: list[Fields] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    #: Its frames as sent; of DATA frames the head and the padding alone, since the rest is `body`.
    frames: bytearray = field(default_factory=bytearray)
    is_ended: bool = False


@dataclass(slots=True, eq=False)
class Stream:
    """One request and what came back."""

    started: datetime
    client: Message = field(default_factory=Message)
    server: Message = field(default_factory=Message)


@dataclass(slots=True, eq=False)
class _Half:
    """One direction of a connection."""

    side: Side
    decoder: Decoder
    buffer: bytearray = field(default_factory=bytearray)
    #: Of a header block that goes on: its stream, its bytes so far, whether the stream ends with it.
    block_of: int = 0
    block: bytearray = field(default_factory=bytearray)
    ends: bool = False


class Http2Connection:
    """Follows both directions of a connection, from its first byte on."""

    def __init__(self) -> None:
        self._streams: dict[int, Stream] = {}
        self._client = _Half("client", _decoder())
        self._server = _Half("server", _decoder())
        self._preface = len(_PREFACE)
        #: Why no more of it can be read; `None` while all is well.
        self.fault: str | None = None

    def sent(self, data: bytes, moment: datetime) -> None:
        passed = min(self._preface, len(data))
        self._preface -= passed
        self._follow(self._client, data[passed:], moment)

    def received(self, data: bytes, moment: datetime) -> None:
        self._follow(self._server, data, moment)

    def streams(self) -> Iterator[Stream]:
        """Yield the streams on which the client asked for something, in order."""
        yield from (stream for _, stream in sorted(self._streams.items()) if stream.client.heads)

    def _follow(self, half: _Half, data: bytes, moment: datetime) -> None:
        if self.fault is not None:
            return
        half.buffer += data
        try:
            for head, payload in _frames(half.buffer):
                self._take(half, head, payload, moment)
        except (HPACKError, IndexError, ValueError) as error:
            self.fault = f"HTTP/2 that cannot be read: {error}"

    def _take(self, half: _Half, head: bytes, payload: bytes, moment: datetime) -> None:
        kind, flags, number = head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
        if kind == _SETTINGS and not flags & _ACK:
            self._settings(half, payload)
        if kind not in _KEPT or not number:
            return
        message = self._message(half, number, moment)
        if kind == _DATA:
            data, padding = _unpadded(payload, flags)
            message.body += data
            message.frames += head + padding
            message.is_ended |= bool(flags & _END_STREAM)
            return
        message.frames += head + payload
        if kind == _HEADERS:
            fragment = _unpadded(payload, flags)[0][5 if flags & _PRIORITY else 0 :]
            half.block_of, half.block, half.ends = number, bytearray(fragment), bool(flags & _END_STREAM)
        elif kind == _PUSH_PROMISE:
            # Browsers refuse pushes; the table of fields has to follow all the same.
            half.block_of, half.block, half.ends = 0, bytearray(_unpadded(payload, flags)[0][4:]), False
        elif kind == _CONTINUATION:
            half.block += payload
        if kind != _RST_STREAM and flags & _END_HEADERS:
            self._end_block(half, moment)

    def _end_block(self, half: _Half, moment: datetime) -> None:
        fields = [(bytes(name), bytes(value)) for name, value in half.decoder.decode(bytes(half.block), raw=True)]
        if half.block_of:
            message = self._message(half, half.block_of, moment)
            message.heads.append(fields)
            message.is_ended |= half.ends

    def _message(self, half: _Half, number: int, moment: datetime) -> Message:
        stream = self._streams.setdefault(number, Stream(moment))
        return stream.client if half.side == "client" else stream.server

    def _settings(self, half: _Half, payload: bytes) -> None:
        """What one side says that it takes bounds what the other may send."""
        other = self._server if half is self._client else self._client
        for at in range(0, len(payload) - 5, 6):
            if int.from_bytes(payload[at : at + 2], "big") == _TABLE_SIZE:
                size = int.from_bytes(payload[at + 2 : at + 6], "big")
                other.decoder.max_allowed_table_size = max(size, other.decoder.max_allowed_table_size)


def request_of(stream: Stream) -> tuple[bytes, str]:
    """The request in the form of HTTP/1.1, and its address."""
    fields = stream.client.heads[0]
    pseudo = {name: value for name, value in fields if name.startswith(b":")}
    scheme, authority = pseudo.get(b":scheme", b"https"), pseudo.get(b":authority", b"")
    path = pseudo.get(b":path", b"/")
    line = b" ".join((pseudo.get(b":method", b"GET"), path, b"HTTP/1.1"))
    head = _head(line, [(b"host", authority), *_plain(fields)])
    return head + bytes(stream.client.body), b"".join((scheme, b"://", authority, path)).decode("latin-1")


def responses_of(stream: Stream) -> tuple[tuple[bytes, ...], bytes]:
    """The 1xx answers and the answer, in the form of HTTP/1.1; the latter is empty where none came."""
    interim: list[bytes] = []
    for fields in stream.server.heads:
        status = next((value for name, value in fields if name == b":status"), b"")
        # HTTP/2 has no reason phrase (RFC 9113, 8.3.2), and none is made up.
        head = _head(b"HTTP/1.1 " + status + b" ", _plain(fields))
        if not status.startswith(b"1"):
            return tuple(interim), head + bytes(stream.server.body)
        interim.append(head)
    return tuple(interim), b""


def _plain(fields: Fields) -> Fields:
    return [(name, value) for name, value in fields if not name.startswith(b":")]


def _head(line: bytes, fields: Fields) -> bytes:
    return b"".join((line, b"\r\n", *(name + b": " + value + b"\r\n" for name, value in fields), b"\r\n"))


def _decoder() -> Decoder:
    return Decoder(max_header_list_size=_FIELDS_MAX)


def _frames(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Take the whole frames out of a buffer: their heads of nine bytes, and what is in them (RFC 9113, 4.1)."""
    at = 0
    try:
        while len(buffer) - at >= 9 and len(buffer) - at >= (size := 9 + int.from_bytes(buffer[at : at + 3], "big")):
            head, payload = bytes(buffer[at : at + 9]), bytes(buffer[at + 9 : at + size])
            at += size
            yield head, payload
    finally:
        del buffer[:at]


def _unpadded(payload: bytes, flags: int) -> tuple[bytes, bytes]:
    """What is in a frame, and its padding with the byte that says how long it is (RFC 9113, 6.1)."""
    if not flags & _PADDED:
        return payload, b""
    end = len(payload) - payload[0]
    if end < 1:
        raise ValueError("more padding than there is in the frame")
    return payload[1:end], payload[:1] + payload[end:]

"""The body of a capture as it was sent, in pieces: a small one from memory, a large one from the store as it goes.

`Archive.read` holds a whole record. Here a large one is read twice instead: once to hold it against its digest and to
measure it, so that nothing damaged goes out and any part can be asked for; then as it is sent.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from storage.archive import Archive
from storage.digests import hasher_of, is_digest
from storage.errors import Corrupt, ObjectMissing
from storage.http import HttpMessage, is_framed
from storage.model import Capture
from storage.warc import REVISIT_PROFILE, key_of, resource_head

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_Reader: TypeAlias = "BufferedReader[RawIOBase]"

#: Bytes of a record, as it lies in its file and unpacked, up to which it is read into memory.
SMALL, SMALL_UNPACKED = 1 << 20, 16 << 20
#: Bytes of a record that cannot be too large unpacked (gzip presses to a thousandth at best), so that it is not asked.
_SURELY_SMALL = 64 * 1024
PIECE = 256 * 1024
#: Bytes that the head of an answer may have, and a line of a record's head or of the framing of chunks.
_HEAD_MAX = 1 << 20
_LINE_MAX = 64 * 1024
#: Bytes of a body that tell whether it is in chunks.
_FRAME_SEEN = 1024
# Not isdigit(): int() does not take all that is a digit ("\u00b2"), nor any number of them.
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;|\r?\n)")


@dataclass(frozen=True, slots=True)
class Payload:
    """What a capture shows: the head of an answer, and its body without transfer coding, content coding as sent."""

    head: HttpMessage
    #: Bytes of the body.
    size: int
    #: Brings the body from its beginning.
    pieces: Callable[[], Iterator[bytes]]
    #: The body, where it is in memory.
    data: bytes | None = None

    def part(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `end`, in pieces."""
        at = 0
        for piece in self.pieces() if end > start else ():
            cut = piece[max(start - at, 0) : max(end - at, 0)]
            at += len(piece)
            if cut:
                yield cut
            if at >= end:
                return


def payload_of(archive: Archive, capture: Capture) -> Payload:
    """Return what a capture shows; that of a revisit is in the capture it refers to. Raises `Corrupt`."""
    try:
        return _payload_of(archive, capture)
    except ObjectMissing:
        # A compaction may have moved it since it was looked up.
        moved = archive.index.closest(capture.url, capture.timestamp)
        if moved is None or moved.filename == capture.filename:
            raise
        return _payload_of(archive, moved)


def _payload_of(archive: Archive, capture: Capture) -> Payload:
    # A revisit is a head alone.
    revisit = archive.reader.record(capture) if capture.is_revisit else None
    original = capture if revisit is None else archive.reader.referred(revisit)
    if _is_small(archive, original):
        return _whole(archive.read(capture).message)
    streamed = _streamed(archive, original)
    if revisit is None or revisit.field("WARC-Profile") != REVISIT_PROFILE:
        # A server that only says that nothing is new: the head is that of the page, too.
        return streamed
    return replace(streamed, head=HttpMessage.parse(revisit.block)) if revisit.block else streamed


def _is_small(archive: Archive, capture: Capture) -> bool:
    if _SURELY_SMALL < capture.length <= SMALL:
        # A gzip member ends in the size of what it holds (RFC 1952, 2.3.1).
        end = capture.offset + capture.length
        with archive.store.open(key_of(capture.filename), end - 4, 4) as stream:
            return int.from_bytes(stream.read(4), "little") <= SMALL_UNPACKED
    return capture.length <= SMALL


def _whole(message: HttpMessage) -> Payload:
    body = message.payload
    # What is no HTTP message is all there is.
    data = body if message.status is not None else message.head + message.body
    return Payload(message, len(data), lambda: iter((data,)), data)


def _streamed(archive: Archive, capture: Capture) -> Payload:
    block = _Block(archive, capture)
    head = block.check()
    # A `resource` is a body alone.
    begin = 0 if block.resource else len(head.head)

    def pieces() -> Iterator[bytes]:
        with block.opened() as body:
            _skip(body, begin)
            chunked = head.is_chunked and is_framed(body.peek(_FRAME_SEEN)[:_FRAME_SEEN])
            yield from _dechunked(body) if chunked else _pieces(body)

    size = sum(map(len, pieces())) if head.is_chunked else block.size - begin
    return Payload(head, size, pieces)


class _Block:
    """The block of one record, read from the store as often as it is asked for."""

    def __init__(self, archive: Archive, capture: Capture) -> None:
        self._archive = archive
        self._capture = capture
        self.size = 0
        #: Whether it is a body without a head.
        self.resource = False
        self._fields: dict[str, str] = {}

    @contextmanager
    def opened(self) -> Iterator[_Reader]:
        """A stream of the block. Raises `Corrupt`."""
        place = key_of(self._capture.filename), self._capture.offset, self._capture.length
        with self._archive.store.open(*place) as stored:
            record: _Reader = BufferedReader(_Inflated(stored), PIECE)
            fields = _warc_fields(record)
            self.size, self._fields = int(fields["content-length"]), fields
            self.resource = fields.get("warc-type") == "resource"
            yield BufferedReader(_Limited(record, self.size), PIECE)

    def check(self) -> HttpMessage:
        """Read all of it and return the head of the answer; an empty one where it is not HTTP. Raises `Corrupt`."""
        read, beginning = 0, bytearray()
        with self.opened() as block:
            written = self._fields.get("warc-block-digest")
            hasher = hasher_of(written)
            for piece in _pieces(block):
                if hasher is not None:
                    hasher.update(piece)
                read += len(piece)
                if len(beginning) < _HEAD_MAX:
                    beginning += piece
        if read != self.size or (hasher is not None and not is_digest(written, hasher)):
            raise Corrupt(f"{self._capture.url}: the record does not match its digest; newskeep verify")
        if self.resource:
            return HttpMessage.parse(resource_head(self._fields.get("content-type")))
        message = HttpMessage.parse(bytes(beginning))
        if message.status is None or not message.complete_head:
            return HttpMessage.parse(b"")
        return message.with_body(b"")


class _Inflated(RawIOBase):
    """The content of a gzip member, as much at a time as is asked for."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._decoder = zlib.decompressobj(31)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view, piece = memoryview(buffer), b""
        try:
            while not piece and not self._decoder.eof:
                data = self._decoder.unconsumed_tail or self._stored.read(PIECE)
                if not data:
                    break
                piece = self._decoder.decompress(data, len(view))
        except zlib.error as error:
            raise Corrupt(f"not a readable record: {error}") from error
        view[: len(piece)] = piece
        return len(piece)


class _Limited(RawIOBase):
    """The next bytes of a stream, and no more."""

    def __init__(self, stream: _Reader, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        piece = self._stream.read1(min(len(view), self._left)) if self._left else b""
        view[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)


def _warc_fields(record: _Reader) -> dict[str, str]:
    """Read the head of a record and return its fields by lower-case name."""
    first = record.readline(_LINE_MAX)
    fields: dict[str, str] = {}
    while line := record.readline(_LINE_MAX).strip():
        name, _, value = line.decode("utf-8", "replace").partition(":")
        fields[name.strip().lower()] = value.strip()
    if not first.startswith(b"WARC/") or not _LENGTH.fullmatch(fields.get("content-length", "")):
        raise Corrupt("no WARC record at this place")
    return fields


def _pieces(stream: _Reader) -> Iterator[bytes]:
    while piece := stream.read1(PIECE):
        yield piece


def _skip(stream: _Reader, size: int) -> None:
    while size and (piece := stream.read1(min(size, PIECE))):
        size -= len(piece)


def _dechunked(body: _Reader) -> Iterator[bytes]:
    """Yield the data of each chunk; stop at the last one, or where the framing ends or breaks.

    The same as `HttpMessage.payload`, without holding all of it.
    """
    while size := _chunk_size(body.readline(_LINE_MAX)):
        while size and (piece := body.read1(min(size, PIECE))):
            size -= len(piece)
            yield piece
        _skip(body, 2 if body.peek(2)[:2] == b"\r\n" else 1)


def _chunk_size(line: bytes) -> int:
    """The size in a chunk's first line; 0 for the last chunk and where the framing is broken."""
    match = _CHUNK_SIZE.match(line)
    return int(match[1], 16) if match and line.endswith(b"\n") else 0

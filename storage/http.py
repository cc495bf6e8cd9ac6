"""HTTP/1 messages as bytes: take them apart without changing or trusting them (RFC 9112)."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from storage.errors import NewskeepError

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
#: Version, status, reason as browsers read them: in any case, with blanks, after empty lines (RFC 9112, 2.2 and 4).
STATUS_LINE = re.compile(rb"[ \t\r\n]*HTTP(?:/(\d(?:\.\d+)?))?[ \t]+(\d{3})(?!\d)(?:[ \t]*([^\r\n]*))?", re.IGNORECASE)
_BEFORE = re.compile(rb"[\r\n]*")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;|\r?\n|$)")
_READ = 64 * 1024
# Bytes that are in no text (WHATWG MIME Sniffing, 3: "binary data byte").
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
#: What packed bytes begin with (RFC 1952, 2.3.1; RFC 8878, 3.1.1).
_MAGIC = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_MAGIC_OF = frozenset({"gzip", "x-gzip", "zstd"})
#: Words of media types whose content may well be packed by itself.
_PACKED_TYPES = frozenset(
    {"gzip", "zstd", "octet", "zip", "tar", "image", "video", "audio", "font", "gz", "warc", "wacz"}
)


# A crawl asks for fields of one answer twenty times, in several places. So many heads of so many bytes are kept apart.
_HEADS_KEPT, _HEAD_KEPT = 128, 16 * 1024


class ContentError(NewskeepError):
    """The body cannot be decoded: broken or unknown content coding, or larger than the bound."""


@dataclass(frozen=True)
class HttpMessage:
    """A request or response, cut but not changed: `head + body` is the message as on the wire.

    A message that ends inside its head has an empty `body` and `complete_head` false.
    """

    head: bytes
    complete_head: bool
    #: As on the wire. Most who parse a message want its head alone: the body is copied for those who ask for it.
    whole: bytes

    @classmethod
    def parse(cls, message: bytes) -> HttpMessage:
        """Cut a message at the first empty line; never raises."""
        before = _BEFORE.match(message)
        if end := _END_OF_HEAD.search(message, before.end() if before else 0):
            return cls(message[: end.end()], True, message)
        return cls(message, False, message)

    def with_body(self, body: bytes) -> HttpMessage:
        """The message with another body, whatever its head says of it."""
        return HttpMessage(self.head, self.complete_head, self.head + body)

    @cached_property
    def body(self) -> bytes:
        return self.whole[len(self.head) :]

    @property
    def has_body(self) -> bool:
        return len(self.whole) > len(self.head)

    @property
    def status(self) -> int | None:
        """The status code; `None` for a request, or what is not HTTP/1."""
        match = STATUS_LINE.match(self.head)
        return int(match[2]) if match else None

    @property
    def reason(self) -> str:
        """The reason phrase as sent; empty when there is none."""
        match = STATUS_LINE.match(self.head)
        return (match[3] or b"").decode("latin-1").strip() if match else ""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values in the order sent, folded lines joined, bytes as latin-1; no lines without a colon.

        Nor those that begin with one: pseudo-header fields of HTTP/2 (RFC 9113, 8.3), as browser crawlers write them.
        """
        return list(_fields(self.head) if len(self.head) <= _HEAD_KEPT else _fields.__wrapped__(self.head))

    def header(self, name: str) -> str | None:
        """The first value of a field, names compared without case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order, lists cut at commas."""
        wanted = name.lower()
        values = (value.split(",") for key, value in self.headers if key.lower() == wanted)
        return [item.strip() for value in values for item in value if item.strip()]

    @property
    def media_type(self) -> str | None:
        """Content-Type without parameters, lower case; `None` when missing or not a media type."""
        value = (self.header("content-type") or "").partition(";")[0].strip().lower()
        return value if re.fullmatch(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", value) else None

    @property
    def is_chunked(self) -> bool:
        return "chunked" in (coding.lower() for coding in self.all("transfer-encoding"))

    @property
    def payload(self) -> bytes:
        """The body with transfer coding removed, content coding as sent (RFC 9110, 6.4).

        Crawlers that write heads as they came and bodies without their chunks leave the coding named: see `is_framed`.
        """
        return b"".join(_chunks(self.body)) if self.is_chunked and is_framed(self.body) else self.body

    def beginning(self, size: int) -> bytes:
        """The first bytes of the content, at most `size`, as far as they can be decoded; never raises."""
        data = self.payload
        for coding in self._codings(data):
            if fits := _fitting(coding, data):
                out = bytearray()
                # Each codec has an exception of its own, with no base in common.
                with suppress(Exception):
                    for piece in _DECODERS[fits](data):
                        out += piece
                        if len(out) >= size:
                            break
                data = data if not out and _is_text(data) else bytes(out)
        return data[:size]

    def content(self, limit: int) -> bytes:
        """The body as a browser would save it: transfer and content coding removed.

        Servers name codings that are none, or that they have not applied, and leave out those that they have: a coding
        that is not known or does not fit the bytes counts as none, and text that is packed without a word is unpacked.
        Raises `ContentError` when it would be larger than `limit` bytes, or is broken.
        """
        data = self.payload
        if len(data) > limit:
            raise ContentError(f"larger than {limit:,} bytes")
        for coding in self._codings(data):
            if fits := _fitting(coding, data):
                data = _bounded(fits, data, limit)
        return data

    def _codings(self, data: bytes) -> Iterator[str | None]:
        """The content codings from the outermost on, then `None` for such as are not named, where there may be some."""
        if not data:
            return
        yield from reversed([coding.partition(";")[0].strip().lower() for coding in self.all("content-encoding")])
        if _PACKED_TYPES.isdisjoint(re.split(r"[/+.-]", self.media_type or "text")):
            yield from (None, None)


def is_framed(body: bytes) -> bool:
    """Whether a body, or its beginning, may be in chunks: it begins with the size of one, and a line ends behind it."""
    size = _CHUNK_SIZE.match(body)
    if size is None:
        return not body
    begin = body.find(b"\n") + 1
    end = begin + int(size[1], 16)
    return begin == 0 or end >= len(body) or end == begin or body[end : end + 1] in b"\r\n"


@lru_cache(_HEADS_KEPT)
def _fields(head: bytes) -> tuple[tuple[str, str], ...]:
    unfolded: list[bytes] = []
    for line in re.split(rb"\r?\n", head.lstrip(b"\r\n"))[1:]:
        if line[:1] in (b" ", b"\t") and unfolded:
            unfolded[-1] += b" " + line.strip()
        elif line:
            unfolded.append(line)
    pairs = (line.split(b":", 1) for line in unfolded if line.find(b":") > 0)
    return tuple((name.decode("latin-1").strip(), value.decode("latin-1").strip()) for name, value in pairs)


def _chunks(body: bytes) -> Iterator[bytes]:
    """Yield the data of each chunk; stop at the last one, or where the framing ends or breaks (RFC 9112, 7.1)."""
    at = 0
    while size := _CHUNK_SIZE.match(body, at):
        line_end = body.find(b"\n", at)
        length = int(size[1], 16)
        if line_end < 0 or length == 0:
            return
        yield body[line_end + 1 : line_end + 1 + length]
        at = line_end + 1 + length
        at += 2 if body[at : at + 2] == b"\r\n" else 1


def _fitting(coding: str | None, data: bytes) -> str | None:
    """The coding that takes `data` apart, which was said to be in `coding`; `None` for bytes that are in none.

    What begins like gzip or zstd is that, whatever it is called; what is called so must begin like it.
    """
    begins = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)
    if coding is None or coding not in _DECODERS or begins is not None:
        return begins if coding != "identity" else None
    _DECODERS[coding](b"")  # a decoder that is not there must be told
    return None if coding in _MAGIC_OF or coding == "identity" else coding


def begins_as(coding: str, beginning: bytes) -> bool:
    """Whether the first four bytes of a body may be those of what was packed in `coding`."""
    return coding not in _MAGIC_OF or any(
        beginning.startswith(magic) for magic, name in _MAGIC.items() if name in coding
    )


def _bounded(coding: str, source: bytes, limit: int) -> bytes:
    decode, out = _DECODERS[coding](source), bytearray()
    try:
        for piece in decode:
            out += piece
            if len(out) > limit:
                raise ContentError(f"larger than {limit:,} bytes when decompressed ({len(source):,} bytes of {coding})")
    except ContentError:
        raise
    except Exception as error:  # each codec has an exception of its own, with no base in common
        if _is_text(source):
            # It was never packed; "br" and "deflate" have no mark to tell by.
            return source
        # Servers cut streams short and browsers show what came; so do we.
        if not out:
            raise ContentError(f"broken {coding} data: {error}") from error
    return bytes(out)


def _is_text(data: bytes) -> bool:
    """Whether bytes begin like text: with a byte order mark, or without what no text has (MIME Sniffing, 7.2)."""
    return data.startswith((b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")) or not _BINARY.search(data, 0, 1024)


def _zlib(data: bytes, wbits: int) -> Iterator[bytes]:
    while data:
        decoder = zlib.decompressobj(wbits)
        while data and not decoder.eof:
            yield decoder.decompress(data, _READ)
            data = decoder.unconsumed_tail
        yield decoder.flush()
        # Several gzip members in a row are one stream (RFC 1952, 2.2); anything else after the end is padding.
        data = decoder.unused_data if decoder.eof and decoder.unused_data[:2] == b"\x1f\x8b" else b""


def _gzip(data: bytes) -> Iterator[bytes]:
    return _zlib(data, 31)


def _deflate(data: bytes) -> Iterator[bytes]:
    # "deflate" means zlib format (RFC 9110, 8.4.1.2), but some servers send it raw.
    is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return _zlib(data, 15 if is_zlib else -15)


# These two import when they are called, not when the first piece is asked for: a module that is missing here must not
# be taken for a body that is broken.


def _brotli(data: bytes) -> Iterator[bytes]:
    import brotli

    return _unbrotli(brotli.Decompressor(), data)


def _unbrotli(decoder: Any, data: bytes) -> Iterator[bytes]:
    piece = decoder.process(data, output_buffer_limit=_READ)
    while piece or not decoder.can_accept_more_data():
        yield piece
        piece = decoder.process(b"", output_buffer_limit=_READ)


def _zstd(data: bytes) -> Iterator[bytes]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return _unzstd(zstd.ZstdDecompressor(), data)


def _unzstd(decoder: Any, data: bytes) -> Iterator[bytes]:
    piece = decoder.decompress(data, _READ)
    while piece or not (decoder.eof or decoder.needs_input):
        yield piece
        if decoder.eof:
            return
        piece = decoder.decompress(b"", _READ)


_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
    "identity": lambda data: iter((data,)),
}

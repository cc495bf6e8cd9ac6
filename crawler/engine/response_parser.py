"""Reads the HTTP/1 answers that browsers read. Twisted's parser, by its private names, with what it fails made good."""

from __future__ import annotations

import re

from scrapy.core.downloader.handlers import http11
from twisted.web._newclient import HEADER, STATUS, ParseError
from twisted.web.http import _ChunkedTransferDecoder, _MalformedChunkedDataError, maxChunkSizeLineLength

from crawler.session.reasons import TWO_LENGTHS
from storage.http import STATUS_LINE

#: A response is cut off when its heads, those of 1xx responses included, are larger than this, in bytes; servers' own
#: limits are 8 to 64 KB.
HEAD_MAX_BYTES = 256 * 1024
#: Bytes of framing that chunks may have beyond those of their content.
FRAMING_BYTES = 256 * 1024
#: A field's name (RFC 9110, 5.6.2).
_FIELD_NAME = re.compile(rb"[\w!#$%&'*+.^`|~-]+")


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
            if self._framing > FRAMING_BYTES + self._content:
                raise _MalformedChunkedDataError("more framing than content")
        return is_read


class ResponseParser(http11._LenientHTTPClientParser):
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

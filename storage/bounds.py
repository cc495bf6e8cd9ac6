"""How much of what a store or spool holds is taken into memory at a time; what is larger was not written by us.

Everything here raises `Corrupt` beyond its bound, or where the bytes are not what they should be, in one line.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from storage.errors import Corrupt

#: Bytes of an article line, unpacked: twice what a page may have, as its text stands in it twice.
ARTICLE_LINE_MAX = 128 << 20
#: Bytes of a CDXJ line: two forms of an address, and a media type that a server may have made as long as a head.
CDXJ_LINE_MAX = 2 << 20
#: Captures of a CDXJ file; a WARC is closed at 150,000 records.
CDXJ_CAPTURES_MAX = 1_000_000
#: Bytes of a line of a crawl report, and of the outcomes that it is made from.
OUTCOME_LINE_MAX = 1 << 20
#: Bytes of JSON that is read as a whole: a site memory, the note of a compaction.
JSON_MAX = 16 << 20
#: Bytes of a record of a WARC, unpacked: what a whole WARC has.
RECORD_MAX = 1 << 30
#: Values of one JSON text, about: an empty list is two bytes here, and 64 in memory.
_VALUES_MAX = 4_000_000


def fits(data: bytes | bytearray, most: int = JSON_MAX) -> bool:
    """Whether a JSON text is within the bounds of `parse_json`."""
    return len(data) <= most and sum(data.count(sign) for sign in b",[{") <= _VALUES_MAX


def parse_json(data: bytes | bytearray, most: int = JSON_MAX) -> Any:
    """The value of a JSON text."""
    if len(data) > most:
        raise Corrupt(f"more than {most:,} bytes")
    if sum(data.count(sign) for sign in b",[{") > _VALUES_MAX:
        raise Corrupt(f"more than {_VALUES_MAX:,} values")
    try:
        return json.loads(data)
    except RecursionError:
        raise Corrupt("nested too deep") from None
    except ValueError as error:
        raise Corrupt(str(error)) from error


def read_json(stream: BinaryIO, most: int = JSON_MAX) -> Any:
    """The value of a JSON text that is a whole object of a store."""
    return parse_json(read_whole(stream, most), most)


def read_whole(stream: BinaryIO, most: int = JSON_MAX) -> bytes:
    """What is left of a stream."""
    data = bytearray()
    while len(data) <= most and (piece := stream.read(min(1 << 20, most + 1 - len(data)))):
        data += piece
    if len(data) > most:
        raise Corrupt(f"more than {most:,} bytes")
    return bytes(data)


def read_lines(stream: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield the lines of a stream with their line ends."""
    while line := stream.readline(most + 1):
        if len(line) > most:
            raise Corrupt(f"a line of more than {most:,} bytes")
        yield line


def read_lines_past(stream: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield the lines of a stream that are not longer than `most`; those that are are passed over."""
    long = False
    while line := stream.readline(most + 1):
        ends = line.endswith(b"\n")
        if not long and len(line) <= most:
            yield line
        long = not ends and (long or len(line) > most)


def unpack(decoder: zlib._Decompress, packed: bytes, room: int) -> tuple[bytes, bytes]:
    """Go on with a gzip member: what comes out, at most `room` bytes and one more, and what of `packed` is left."""
    try:
        data = decoder.decompress(packed, room + 1)
    except zlib.error as error:
        raise Corrupt(f"not gzip: {error}") from error
    return data, decoder.unconsumed_tail or decoder.unused_data

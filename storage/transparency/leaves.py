"""The leaves of a log: a line of ASCII each, which its hash is made of; docs/formats.md has the forms."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, cast

from storage.errors import Corrupt
from storage.warc import Record, read_records, stem_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HEX = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class RecordLeaf:
    """A record lies in a WARC: its gzip member there, with the SHA-256 (hex) of that member and of its block."""

    warc: str
    offset: int
    length: int
    member: str
    block: str

    def line(self) -> bytes:
        return f"record {self.warc} {self.offset} {self.length} {self.member} {self.block}".encode()


@dataclass(frozen=True, slots=True)
class MovedLeaf:
    """The members of a WARC lie in another one now, in their order, behind those of sources that were named before."""

    warc: str
    target: str

    def line(self) -> bytes:
        return f"moved {self.warc} {self.target}".encode()


@dataclass(frozen=True, slots=True)
class PurgedLeaf:
    """A member of a WARC, as it was logged, was left out when the WARC was made anew as `target`."""

    warc: str
    offset: int
    member: str
    target: str

    def line(self) -> bytes:
        return f"purged {self.warc} {self.offset} {self.member} {self.target}".encode()


Leaf = RecordLeaf | MovedLeaf | PurgedLeaf


def parse(line: bytes) -> Leaf:
    """The leaf of a line; raises `Corrupt` for what is none as this version writes it."""
    try:
        match line.decode("ascii").split(" "):
            case ["record", warc, offset, length, member, block]:
                return RecordLeaf(_name(warc), _count(offset), _count(length), _hex(member), _hex(block))
            case ["moved", warc, target]:
                return MovedLeaf(_name(warc), _name(target))
            case ["purged", warc, offset, member, target]:
                return PurgedLeaf(_name(warc), _count(offset), _hex(member), _name(target))
    except (ValueError, Corrupt):
        pass
    raise Corrupt(f"not a leaf of a log as this version writes it: {line[:60]!r}")


def leaves_of(stream: BinaryIO, filename: str) -> Iterator[RecordLeaf]:
    """Yield the leaves of a WARC; raises `Corrupt` where it cannot be read."""
    for record, member in members(stream):
        digests = (sha256(data).hexdigest() for data in (member, record.block))
        yield RecordLeaf(filename, record.offset, record.length, *digests)


def members(stream: BinaryIO) -> Iterator[tuple[Record, bytes]]:
    """Yield the records of a WARC, each with its gzip member as it lies there. Raises `Corrupt`."""
    kept = _Kept(stream)
    end = 0
    for record in read_records(cast(BinaryIO, kept)):
        end = record.offset + record.length
        yield record, kept.taken(record.offset, end)
    if kept.read(1) or kept.end != end:
        raise Corrupt(f"what follows byte {end:,} is no record")


class _Kept(io.RawIOBase):
    """A stream of which what was read last can be had again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._bytes = bytearray()
        self._start = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._bytes += data
        return len(data)

    @property
    def end(self) -> int:
        return self._start + len(self._bytes)

    def taken(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, and let go of all before `end`."""
        found = bytes(self._bytes[start - self._start : end - self._start])
        del self._bytes[: end - self._start]
        self._start = end
        return found


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return check


_hex, _digits = _matching(_HEX), _matching(_NUMBER)


def _count(text: str) -> int:
    return int(_digits(text))


def _name(text: str) -> str:
    return stem_of(text) + ".warc.gz"

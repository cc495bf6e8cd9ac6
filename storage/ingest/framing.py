"""Records in a stream, WARC or ARC, whole and byte for byte, found again behind what is none.

WARC: a version line, fields, an empty line, the block, two line ends (WARC 1.1, 4). ARC: a line of five or ten words,
the block, a line end (Internet Archive, "ARC file format", 1996).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from storage.bounds import RECORD_MAX
from storage.errors import Corrupt
from storage.ingest.frames import FrameDamage, FrameStream

_WARC = re.compile(rb"WARC/\d+\.\d+[ \t]*\r?\n")
_WARC_AHEAD = re.compile(rb"(?<=\n)WARC/\d+\.\d+[ \t]*\r?\n")
# URL, IP address, date of 14 digits, media type, in version 2 five more, length.
_ARC = re.compile(rb"[a-z][a-z0-9+.-]*:\S* \S+ \d{8,14} (?:[^\n ]+ )+(\d{1,12})\r?\n", re.IGNORECASE)
_ARC_AHEAD = re.compile(rb"(?<=\n)" + _ARC.pattern, re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_NEWLINES = re.compile(rb"[\r\n]*")
#: Bytes of a record's head.
_HEAD_MAX = 1 << 20
#: Bytes of a line that may begin a record.
_LINE_MAX = 64 << 10
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record with the line ends behind it."""

    data: bytes
    #: Bytes of `data` before the block, and of the block.
    head: int
    length: int
    #: Position of its first byte in what the file holds decompressed.
    position: int
    #: Where its compressed frame lies in the file, if it has one of its own.
    frame: tuple[int, int] | None

    @property
    def block(self) -> bytes:
        return self.data[self.head : self.head + self.length]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is no record, or no whole one."""

    what: str
    position: int
    #: The bytes, decompressed; of what is too large, or cannot be read, the beginning.
    piece: bytes
    #: Where they lie in the file, where they have compressed frames of their own.
    frame: tuple[int, int] | None = None


class NotAnArchiveFile(Corrupt):
    """A file that is neither WARC nor ARC."""


class RecordStream:
    """The records of a file, one way, with the faults between them. Raises `NotAnArchiveFile`."""

    def __init__(self, frames: FrameStream) -> None:
        self._frames = frames
        line = frames.peek(_LINE_MAX)
        self.is_arc = line.startswith(b"filedesc:") or _ARC.match(line) is not None
        if not self.is_arc and not line.lstrip(b"\r\n").startswith(b"WARC/"):
            raise NotAnArchiveFile("empty" if not line else "not a WARC, ARC or WACZ file")
        self._begins, self._ahead = (_ARC, _ARC_AHEAD) if self.is_arc else (_WARC, _WARC_AHEAD)

    def __iter__(self) -> Iterator[RawRecord | Fault]:
        frames = self._frames
        while True:
            frames.forget()
            began = frames.position
            try:
                blank = self._skip_newlines()
                if not frames.peek(1):
                    frames.read(1)  # raises where it is not the end
                    return
                yield self._record(began, blank)
            except FrameDamage as error:
                yield self._behind_damage(str(error), began)
            except _NoRecord as error:
                yield self._resynchronised(error, began)

    def _skip_newlines(self) -> bytes:
        blank = b""
        while match := _NEWLINES.match(self._frames.peek(64)):
            if not match[0]:
                break
            blank += self._frames.read(len(match[0]))
        return blank

    def _record(self, began: int, blank: bytes) -> RawRecord:
        """Read a record, whose frame began at `began`, with `blank` before it."""
        frames, position = self._frames, self._frames.position
        head = self._head(blank)
        length = self._length_of(head)
        if length is None:
            raise _NoRecord("a record without its length", blank + head)
        if length > RECORD_MAX:
            raise _NoRecord(f"a record of {length:,} bytes, more than {RECORD_MAX:,}", blank + head, length)
        data = head + self._block(position, head, length)
        if len(data) < len(head) + length:
            raise _NoRecord("a record that was cut off", blank + data)
        end = self._end(blank + data)
        start, stop = frames.start_of_frame(began), frames.end_of_frame()
        own = start is not None and stop is not None and not frames.starts_between(began, frames.position)
        frame = (start, stop) if own and start is not None and stop is not None else None
        return RawRecord(data + end, len(head), length, position, frame)

    def _head(self, blank: bytes) -> bytes:
        line = self._line(blank)
        if not self._begins.fullmatch(line):
            raise _NoRecord("bytes that are no record", blank + line)
        if self.is_arc:
            return line
        head = bytearray(line)
        while line.strip():
            line = self._line(blank + head)
            head += line
            if not line or len(head) > _HEAD_MAX:
                raise _NoRecord("a head without an end", blank + bytes(head))
        return bytes(head)

    def _line(self, read: bytes) -> bytes:
        try:
            return self._frames.readline(_LINE_MAX)
        except FrameDamage:
            self._frames.unread(read)
            raise

    def _length_of(self, head: bytes) -> int | None:
        match = _ARC.fullmatch(head) if self.is_arc else _LENGTH.search(head)
        return int(match[1]) if match else None

    def _block(self, position: int, head: bytes, length: int) -> bytes:
        """The block, up to where another record begins with a frame of its own: then this one was cut off."""
        frames = self._frames
        try:
            block = frames.read(length)
        except FrameDamage:
            frames.unread(head)
            raise
        for start in frames.starts_between(position + len(head) - 1, frames.position):
            at = start - position - len(head)
            if self._begins.match(block[at : at + _LINE_MAX]):
                frames.unread(block[at:])
                return block[:at]
        return block

    def _end(self, data: bytes) -> bytes:
        """The line ends behind a block. Raises `_NoRecord` where something else stands there: its length is wrong."""
        frames = self._frames
        full = b"\n" if self.is_arc else b"\r\n\r\n"
        found = _NEWLINES.match(frames.peek(len(full)))
        end = frames.read(len(found[0]) if found else 0)
        if frames.end_of_frame() is not None:
            return end
        if end == full:
            return end + self._skip_newlines()
        following = frames.peek(_LINE_MAX)
        if following and not self._begins.match(following):
            raise _NoRecord("a record whose length is not that of its block", data + end)
        return end

    # Faults

    def _behind_damage(self, what: str, began: int) -> Fault:
        frames = self._frames
        piece, damaged = frames.buffered(), frames.frame_at
        alone = frames.start_of_frame(began) == damaged
        after = frames.go_on(self._begins)
        return Fault(what, began, piece, (damaged, after) if alone else None)

    def _resynchronised(self, error: _NoRecord, began: int) -> Fault:
        """Go on to where the next record begins; what is passed over is the fault's piece."""
        frames, start = self._frames, self._frames.start_of_frame(began)
        piece = error.read[:1]
        frames.unread(error.read[1:])
        if error.passed_over:
            piece = self._pass_over(error.read, error.passed_over)
        else:
            piece += self._up_to_next(began, piece)
        stop = frames.end_of_frame()
        return Fault(str(error), began, piece, (start, stop) if start is not None and stop is not None else None)

    def _pass_over(self, head: bytes, left: int) -> bytes:
        self._frames.read(len(head) - 1)
        with suppress(FrameDamage):  # told when reading goes on
            while left and (skipped := len(self._frames.read(min(left, _PIECE)))):
                left -= skipped
        return head

    def _up_to_next(self, began: int, before: bytes) -> bytes:
        """Read up to a frame, or a line, that begins like a record; `before` is the byte that was read last."""
        frames, piece = self._frames, bytearray(before)
        while data := frames.peek(_PIECE):
            starts = [at - frames.position for at in frames.starts_between(began, frames.position + len(data))]
            framed = next((at for at in starts if at >= 0 and self._begins.match(data[at : at + _LINE_MAX])), None)
            # With what was read last before it, so that the line end can be seen.
            line = self._ahead.search(bytes(piece[-1:]) + data)
            places = [at for at in (framed, line.start() - 1 if line else None) if at is not None]
            if places:
                piece += frames.read(min(places))
                break
            if len(data) < _PIECE:
                piece += frames.read(len(data))
                break
            # A line may begin at the end of this piece.
            piece += frames.read(len(data) - _LINE_MAX)
            del piece[_PIECE:-1]
        return bytes(piece[1:])


class _NoRecord(Exception):
    def __init__(self, what: str, read: bytes, passed_over: int = 0) -> None:
        """`read`: what was taken of it; `passed_over`: bytes behind that to be skipped."""
        super().__init__(what)
        self.read = read
        self.passed_over = passed_over

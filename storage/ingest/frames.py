"""The content of a file that may be compressed, with the places where its compressed frames begin and end.

A frame is a gzip member or a Zstandard frame. Many writers make one for each record, so that it can be read alone;
others compress a file as a whole, or not at all.
"""

from __future__ import annotations

import re
import sys
import zlib
from typing import Any, BinaryIO

from storage.errors import Corrupt

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
#: A skippable frame with the dictionary of all others (IIPC, "Use of Zstandard in WARC files", 2.1).
_DICTIONARY = b"\x5d\x2a\x4d\x18"
_DICTIONARY_MAX = 64 << 20
#: Small, because decoders hand back what is behind a frame as a copy.
_READ = 1 << 14
#: Bytes decompressed at a time.
_PIECE = 1 << 18
#: Bytes read at a time in search of the next frame.
_SEARCH = 1 << 20


class FrameDamage(Corrupt):
    """A frame that cannot be decompressed; all before it came out, and `FrameStream.go_on` looks for the next."""


class FrameStream:
    """Reads a file, decompressed, one way. Memory is that of one read and some 300 KB.

    Reads raise `FrameDamage` where what they need cannot be had; what was read before stays read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        beginning = file.read(4)
        file.seek(0)
        #: "gzip", "zstd", or `None` for what is not compressed.
        self.coding = "gzip" if beginning.startswith(GZIP) else None
        self._dictionary: zstd.ZstdDict | None = None
        if beginning in (ZSTD, _DICTIONARY):
            self.coding = "zstd"
            self._read_dictionary(beginning == _DICTIONARY)
        self._decoder: Any = None
        self._packed, self._packed_at = b"", file.tell()
        #: Where the frame lies that is being read.
        self.frame_at = file.tell()
        self._buffer = bytearray()
        #: Bytes given out, and decompressed.
        self.position = self._made = 0
        #: Position -> place in the file, of the frames that begin and end there.
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end of the file only."""
        while len(self._buffer) < size and self._fill():
            pass
        return self._take(size)

    def readline(self, most: int) -> bytes:
        """Return a line with its end, or `most` bytes of it."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched >= most or not self._fill():
                break
        return self._take(min(end + 1 if end >= 0 else len(self._buffer), most))

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay to be read; fewer at the end of the file or where it is damaged."""
        try:
            while len(self._buffer) < size and self._fill():
                pass
        except FrameDamage:
            pass  # told when it is read
        return bytes(self._buffer[:size])

    def buffered(self) -> bytes:
        """Take what is decompressed already."""
        return self._take(len(self._buffer))

    def unread(self, data: bytes) -> None:
        """Put back what was read last."""
        self._buffer[:0] = data
        self.position -= len(data)

    def start_of_frame(self, position: int) -> int | None:
        """Where in the file a frame begins whose content begins at `position`, one that was read or comes next."""
        return self._starts.get(position)

    def end_of_frame(self) -> int | None:
        """Where in the file the frame ends whose content ends here; `None` in the middle of one."""
        self.peek(1)
        return self._ends.get(self.position)

    def starts_between(self, low: int, high: int) -> list[int]:
        """The positions, both ends left out, at which frames begin."""
        return sorted(position for position in self._starts if low < position < high)

    def forget(self) -> None:
        """Forget the frames that end before here."""
        self._starts = {at: place for at, place in self._starts.items() if at >= self.position}
        self._ends = {at: place for at, place in self._ends.items() if at >= self.position}

    def go_on(self, begins: re.Pattern[bytes]) -> int:
        """After damage: give up the rest of the frame, and return where in the file the next one begins, or its end.

        A frame counts where what it holds begins as `begins` says: compressed bodies look like frames too.
        """
        self._take(len(self._buffer))
        self._decoder, magic = None, ZSTD if self.coding == "zstd" else GZIP
        at = self._find(magic, self.frame_at + 1, begins)
        self._file.seek(at)
        self._packed, self._packed_at = b"", at
        self._made = self.position
        return at

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.position += len(data)
        return data

    def _fill(self) -> bool:
        """Decompress some more; `False` at the end of the file."""
        if self.coding is None:
            data = self._file.read(_PIECE)
            self._put(data)
            return bool(data)
        if not self._packed:
            self._packed = self._file.read(_READ)
        if self._decoder is None:
            if not self._packed:
                return False
            self.frame_at = self._packed_at
            self._decoder = self._new_decoder()
            self._starts[self._made] = self.frame_at
        if not self._packed and self._needs_input():
            raise FrameDamage("it ends in the middle of a compressed frame")
        self._decompress()
        return True

    def _needs_input(self) -> bool:
        return bool(self._decoder.needs_input) if self.coding == "zstd" else True

    def _decompress(self) -> None:
        given = len(self._packed)
        try:
            self._put(self._decoder.decompress(self._packed, _PIECE))
        except (zlib.error, zstd.ZstdError, EOFError) as error:
            what = " ".join(str(error).split())
            raise FrameDamage(f"a compressed frame that cannot be read ({what})") from error
        if self._decoder.eof:
            self._packed = self._decoder.unused_data
        else:
            # A Zstandard decoder keeps what it has not used.
            self._packed = self._decoder.unconsumed_tail if self.coding == "gzip" else b""
        self._packed_at += given - len(self._packed)
        if self._decoder.eof:
            self._decoder = None
            self._ends.setdefault(self._made, self._packed_at)

    def _put(self, data: bytes) -> None:
        self._buffer += data
        self._made += len(data)

    def _new_decoder(self) -> Any:
        return zstd.ZstdDecompressor(self._dictionary) if self.coding == "zstd" else zlib.decompressobj(31)

    def _read_dictionary(self, is_there: bool) -> None:
        if not is_there:
            return
        size = int.from_bytes(self._file.read(8)[4:], "little")
        content = self._file.read(min(size, _DICTIONARY_MAX))
        try:
            if content.startswith(ZSTD):
                content = zstd.ZstdDecompressor().decompress(content, _DICTIONARY_MAX)
            self._dictionary = zstd.ZstdDict(content, is_raw=not content.startswith(b"\x37\xa4\x30\xec"))
        except (zstd.ZstdError, ValueError) as error:
            raise Corrupt(f"its Zstandard dictionary cannot be read ({error})") from error

    def _find(self, magic: bytes, start: int, begins: re.Pattern[bytes]) -> int:
        """Where the next frame begins, from `start` on; the end of the file where there is none."""
        self._file.seek(start)
        data, at = b"", start
        while piece := self._file.read(_SEARCH):
            data += piece
            found = data.find(magic)
            while found >= 0:
                if len(data) - found < _READ:
                    data += self._file.read(_READ)
                if begins.match(self._beginning(data[found : found + _READ])):
                    return at + found
                found = data.find(magic, found + 1)
            keep = len(magic) - 1
            at, data = at + len(data) - keep, data[-keep:]
        return self._file.seek(0, 2)

    def _beginning(self, packed: bytes) -> bytes:
        try:
            return bytes(self._new_decoder().decompress(packed, _READ)).lstrip(b"\r\n")
        except (zlib.error, zstd.ZstdError):
            return b""

"""What can still be read of a WARC file that was not closed, or was damaged after it was.

A writer that is killed leaves the beginning of a record at the end, and nothing else. Any other break was made by a
disk or a person, and behind it there may be whole records.
"""

from __future__ import annotations

import mmap
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Corrupt
from storage.spool import Look, no_look
from storage.warc import read_record

#: Small, because zlib hands back what is behind a member as a copy.
_READ = 1 << 14
_MAGIC = b"\x1f\x8b\x08"


def cut_torn(path: Path, look: Look = no_look) -> int:
    """Cut off the half gzip member that a killed writer leaves; return its length.

    Raises `Corrupt`, and changes nothing, where the file is broken in another way; so does what `look` raises, which is
    called before each member.
    """
    with _mapped(path) as data:
        good = 0
        try:
            while good < len(data):
                look()
                good = _end_of_member(data, good)
        except EOFError:
            pass
        except zlib.error as error:
            raise Corrupt(f"a broken record at offset {good} ({error})") from error
        torn = len(data) - good
    if torn:
        os.truncate(path, good)
    return torn


def whole_records(path: Path) -> Iterator[tuple[int, int]]:
    """Yield offset and length of each gzip member that holds a record with the block it should have."""
    with _mapped(path) as data:
        at = 0
        while 0 <= at < len(data):
            try:
                end = _end_of_member(data, at)
                read_record(data[at:end]).check()
            except (EOFError, zlib.error, Corrupt):
                at = data.find(_MAGIC, at + 1)
            else:
                yield at, end - at
                at = end


def copy_whole_records(source: Path, target: Path, look: Look = no_look) -> int:
    """Write the whole records of a WARC to a new file, durable, byte for byte; return their number.

    `target` gets its name when it is complete. `look` is called before each record and ends the work by what it raises.
    """
    number = 0
    temporary = target.with_name(target.name + ".tmp")
    with source.open("rb") as old, temporary.open("wb") as new:
        for offset, length in whole_records(source):
            look()
            old.seek(offset)
            new.write(old.read(length))
            number += 1
        new.flush()
        os.fsync(new.fileno())
    temporary.replace(target)
    return number


@contextmanager
def _mapped(path: Path) -> Iterator[bytes | mmap.mmap]:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _end_of_member(data: bytes | mmap.mmap, start: int) -> int:
    """Return where the gzip member at `start` ends; raises EOFError where the file ends first, `zlib.error`."""
    decoder, at = zlib.decompressobj(31), start
    while not decoder.eof:
        if not (piece := data[at : at + _READ]):
            raise EOFError
        decoder.decompress(piece)
        at += len(piece)
    return at - len(decoder.unused_data)

"""A foreign file as WARCs of ours: the gzip members it has, as they are; of other records members that are made here.

The name of a part follows from the file's SHA-256 and first date, so that a second run, on any machine, makes the same
parts and finds them there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from isal import igzip

from storage.ingest.checking import ForeignRecord, Survey, checked, copy_range
from storage.ingest.frames import FrameStream
from storage.ingest.framing import Fault, RecordStream
from storage.renditions import is_rendition
from storage.spool import Look, Parcel, no_look, sync_folder, writing
from storage.warc import make_stem

_GZIP_LEVEL = 2
#: A part ends behind so many bytes, not compressed, or records: what sealing and an index file take at a time. WARCs of
#: the customary 1 GB stay whole.
PART_BYTES, PART_RECORDS = 16 << 30, 200_000
#: Digits of the file's SHA-256 in the names of its parts.
_DIGITS = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PartBounds:
    bytes: int = PART_BYTES
    records: int = PART_RECORDS


class PartWriter:
    """Writes one file's parts into a folder of the spool, one after the other.

    `is_held` says of a part's name whether the archive has it: then it is passed over. `set_aside` is a folder for the
    bytes of faults.
    """

    def __init__(
        self,
        source: Path,
        found: Survey,
        folder: Path,
        set_aside: Path,
        is_held: Callable[[str], bool] = lambda filename: False,
        bounds: PartBounds | None = None,
    ) -> None:
        self._source = source
        self._found = found
        self._folder = folder
        self._set_aside = set_aside
        self._is_held = is_held
        self._bounds = bounds or PartBounds()
        #: Names of all parts, also of those that were held.
        self.filenames: list[str] = []
        self._written = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256, hex, of all parts in order: that of the file where it was taken over as it is."""
        return self._written.hexdigest()

    def parcels(self, look: Look = no_look) -> Iterator[Parcel]:
        """Yield each part when it is whole, durable and not held; the next is written when it is asked for.

        `look` is called before each record and ends the work by what it raises. Raises `SpoolError`.
        """
        with self._source.open("rb") as source, self._source.open("rb") as again:
            records = RecordStream(FrameStream(source))
            part: _Part | None = None
            try:
                for each in checked(records, self._found.sha256):
                    look()
                    if isinstance(each, Fault):
                        self._keep(each, again)
                        continue
                    if part is not None and part.is_full(each, self._bounds):
                        yield from part.close()
                        part = None
                    part = part or self._next()
                    for piece in self._pieces(each, again):
                        self._written.update(piece)
                        part.write(piece)
                    part.count(each)
                if part is not None:
                    yield from part.close()
            finally:
                if part is not None:
                    part.discard()

    @property
    def first_filename(self) -> str:
        return self._filename(0)

    def _filename(self, number: int) -> str:
        return make_stem(self._found.first or _EPOCH, self._found.sha256[:_DIGITS], number) + ".warc.gz"

    def _next(self) -> _Part:
        parcel = Parcel(self._folder / self._filename(len(self.filenames)))
        self.filenames.append(parcel.filename)
        return _Part(parcel, self._is_held(parcel.filename))

    def _pieces(self, each: ForeignRecord, source: BinaryIO) -> Iterator[bytes]:
        if each.member is not None and self._found.coding == "gzip":
            return copy_range(source, *each.member)
        # mtime=0: the same record gives the same bytes.
        return iter((igzip.compress(each.data, _GZIP_LEVEL, mtime=0),))

    def _keep(self, fault: Fault, source: BinaryIO) -> None:
        """Put the bytes of a fault where a person can look at them."""
        path = self._set_aside / f"{self._found.sha256[:_DIGITS]}-{fault.position}.piece"
        with writing(path):
            self._set_aside.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as kept:
                for piece in copy_range(source, *fault.frame) if fault.frame else (fault.piece,):
                    kept.write(piece)


class _Part:
    """A part in the making; one that is held is only counted."""

    def __init__(self, parcel: Parcel, held: bool) -> None:
        self._parcel = parcel
        self._held = held
        self._bytes = self._records = 0
        # What a killed run leaves under this name is swept out of the spool.
        self._temporary = parcel.warc.with_name(parcel.filename + ".tmp")
        self._file: BinaryIO | None = None
        if not held:
            with writing(self._temporary):
                self._file = self._temporary.open("wb")

    def is_full(self, following: ForeignRecord, bounds: PartBounds) -> bool:
        """Whether the next record begins another part: not one that belongs to the exchange before it."""
        full = self._bytes >= bounds.bytes or self._records >= bounds.records
        begins = following.record.type in ("response", "revisit", "resource", "warcinfo")
        return full and begins and not is_rendition(following.record.url)

    def write(self, piece: bytes) -> None:
        if self._file is not None:
            with writing(self._temporary):
                self._file.write(piece)

    def count(self, each: ForeignRecord) -> None:
        self._bytes += len(each.data)
        self._records += 1

    def close(self) -> Iterator[Parcel]:
        """Make the part durable, and yield it, if it is not held."""
        if self._file is None:
            return
        with writing(self._temporary):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._parcel.warc)
            sync_folder(self._parcel.warc.parent)
        yield self._parcel

    def discard(self) -> None:
        """Leave nothing of a part that did not become whole."""
        if self._file is not None and not self._file.closed:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

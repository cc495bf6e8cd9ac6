"""A stored WARC read from one end to the other, over damaged places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO, cast

from storage.errors import Corrupt
from storage.hashing import HashingReader
from storage.inventory import Holding
from storage.model import Capture
from storage.objects import ObjectStore
from storage.warc import Record, capture_of, read_date, read_records


@dataclass(frozen=True, slots=True)
class Reference:
    """What a revisit record refers to; its header fields as written."""

    revisit: Capture
    url: str | None
    date: str | None
    digest: str | None

    @property
    def moment(self) -> datetime | None:
        try:
            return read_date(self.date)
        except ValueError:
            return None


@dataclass(slots=True)
class ScanResult:
    """What was found in a WARC."""

    captures: list[Capture] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    #: What is broken, a line for each place.
    damage: list[str] = field(default_factory=list)
    records: int = 0
    bytes: int = 0
    #: Of the whole file, hex; `None` when it could not be read in one go.
    sha256: str | None = None


def read_through(store: ObjectStore, holding: Holding, places: Sequence[int] = ()) -> ScanResult:
    """Read and check every record of a WARC.

    `places` are offsets where records are known to begin, in order: behind a broken record, reading goes on at the next
    of them. Raises `ObjectMissing`.
    """
    reading = ScanResult()
    start: int | None = 0
    while start is not None:
        start = _read_from(store, holding, start, places, reading)
    return reading


def _read_from(
    store: ObjectStore, holding: Holding, start: int, places: Sequence[int], reading: ScanResult
) -> int | None:
    """Read as far as it goes; return where to go on, `None` at the end."""
    end = start
    with store.open(holding.key(), start) as stream:
        hashed = HashingReader(stream)
        try:
            for record in read_records(cast(BinaryIO, hashed)):
                _take(replace(record, offset=start + record.offset), holding, reading)
                end = start + record.offset + record.length
            hashed.drain()
            if start + hashed.size != end:
                raise Corrupt("what follows is no record")
        except Corrupt as error:
            reading.damage.append(f"damaged at byte {end:,} ({error})")
            return next((place for place in places if place > end), None)
        finally:
            reading.bytes += hashed.size
    if start == 0:
        reading.sha256 = hashed.sha256
    return None


def _take(record: Record, holding: Holding, reading: ScanResult) -> None:
    reading.records += 1
    try:
        record.check()
        capture = capture_of(record, holding.filename)
    except Corrupt as error:
        reading.damage.append(str(error))
        return
    if capture is None:
        return
    reading.captures.append(capture)
    if capture.is_revisit:
        reading.references.append(
            Reference(
                capture,
                record.field("WARC-Refers-To-Target-URI"),
                record.field("WARC-Refers-To-Date"),
                record.field("WARC-Payload-Digest"),
            )
        )

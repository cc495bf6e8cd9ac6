"""A stored WARC read from one end to the other, over damaged places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO, cast

from storage.digests import is_of
from storage.errors import Corrupt
from storage.hashing import HashingReader
from storage.http import HttpMessage
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


def read_through(store: ObjectStore, holding: Holding, known: Iterable[Capture] = ()) -> ScanResult:
    """Read and check every record of a WARC.

    `known` are its captures as its CDXJ has them: behind a broken record, reading goes on where the next of them
    begins, and a capture that is found has digests of the kind that the known one has. Raises `ObjectMissing`.
    """
    lines = {capture.offset: capture for capture in known}
    places = sorted(lines)
    reading = ScanResult()
    start: int | None = 0
    while start is not None:
        start = _read_from(store, holding, start, places, lines, reading)
    return reading


def _read_from(
    store: ObjectStore,
    holding: Holding,
    start: int,
    places: Sequence[int],
    lines: Mapping[int, Capture],
    reading: ScanResult,
) -> int | None:
    """Read as far as it goes; return where to go on, `None` at the end."""
    end = start
    with store.open(holding.key(), start) as stream:
        hashed = HashingReader(stream)
        try:
            for record in read_records(cast(BinaryIO, hashed)):
                _take(replace(record, offset=start + record.offset), holding, lines, reading)
                end = start + record.offset + record.length
            hashed.drain()
            if start + hashed.size != end:
                raise Corrupt("what follows is no record")
        except Corrupt as error:
            reading.damage.append(f"damaged at byte {end:,} ({error})")
            # Never back: what is damaged may say anything of its length.
            return next((place for place in places if place > max(start, end)), None)
        finally:
            reading.bytes += hashed.size
    if start == 0:
        reading.sha256 = hashed.sha256
    return None


def _take(record: Record, holding: Holding, lines: Mapping[int, Capture], reading: ScanResult) -> None:
    reading.records += 1
    try:
        record.check()
        capture = capture_of(record, holding.filename)
    except Corrupt as error:
        reading.damage.append(str(error))
        return
    if capture is None:
        return
    reading.captures.append(_as_known(capture, record, lines.get(record.offset)))
    if capture.is_revisit:
        reading.references.append(
            Reference(
                capture,
                record.field("WARC-Refers-To-Target-URI"),
                record.field("WARC-Refers-To-Date"),
                record.field("WARC-Payload-Digest"),
            )
        )


def _as_known(capture: Capture, record: Record, known: Capture | None) -> Capture:
    """The capture with the digests of its line, where these are of another kind and true.

    Older versions gave a SHA-1 to what others had written with SHA-256, and none to their revisits.
    """
    if known is None or known.digest == capture.digest:
        return capture
    if capture.is_revisit:
        return replace(capture, digest=None) if known.digest is None else capture
    message = HttpMessage.parse(record.response)
    if not is_of(known.digest, message.payload):
        return capture
    framed = known.framed_digest if is_of(known.framed_digest, message.body) else capture.framed_digest
    return replace(capture, digest=known.digest, framed_digest=framed)

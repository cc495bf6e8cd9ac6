"""What a foreign file holds, record by record: each parsed, held against its digests, and ready for a WARC of ours."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from storage.digests import matches
from storage.errors import Corrupt
from storage.http import HttpMessage
from storage.ingest.arc import to_warc
from storage.ingest.frames import FrameStream
from storage.ingest.framing import Fault, RawRecord, RecordStream
from storage.model import Capture
from storage.spool import Look, no_look
from storage.warc import Record, capture_of, read_records

#: Faults that are kept in a survey; beyond that they are counted.
_FAULTS_KEPT = 100
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A record that may be archived."""

    record: Record
    #: Bytes of the record as a WARC has it, not compressed: as they were read, but for those of an ARC.
    data: bytes
    #: Where its frame lies in the file, if that can be taken over as it is: a gzip member of this record alone.
    member: tuple[int, int] | None
    capture: Capture | None
    position: int
    #: Whether it has a payload digest that fits no reading of its payload.
    unproven: bool


@dataclass(slots=True)
class Survey:
    """What was found in a file that was read from one end to the other."""

    sha256: str
    size: int
    #: "WARC", "ARC"; "gzip", "zstd" or `None`.
    form: str = "WARC"
    coding: str | None = None
    #: Whether all of the file is gzip members of one record each, which are taken over as they are.
    as_it_is: bool = True
    #: `software` of its warcinfo record, as written.
    writer: str | None = None
    first: datetime | None = None
    last: datetime | None = None
    #: Records by their type.
    records: Counter[str] = field(default_factory=Counter)
    captures: int = 0
    #: Captures that the archive holds already.
    held: int = 0
    unproven: int = 0
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0
    #: What is wrong with the file as a whole, and cost no record.
    remarks: list[str] = field(default_factory=list)

    def note_fault(self, fault: Fault) -> str:
        """Count a fault, and return the line that tells of it."""
        self.fault_count += 1
        line = f"at byte {fault.position:,}: {fault.what}"
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(line)
        return line


def file_digest(path: Path, look: Look = no_look, on_bytes: Callable[[int], None] = lambda count: None) -> str:
    """SHA-256 of a file, hex; `on_bytes` is told how many more were read."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            look()
            sha256.update(piece)
            on_bytes(len(piece))
    return sha256.hexdigest()


def survey(
    path: Path,
    sha256: str,
    is_held: Callable[[Capture], bool] = lambda capture: False,
    look: Look = no_look,
    on_bytes: Callable[[int], None] = lambda count: None,
) -> Survey:
    """Read all of a file and say what is in it; nothing is written. Raises `NotAnArchiveFile`.

    `is_held` is asked of each capture, `look` called before each record, `on_bytes` told how far the file was read.
    """
    found = Survey(sha256, path.stat().st_size)
    end = 0
    with path.open("rb") as file:
        stream = FrameStream(file)
        records = RecordStream(stream)
        found.form, found.coding = "ARC" if records.is_arc else "WARC", stream.coding
        for each in checked(records, sha256):
            look()
            on_bytes(file.tell())
            if isinstance(each, Fault):
                found.note_fault(each)
                found.as_it_is = False
                continue
            # What lies between two members, such as an empty one, would be left out.
            found.as_it_is &= each.member is not None and each.member[0] == end and stream.coding == "gzip"
            end = each.member[1] if each.member else end
            _count(each, found, is_held)
        found.as_it_is &= end == os.fstat(file.fileno()).st_size
    return found


def _count(each: ForeignRecord, found: Survey, is_held: Callable[[Capture], bool]) -> None:
    record = each.record
    found.records[record.type] += 1
    found.unproven += each.unproven
    if record.type == "warcinfo" and found.writer is None:
        found.writer = _software(record)
    if each.capture is not None:
        found.captures += 1
        found.held += is_held(each.capture)
        moment = each.capture.timestamp
        found.first = min(found.first or moment, moment)
        found.last = max(found.last or moment, moment)


def checked(records: RecordStream, source: str) -> Iterator[ForeignRecord | Fault]:
    """Yield the records of a file that may be archived, and the faults; `source` is its SHA-256."""
    for raw in records:
        yield raw if isinstance(raw, Fault) else _checked(raw, records.is_arc, source)


def _checked(raw: RawRecord, is_arc: bool, source: str) -> ForeignRecord | Fault:
    try:
        data = to_warc(raw, source) if is_arc else raw.data
        record = _parsed(data)
        record.check()
        capture = capture_of(record, "")
    except Corrupt as error:
        what = str(error).removeprefix("record at offset 0").removeprefix(": ").strip()
        return Fault(f"a record that is not as it should be: {what}", raw.position, raw.data, raw.frame)
    member = None if is_arc else raw.frame
    return ForeignRecord(record, data, member, capture, raw.position, _is_unproven(record))


def _parsed(data: bytes) -> Record:
    """The one record in `data`, as our reader sees it. Raises `Corrupt`."""
    found = list(read_records(BytesIO(data)))
    if len(found) != 1:
        raise Corrupt("other readers see more than one record in it")
    return found[0]


def _is_unproven(record: Record) -> bool:
    """Whether a payload digest fits no reading of the payload: with its chunks, without, or the whole block."""
    written = record.field("WARC-Payload-Digest")
    if record.type not in ("response", "resource") or written is None or matches(written, record.block):
        return False
    message = HttpMessage.parse(record.response)
    return not (matches(written, message.payload) or matches(written, message.body))


def _software(record: Record) -> str | None:
    for line in record.block.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == "software" and value.strip():
            return value.strip()[:200]
    return None


def copy_range(source: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of a file from `start` to `end`, in pieces."""
    at = start
    while at < end:
        source.seek(at)
        if not (piece := source.read(min(_CHUNK, end - at))):
            return
        at += len(piece)
        yield piece

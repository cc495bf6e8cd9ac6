"""A closed WARC read back: every record held against its digest, its captures and pages found.

Pure, and of a part of it as well as of all: what is read back by workers is cut where exchanges begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.session.page_extraction import is_readable, is_whole
from storage.model import Capture
from storage.renditions import page_of
from storage.spool import Look, no_look
from storage.warc import WALL, Record, capture_of, read_records

#: Bytes of a part, packed: some sixty pages, a tenth of a second.
PART_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class WarcPart:
    """A piece of a WARC, in bytes; it begins and ends between two exchanges."""

    warc: Path
    start: int = 0
    #: `None`: the end of the file.
    end: int | None = None


@dataclass(frozen=True, slots=True)
class PartRead:
    """What a part holds."""

    records: int
    captures: tuple[Capture, ...]
    #: Offset of each page -> that of the record that its text is made of.
    sources: Mapping[int, int]


#: Reads parts back, in order. Calls what it is given to look by, and raises what that raises; and `Corrupt`.
ReadBack = Callable[[Sequence[WarcPart], Look], Iterable[PartRead]]


def parts_of(warc: Path, exchanges: Iterable[int]) -> list[WarcPart]:
    """Cut a WARC into parts of about `PART_BYTES`; `exchanges` are offsets at which some of its exchanges begin."""
    starts = [0]
    for offset in sorted(exchanges):
        if offset - starts[-1] >= PART_BYTES:
            starts.append(offset)
    return [WarcPart(warc, start, end) for start, end in zip(starts, [*starts[1:], None], strict=True)]


def read_back(part: WarcPart, look: Look = no_look) -> PartRead:
    """Check the records of a part. `look` is called once a record. Raises `Corrupt`."""
    captures: list[Capture] = []
    sources: dict[int, int] = {}
    records = 0
    for record, source in with_sources(_records(part)):
        look()
        record.check()
        records += 1
        if capture := capture_of(record, part.warc.name):
            captures.append(capture)
            if source is not None:
                sources[record.offset] = source.offset
    return PartRead(records, tuple(captures), sources)


def read_all(parts: Sequence[WarcPart], look: Look = no_look) -> Iterator[PartRead]:
    """Read parts back one after the other."""
    return (read_back(part, look) for part in parts)


def _records(part: WarcPart) -> Iterator[Record]:
    with part.warc.open("rb") as file:
        file.seek(part.start)
        for record in read_records(file):
            if part.end is not None and record.offset >= part.end:
                return
            yield record


def with_sources(records: Iterable[Record]) -> Iterator[tuple[Record, Record | None]]:
    """Yield each record with the one that its text is made of: of a page, itself, or its DOM where that is beside it.

    `None` for what is no page. A page comes behind the records beside it, all others in order.
    """
    page: Record | None = None
    source: Record | None = None
    for record in records:
        if page is not None and record.field("WARC-Concurrent-To") == page.field("WARC-Record-ID"):
            if record.type == "resource" and page_of(record.url) == page.url:
                source = record
            yield record, None
            continue
        if page is not None:
            yield page, source
        page = source = record if has_text(record) else None
        if page is None:
            yield record, None
    if page is not None:
        yield page, source


def has_text(record: Record) -> bool:
    """Whether a record is a page or document to be extracted."""
    if record.type not in ("response", "resource") or record.url.endswith("/robots.txt"):
        return False
    if record.field(WALL):
        return False
    response = record.response
    return is_readable(response) and is_whole(response, record.field("WARC-Truncated"))

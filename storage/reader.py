"""Originals out of the store: a capture's records, read by range, wherever a compaction has moved them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TypeVar

from storage.cdxj import in_seconds
from storage.errors import Corrupt, NotArchived, ObjectMissing
from storage.http import HttpMessage
from storage.index.index import Index
from storage.model import Capture
from storage.objects import ObjectStore
from storage.warc import NOT_MODIFIED, NOT_MODIFIED_PROFILE, Record, key_of, read_date, read_record, read_records

#: Times that a capture may be moved while it is being read.
_MOVES = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memento:
    """A capture with the exact bytes of its response.

    For a revisit the head is its own and the body comes from the capture it refers to, which had the same bytes. A 304
    has no body; the page that it confirms is in `message`.
    """

    capture: Capture
    #: The capture that holds the body; the same as `capture` unless that is a revisit.
    original: Capture
    response: bytes
    #: Why the response is not whole, as the WARC says; `None` for a whole one.
    truncated: str | None
    #: The response that a 304 confirms; `None` for all others.
    confirmed: bytes | None = None

    @property
    def message(self) -> HttpMessage:
        """What a reader is shown: the response, or the one that it confirms."""
        return HttpMessage.parse(self.response if self.confirmed is None else self.confirmed)


class Reader:
    """Reads what captures name. `index` opens the index when a capture must be looked up."""

    def __init__(self, store: ObjectStore, index: Callable[[], Index]) -> None:
        self._store = store
        self._index = index

    def read(self, capture: Capture) -> Memento:
        """Return the memento of a capture: one range of one object, two for a revisit, three for a 304.

        One that a compaction has moved since it was looked up is found again: the memento says where.
        """
        return self._found(capture, self._read)

    def _read(self, capture: Capture) -> Memento:
        record = self.record(capture)
        truncated = record.field("WARC-Truncated")
        if record.type != "revisit":
            return Memento(capture, capture, record.block, truncated)
        original = self.referred(record)
        block = self.record(original).block
        if record.field("WARC-Profile") == NOT_MODIFIED_PROFILE:
            return Memento(capture, original, self._not_modified(capture, record), truncated, block)
        return Memento(capture, original, record.block + HttpMessage.parse(block).body, truncated)

    def _not_modified(self, capture: Capture, revisit: Record) -> bytes:
        """The 304 that a revisit stands for; the block, where another writer has put it there."""
        if revisit.block:
            return revisit.block
        for record in self._beside(capture, revisit):
            if record.type == "metadata" and HttpMessage.parse(record.block).status == NOT_MODIFIED:
                return record.block
        raise NotArchived(f"the 304 answer of {capture.url} is not held")

    def record(self, capture: Capture) -> Record:
        """Return the WARC record of a capture, checked against its digest."""
        record = read_record(self.range(key_of(capture.filename), capture.offset, capture.length))
        record.check()
        return replace(record, offset=capture.offset, length=capture.length)

    def exchange(self, capture: Capture) -> list[tuple[Record, bytes]]:
        """Return the records of a capture's exchange, its response or revisit first, each with its gzip member."""
        return self._found(capture, self._exchange)

    def _exchange(self, capture: Capture) -> list[tuple[Record, bytes]]:
        found: list[tuple[Record, bytes]] = []
        # The length of the others is in no index, so ask for what they usually take.
        for beyond in (16_384, 1 << 20):
            data = self._range_up_to(key_of(capture.filename), capture.offset, capture.length + beyond)
            found = []
            try:
                for record in read_records(BytesIO(data)):
                    if found and record.field("WARC-Concurrent-To") != found[0][0].field("WARC-Record-ID"):
                        return found
                    record.check()
                    found.append((record, data[record.offset : record.offset + record.length]))
            except Corrupt:
                if not found:
                    raise
                continue
            if len(data) < capture.length + beyond:
                break
        return found

    def request(self, capture: Capture) -> Record:
        """Return the `request` record that belongs to a capture. Raises `NotArchived`."""
        return self._found(capture, self._request)

    def _request(self, capture: Capture) -> Record:
        for record in self._beside(capture, self.record(capture)):
            if record.type == "request":
                return record
        raise NotArchived(f"no request record of {capture.url} is held")

    def _beside(self, capture: Capture, response: Record) -> Iterator[Record]:
        """Yield the other records of an exchange, which stand behind its response."""
        start, seen = capture.offset + capture.length, 0
        # Their length is in no index, so ask for what they usually take.
        for size in (4096, 1 << 20):
            stream = BytesIO(self._range_up_to(key_of(capture.filename), start, size))
            try:
                for number, record in enumerate(read_records(stream)):
                    if record.field("WARC-Concurrent-To") != response.field("WARC-Record-ID"):
                        return
                    if number >= seen:
                        seen += 1
                        yield record
            except Corrupt:
                continue
            if stream.getbuffer().nbytes < size:
                return

    def referred(self, revisit: Record) -> Capture:
        """Return the capture that holds the body of a revisit. Raises `Corrupt` where the record does not name one."""
        url, date = revisit.field("WARC-Refers-To-Target-URI"), revisit.field("WARC-Refers-To-Date")
        if url is None or date is None:
            raise Corrupt(f"the revisit record of {revisit.url} does not say what it refers to")
        try:
            moment = read_date(date)
        except ValueError:
            raise Corrupt(f"the revisit record of {revisit.url} refers to {date!r}, which is no date") from None
        # It may be hidden, and the revisit is not: then the same bytes are to be shown.
        original = self._index().with_hidden.find(url, moment, revisit.field("WARC-Payload-Digest"))
        if original is None:
            raise NotArchived(f"{revisit.url}: the capture of {date} that holds the body is not in the archive")
        return original

    def _found(self, capture: Capture, read: Callable[[Capture], T]) -> T:
        """Read a capture; where its object is gone, look it up again: a compaction may have moved it meanwhile."""
        for _ in range(_MOVES):
            try:
                return _read_whole(capture, read)
            except ObjectMissing:
                capture = self.moved(capture) or capture
        try:
            return _read_whole(capture, read)
        except ObjectMissing as error:
            raise ObjectMissing(f"{error}; if the archive was compacted elsewhere: newskeep reindex") from None

    def moved(self, capture: Capture) -> Capture | None:
        """Return where a capture is now, by what does not change when it moves."""
        for now in self._index().captures(capture.url, since=capture.timestamp, until=capture.timestamp):
            there = replace(now, filename=capture.filename, offset=capture.offset)
            if in_seconds(there) == in_seconds(capture) and now.filename != capture.filename:
                return now
        return None

    def range(self, key: str, start: int, length: int) -> bytes:
        """Return `length` bytes of an object."""
        with self._store.open(key, start, length) as stream:
            return stream.read()

    def _range_up_to(self, key: str, start: int, length: int) -> bytes:
        with self._store.open(key, start) as stream:
            return stream.read(length)


def _read_whole(capture: Capture, read: Callable[[Capture], T]) -> T:
    """Read a capture; `Corrupt` says which one cannot be read, and what to do."""
    try:
        return read(capture)
    except Corrupt as error:
        raise Corrupt(
            f"the record of {capture.url} at {capture.offset} in {key_of(capture.filename)} cannot be read ({error}); "
            "newskeep verify --deep says what to do"
        ) from error

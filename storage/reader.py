"""Originals out of the store: a capture's records, read by range, wherever a compaction has moved them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from itertools import chain
from typing import TypeVar

from storage.cdxj import in_seconds
from storage.digests import canonical, is_of, matches
from storage.errors import Corrupt, InvalidURL, NotArchived, ObjectMissing
from storage.http import HttpMessage
from storage.index.index import Index
from storage.model import Capture
from storage.objects import ObjectStore
from storage.renditions import PREFIXES, Rendition, is_rendition
from storage.urls import normalize
from storage.warc import (
    NOT_MODIFIED,
    NOT_MODIFIED_PROFILE,
    PAYLOAD_DIGEST,
    Record,
    key_of,
    read_date,
    read_record,
    read_records,
)

#: Times that a capture may be moved while it is being read.
_MOVES = 2
#: Records that are read at most in search of one with a digest that only its writer can make.
_TRIED = 20
#: Bytes before a response in which its request is looked for, and what a gzip member begins with.
_LOOKED_BACK, _MAGIC = 64 << 10, b"\x1f\x8b\x08"
#: Bytes behind a response in which the records beside it are looked for, whose length is in no index, when what they
#: usually take does not do; the last of them only where there are such as a browser makes: pictures are large.
_FURTHER = (1 << 20, 8 << 20, 64 << 20)

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
            return Memento(capture, capture, record.response, truncated)
        original = self.referred(record)
        held = self.record(original)
        block = held.response
        sent = record.field(PAYLOAD_DIGEST)
        if sent is not None and not matches(sent, HttpMessage.parse(block).payload):
            raise Corrupt(f"the body held of {original.url} has not the SHA-256 of what was sent here")
        if truncated == "length":
            # So others say of a revisit that it has no body (WARC 1.0, 6.7.2); what counts is whether that is whole.
            truncated = held.field("WARC-Truncated")
        if record.field("WARC-Profile") == NOT_MODIFIED_PROFILE:
            return Memento(capture, original, self._not_modified(capture, record), truncated, block)
        # Other writers may leave the head out as well (WARC 1.1, 6.7.2).
        response = record.block + HttpMessage.parse(block).body if record.block else block
        return Memento(capture, original, response, truncated)

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
        for beyond in (16_384, *_FURTHER):
            if beyond == _FURTHER[-1] and not any(is_rendition(record.url) for record, _ in found):
                break
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
        response = self.record(capture)
        for record in chain(self._beside(capture, response), self._before(capture, response)):
            if record.type == "request":
                return record
        raise NotArchived(f"no request record of {capture.url} is held")

    def rendition(self, capture: Capture, rendition: Rendition) -> Record:
        """Return what a browser made of a capture's page. Raises `NotArchived`."""
        return self._found(capture, lambda found: self._rendition(found, rendition))

    def _rendition(self, capture: Capture, rendition: Rendition) -> Record:
        for record in self._beside(capture, self.record(capture)):
            if record.type == "resource" and record.url.startswith(PREFIXES[rendition]):
                record.check()
                return record
        raise NotArchived(f"no {rendition} of {capture.url} is held")

    def _beside(self, capture: Capture, response: Record) -> Iterator[Record]:
        """Yield the other records of an exchange, which stand behind its response."""
        start, seen, is_rendered = capture.offset + capture.length, 0, False
        for size in (4096, *_FURTHER):
            if size == _FURTHER[-1] and not is_rendered:
                return
            stream = BytesIO(self._range_up_to(key_of(capture.filename), start, size))
            try:
                for number, record in enumerate(read_records(stream)):
                    if record.field("WARC-Concurrent-To") != response.field("WARC-Record-ID"):
                        return
                    if number >= seen:
                        seen += 1
                        is_rendered |= is_rendition(record.url)
                        yield record
            except Corrupt:
                continue
            if stream.getbuffer().nbytes < size:
                return

    def _before(self, capture: Capture, response: Record) -> Iterator[Record]:
        """Yield the records of an exchange that stand before its response, as wget and Common Crawl write them."""
        start = max(0, capture.offset - _LOOKED_BACK)
        data, at = self.range(key_of(capture.filename), start, capture.offset - start), capture.offset - start
        while (at := data.rfind(_MAGIC, 0, at)) >= 0:
            with suppress(Corrupt):  # the magic may stand in the middle of a member
                record = read_record(data[at:])
                if not _is_beside(record, response):
                    return
                yield record

    def referred(self, revisit: Record) -> Capture:
        """Return the capture that holds the body of a revisit. Raises `Corrupt` where the record does not name one."""
        url, date = revisit.field("WARC-Refers-To-Target-URI"), revisit.field("WARC-Refers-To-Date")
        try:
            moment = read_date(date) if date is not None else None
        except ValueError:
            raise Corrupt(f"the revisit record of {revisit.url} refers to {date!r}, which is no date") from None
        if moment is None and revisit.field("WARC-Payload-Digest") is None:
            raise Corrupt(f"the revisit record of {revisit.url} does not say what it refers to")
        original = self.resolve(revisit.url, revisit.date, url, moment, revisit.field("WARC-Payload-Digest"))
        if original is None:
            of = f"of {date} that holds the body" if moment else "with the same body"
            raise NotArchived(f"{revisit.url}: the capture {of} is not in the archive")
        return original

    def resolve(
        self, url: str, date: datetime, refers_to: str | None, moment: datetime | None, written: str | None
    ) -> Capture | None:
        """Return the capture with the body of a revisit of `url` at `date`; `None` where it is not held.

        It is that of `refers_to` (without: of `url`) at `moment` with the payload digest `written`, in our form or as
        its own record has it. Writers of WARC 1.0 name no moment (Heritrix): then the newest of the URL before `date`.
        """
        # It may be hidden, and the revisit is not: then the same bytes are to be shown.
        index, digest, at = self._index().with_hidden, canonical(written), _in_our_form((refers_to or url).strip("<>"))
        if moment is not None and (digest or written is None) and (exact := index.find(at, moment, digest)):
            return exact
        held = [one for one in index.captures(at, since=moment, until=moment or date) if one.url == at]
        others = [one for one in reversed(held) if not one.is_revisit]
        same = (one for one in others if digest is not None and one.digest == digest)
        return next(same, None) or self._as_written(others[:_TRIED], written)

    def _as_written(self, captures: list[Capture], written: str | None) -> Capture | None:
        """The first of captures whose own record has the payload digest `written`, whatever its writer took it of."""
        for capture in captures if written else ():
            record = self.record(capture)
            if record.field("WARC-Payload-Digest") == written or is_of(
                written, HttpMessage.parse(record.response).payload
            ):
                return capture
        return None

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


def _is_beside(record: Record, response: Record) -> bool:
    """Whether a record belongs to an exchange; either of the two may name the other (WARC 1.1, 5.7)."""
    names = record.field("WARC-Concurrent-To") == response.field("WARC-Record-ID")
    return names or response.field("WARC-Concurrent-To") == record.field("WARC-Record-ID")


def _in_our_form(url: str) -> str:
    try:
        return normalize(url)
    except InvalidURL:
        return url


def _read_whole(capture: Capture, read: Callable[[Capture], T]) -> T:
    """Read a capture; `Corrupt` says which one cannot be read, and what to do."""
    try:
        return read(capture)
    except Corrupt as error:
        raise Corrupt(
            f"the record of {capture.url} at {capture.offset} in {key_of(capture.filename)} cannot be read ({error}); "
            "newskeep verify --deep says what to do"
        ) from error

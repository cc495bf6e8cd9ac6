"""A WARC made anew without some of its exchanges, with its CDXJ and text part; the store is only read.

In the place of an answer stands a `metadata` record with its `WARC-Record-ID` that says what was here, when it was
purged, why and by whom. Its request goes, and what else was recorded with it, but for the certificates: later exchanges
of the file name them. All other records are the same, byte for byte.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from isal import igzip

from storage.articles import move_part
from storage.certificates import MEDIA_TYPE
from storage.compaction.merge import TargetFiles, compare
from storage.digests import digest
from storage.errors import Corrupt
from storage.hashing import CHUNK
from storage.inventory import Holding
from storage.model import Capture
from storage.objects import ObjectStore
from storage.removals import Removal
from storage.renditions import is_rendition
from storage.warc import VERSION, Record, capture_of, read_records, warc_date

_GZIP_LEVEL = 2
#: Fields that the tombstone has from the record in whose place it stands.
_KEPT = ("WARC-Record-ID", "WARC-Warcinfo-ID", "WARC-Date")


def tombstone(record: Record, purge: Removal) -> bytes:
    """The record in an answer's place, as a gzip member. It has no `WARC-Target-URI`: indexers would file it."""
    told = {
        "purged": warc_date(purge.moment),
        "reason": purge.reason,
        "by": purge.by,
        "removal": purge.id,
        "was": record.type,
        "target-uri": record.url,
        "payload-digest": record.field("WARC-Payload-Digest"),
        "block-length": len(record.block),
    }
    lines = (f"{name}: {' '.join(str(value).split())}\r\n" for name, value in told.items() if value is not None)
    block = "".join(lines).encode(errors="replace")
    fields = [
        ("WARC-Type", "metadata"),
        *((name, value) for name in _KEPT if (value := record.field(name)) is not None),
        ("WARC-Block-Digest", digest(block)),
        ("Content-Type", "application/warc-fields"),
        ("Content-Length", str(len(block))),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    member: bytes = igzip.compress(
        b"".join((VERSION, b"\r\n", head.encode(), b"\r\n", block, b"\r\n\r\n")), _GZIP_LEVEL, mtime=0
    )
    return member


class PurgedWarc(TargetFiles):
    """A WARC in the making from another one, without what is purged."""

    def __init__(self, folder: Path, stem: str) -> None:
        super().__init__(folder, stem)
        self._source = self._exits.enter_context((folder / f"{stem}.source").open("x+b"))
        self._exits.callback((folder / f"{stem}.source").unlink, missing_ok=True)

    def take(self, store: ObjectStore, holding: Holding, purged: Mapping[int, Removal]) -> None:
        """Take a WARC without the answers at these offsets, every record checked.

        Raises `ObjectMissing`, and `Corrupt` where it and its parts do not agree, or no answer is at an offset.
        """
        with store.open(holding.key()) as stream:
            shutil.copyfileobj(stream, self._source, CHUNK)
        self._source.flush()
        beside = self._look(store, holding, purged)
        moved = self._write(holding, purged, beside)
        if holding.text is None:
            raise Corrupt("its text part is missing; `newskeep reextract` first")
        with store.open(holding.part) as stream:
            for _ in move_part(stream, self._text, holding.filename, self.filename, moved.get):
                pass

    def _look(self, store: ObjectStore, holding: Holding, purged: Mapping[int, Removal]) -> frozenset[str]:
        """Read all of the source, and return the ids of what was recorded with the answers that go."""
        captures: list[Capture] = []
        gone: set[str | None] = set()
        beside: set[str] = set()
        end = 0
        for record in self._records():
            record.check()
            end = record.offset + record.length
            if capture := capture_of(record, holding.filename):
                captures.append(capture)
                if record.offset in purged:
                    gone.add(record.field("WARC-Record-ID"))
                    # Others write the request first, and name it here.
                    beside.update(filter(None, [record.field("WARC-Concurrent-To")]))
        if end != self._source.seek(0, 2):
            raise Corrupt(f"what follows byte {end:,} is no record")
        if missing := purged.keys() - {capture.offset for capture in captures}:
            raise Corrupt(f"there is no answer at byte {min(missing):,}")
        compare(store, holding, captures)
        for record in self._records():
            name, other = record.field("WARC-Record-ID"), record.field("WARC-Concurrent-To")
            if other is not None and other in gone and name is not None:
                beside.add(name)
        return frozenset(beside)

    def _write(self, holding: Holding, purged: Mapping[int, Removal], beside: frozenset[str]) -> dict[int, int]:
        """Write the WARC, and return where its captures lie, by where they lay."""
        moved: dict[int, int] = {}
        for record in self._records():
            place = self._warc.tell()
            if record.offset in purged:
                self._warc.write(tombstone(record, purged[record.offset]))
            elif not self._goes(record, beside):
                self._warc.write(self._member(record))
                if capture := capture_of(record, holding.filename):
                    moved[record.offset] = place
                    self._captures.append(replace(capture, filename=self.filename, offset=place))
        return moved

    @staticmethod
    def _goes(record: Record, beside: frozenset[str]) -> bool:
        is_chain = record.field("Content-Type") == MEDIA_TYPE
        belongs = record.type in ("request", "metadata") or is_rendition(record.url)
        return record.field("WARC-Record-ID") in beside and belongs and not is_chain

    def _records(self) -> Iterator[Record]:
        # A handle of its own: what is yielded is read again meanwhile.
        with Path(self._source.name).open("rb") as source:
            yield from read_records(source)

    def _member(self, record: Record) -> bytes:
        self._source.seek(record.offset)
        return self._source.read(record.length)

"""Reads an archive's WARC files with warcio alone, so that what we wrote is judged by software of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record's header fields in order, and its block as stored."""

    fields: tuple[tuple[str, str], ...]
    block: bytes
    offset: int
    length: int

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def __getitem__(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    @property
    def type(self) -> str:
        return self["WARC-Type"] or ""

    @property
    def url(self) -> str:
        return self["WARC-Target-URI"] or ""


def warc_files(archive: Path) -> list[Path]:
    return sorted((archive / "warc").rglob("*.warc.gz"))


def records_of(path: Path) -> Iterator[RawRecord]:
    with path.open("rb") as stream:
        iterator = ArchiveIterator(stream, no_record_parse=True)
        for record in iterator:
            block = record.raw_stream.read()
            yield RawRecord(
                tuple(record.rec_headers.headers), block, iterator.get_record_offset(), iterator.get_record_length()
            )


def records(archive: Path) -> list[RawRecord]:
    """Every record of every WARC of a folder archive, in order."""
    return [record for path in warc_files(archive) for record in records_of(path)]


def by_url(archive: Path, *types: str) -> dict[str, list[RawRecord]]:
    """The records of some types, by URL."""
    found: dict[str, list[RawRecord]] = defaultdict(list)
    for record in records(archive):
        if record.type in types:
            found[record.url].append(record)
    return found

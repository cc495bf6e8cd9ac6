"""Sealing: a closed WARC is verified, its text and CDXJ are written beside it, and all go to the archive.

The captures come from reading the WARC back, not from memory, so that a fresh WARC, one that a killed run left and one
whose text is made again go the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from crawler.workers import Extraction, is_page
from storage import cdxj
from storage.articles import from_json, write_part
from storage.errors import Corrupt, SpoolError
from storage.model import Article, Capture, TextSource
from storage.spool import OPEN_SUFFIX, Parcel
from storage.warc import Record, capture_of, read_records, repair

#: Extracts a response, as on the wire, of a URL.
Extract = Callable[[bytes, str], Extraction]


@dataclass(frozen=True, slots=True)
class _Known:
    """Where the articles extracted during the crawl lie in the `.articles` file: record offset -> (start, length)."""

    path: Path
    places: dict[int, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> _Known:
        places: dict[int, tuple[int, int]] = {}
        at = 0
        with suppress(FileNotFoundError), path.open("rb") as file:
            for line in file:
                try:
                    places[json.loads(line)["offset"]] = (at, len(line))
                except (ValueError, KeyError, TypeError):
                    break  # a killed run ends in half a line; what follows is extracted again
                at += len(line)
        return cls(path, places)

    def article(self, file: BinaryIO, offset: int) -> Article | None:
        start, length = self.places[offset]
        file.seek(start)
        line = json.loads(file.read(length))["article"]
        return from_json(line) if line else None


def close_open(path: Path) -> Parcel | None:
    """Repair a WARC that a run left open and give it its final name; `None` when it held no exchange."""
    parcel = Parcel(path.with_name(path.name.removesuffix(OPEN_SUFFIX)))
    repair(path)
    with path.open("rb") as file:
        if all(record.type == "warcinfo" for record in read_records(file)):
            path.unlink()
            parcel.articles.unlink(missing_ok=True)
            return None
    path.replace(parcel.warc)
    return parcel


def seal(parcel: Parcel, extract: Extract) -> Parcel:
    """Verify a closed WARC and write its CDXJ and text beside it; each appears whole or not at all.

    Raises `Corrupt` when the WARC does not read back as it was written, `SpoolError` when the disk is full.
    """
    known = _Known.read(parcel.articles)
    captures: list[Capture] = []
    try:
        with _whole(parcel.text) as text, parcel.warc.open("rb") as warc:
            for _ in write_part(text, _articles(warc, parcel.filename, known, captures, extract)):
                pass
        with _whole(parcel.cdxj) as lines:
            lines.writelines(cdxj.lines(captures))
    except OSError as error:
        raise SpoolError(f"cannot write {parcel.warc.parent}: {error.strerror}") from error
    return parcel


def _articles(
    warc: BinaryIO, filename: str, known: _Known, captures: list[Capture], extract: Extract
) -> Iterator[Article]:
    """Yield the WARC's articles in its order, and put every capture into `captures` on the way."""
    known.path.touch()
    with known.path.open("rb") as file:
        for record in read_records(warc):
            record.check()
            capture = capture_of(record, filename)
            if capture is None:
                continue
            captures.append(capture)
            if capture.is_revisit or capture.url.endswith("/robots.txt"):
                continue
            if capture.offset in known.places:
                article = known.article(file, capture.offset)
            else:
                article = _extracted(record, extract)
            if article is not None:
                source = TextSource(filename, capture.offset, capture.length, capture.digest)
                yield replace(article, url=capture.url, timestamp=capture.timestamp, warc=source)


def _extracted(record: Record, extract: Extract) -> Article | None:
    if record.field("WARC-Truncated") or not is_page(record.block):
        return None
    return extract(record.block, record.url).article


class _whole:  # noqa: N801 - used like a function
    """A file for writing that gets its name only when it is complete and durable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(path.name + ".tmp")

    def __enter__(self) -> BinaryIO:
        self._file = self._temporary.open("wb")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        import os

        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        if kind is None:
            self._temporary.replace(self._path)
        else:
            self._temporary.unlink(missing_ok=True)


__all__ = ["Corrupt", "Extract", "close_open", "seal"]

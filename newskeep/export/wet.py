"""WET: the text of the articles as WARC/1.0 `conversion` records, as Common Crawl writes them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from newskeep.export import Part, Selection, Tools
from newskeep.export.languages import iso639_3
from newskeep.export.records import member, new_id, warcinfo
from newskeep.export.source import Read, by_day, read_articles, second_of
from storage.archive import Archive
from storage.digests import digest
from storage.errors import NewskeepError, StoreUnavailable
from storage.model import TextSource
from storage.problems import Problem
from storage.warc import key_of

#: Articles in a file.
_MOST = 10_000
#: Records asked for at once, and bytes of each: its header fields are at the beginning.
_THREADS, _HEAD = 8, 2_048
_AHEAD = 200


class Wet:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        with ThreadPoolExecutor(_THREADS) as threads:
            for name, articles in by_day(read_articles(archive, selection, after, self._tools), _MOST):
                key, records, last = f"{name}.warc.wet.gz", 0, ""
                path = folder / name
                with path.open("wb") as out:
                    out.write(_warcinfo(key, self._tools.software))
                    while some := list(islice(articles, _AHEAD)):
                        for read, record_id in zip(
                            some, threads.map(lambda one: self._id(archive, one), some), strict=True
                        ):
                            out.write(_conversion(read, record_id))
                            records, last = records + 1, second_of(read[0].timestamp)
                yield Part({key: path}, records, last)

    def _id(self, archive: Archive, read: Read) -> str | None:
        """The WARC-Record-ID of the response that an article was made from."""
        source = read[1].warc
        if source is None:
            return None
        try:
            return record_id(archive, source)
        except StoreUnavailable:
            raise
        except NewskeepError as error:
            self._tools.on_problem(Problem(source.filename, f"no WARC-Refers-To for {read[0].url}: {error}"))
            return None


def record_id(archive: Archive, source: TextSource) -> str | None:
    """Read the WARC-Record-ID of a record, and no more of it than its beginning."""
    with archive.store.open(key_of(source.filename), source.offset, min(_HEAD, source.length)) as stream:
        head = zlib.decompressobj(31).decompress(stream.read())
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"warc-record-id":
            return value.strip().decode("ascii", "replace")
    return None


def _warcinfo(filename: str, software: str) -> bytes:
    info = {
        "Software-Info": software,
        "Extracted-Date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "format": "WARC File Format 1.0",
        "description": "Text of the articles of a news archive",
    }
    return warcinfo("1.0", filename, info)


def _conversion(read: Read, refers_to: str | None) -> bytes:
    entry, article = read
    text = "\n".join(part for part in (article.title, article.text) if part)
    block = text.encode(errors="replace")
    language = iso639_3(article.language)
    fields = [
        ("WARC-Type", "conversion"),
        ("WARC-Target-URI", entry.url),
        ("WARC-Date", f"{entry.timestamp:%Y-%m-%dT%H:%M:%SZ}"),
        ("WARC-Record-ID", new_id()),
        *([("WARC-Refers-To", refers_to)] if refers_to else []),
        ("WARC-Block-Digest", digest(block)),
        *([("WARC-Identified-Content-Language", language)] if language else []),
    ]
    return member("1.0", [*fields, ("Content-Type", "text/plain")], block)

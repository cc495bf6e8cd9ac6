"""WET: the text of the articles as WARC/1.0 `conversion` records, as Common Crawl writes them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from newskeep.export import Part, Selection, Tools
from newskeep.export.languages import iso639_3
from newskeep.export.record_ids import record_ids
from newskeep.export.records import member, new_id, warcinfo
from newskeep.export.source import Read, by_day, read_articles, second_of
from storage.archive import Archive
from storage.digests import digest
from storage.errors import NewskeepError
from storage.problems import Problem

#: Articles in a file.
_MOST = 10_000
#: Articles whose records are looked up together, and requests at once.
_AHEAD, _THREADS = 200, 8


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
                        for read, record_id in zip(some, self._ids(archive, some, threads), strict=True):
                            out.write(_conversion(read, record_id))
                            records, last = records + 1, second_of(read[0].timestamp)
                yield Part({key: path}, records, last)

    def _ids(self, archive: Archive, articles: list[Read], threads: Executor) -> Iterator[str | None]:
        """The WARC-Record-IDs of the responses that articles were made from."""
        found = record_ids(archive, {source for _, article in articles if (source := article.warc)}, threads)
        for entry, article in articles:
            named = found[article.warc] if article.warc else None
            if isinstance(named, NewskeepError):
                self._tools.on_problem(Problem(entry.filename, f"no WARC-Refers-To for {entry.url}: {named}"))
                named = None
            yield named


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

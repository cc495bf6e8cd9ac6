"""JSON lines: the article lines of docs/formats.md, `<day>-<number>.jsonl.gz`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from gzip import GzipFile
from pathlib import Path
from typing import Any

from newskeep.export import Part, Selection, Tools
from newskeep.export.source import by_day, read_articles, second_of
from newskeep.fields import of_annotations
from storage.archive import Archive
from storage.articles import to_json, to_line
from storage.model import Article

#: Articles in a file.
_MOST = 10_000
_GZIP_LEVEL = 6


class Jsonl:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        for name, articles in by_day(read_articles(archive, selection, after, self._tools), _MOST):
            path, records, last = folder / name, 0, ""
            # Without name and time: the same articles give the same bytes.
            with path.open("wb") as file, GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as out:
                for entry, article in articles:
                    out.write(_line(archive, article))
                    records, last = records + 1, second_of(entry.timestamp)
            yield Part({f"{name}.jsonl.gz": path}, records, last)

    def lines(self, archive: Archive, selection: Selection) -> Iterator[bytes]:
        for _, article in read_articles(archive, selection, None, self._tools):
            yield _line(archive, article)


def _line(archive: Archive, article: Article) -> bytes:
    """The line as the archive has it; behind it, where there are any, the tags and notes."""
    said = article.timestamp and of_annotations(archive, article.url, article.timestamp)
    if not said:
        return to_line(article)
    fields = {**to_json(article), **said}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

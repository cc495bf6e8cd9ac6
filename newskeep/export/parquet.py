"""Parquet: `date=<day>/part-<time>.parquet`, a row an article, with real types; the only user of pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from newskeep.export import Part, Selection, Tools
from newskeep.export.source import by_day, read_articles, second_of
from newskeep.fields import of_annotations
from storage.archive import Archive
from storage.articles import to_json
from storage.index import ArticleEntry
from storage.model import Article

#: Articles in a file, and of these in a row group, which is held in memory.
_MOST, _A_GROUP = 50_000, 1_000

_TIME = pa.timestamp("us", tz="UTC")
_TEXTS = pa.list_(pa.string())
_MAP = pa.map_(pa.string(), pa.string())
SCHEMA = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        ("canonical_url", pa.string()),
        pa.field("site", pa.string(), nullable=False),
        pa.field("timestamp", _TIME, nullable=False),
        ("title", pa.string()),
        ("authors", _TEXTS),
        ("published", _TIME),
        # As the page gives it: with its zone, or with none.
        ("published_text", pa.string()),
        ("modified", _TIME),
        ("modified_text", pa.string()),
        ("language", pa.string()),
        ("section", pa.string()),
        ("topics", _TEXTS),
        ("image", pa.string()),
        ("description", pa.string()),
        ("text", pa.string()),
        ("words", pa.int32()),
        ("removed", pa.list_(pa.struct([("text", pa.string()), ("reason", pa.string())]))),
        (
            "warc",
            pa.struct(
                [
                    ("filename", pa.string()),
                    ("offset", pa.int64()),
                    ("length", pa.int64()),
                    ("digest", pa.string()),
                    ("insecure", pa.string()),
                ]
            ),
        ),
        (
            "extractor",
            pa.struct([(name, pa.string()) for name in ("name", "version", "model", "method")]),
        ),
        ("paywalled", pa.bool_()),
        ("noarchive", pa.bool_()),
        ("rights", pa.list_(pa.struct([(name, pa.string()) for name in ("name", "value", "source")]))),
        ("confidence", pa.float64()),
        ("fingerprint", pa.struct([("digest", pa.string()), ("sketch", pa.string())])),
        ("sources", _MAP),
        ("doubts", _MAP),
        # What people said of the capture.
        ("tags", _TEXTS),
        ("notes", pa.list_(pa.struct([("text", pa.string()), ("by", pa.string()), ("moment", _TIME)]))),
    ]
)


class Parquet:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        for name, articles in by_day(read_articles(archive, selection, after, self._tools), _MOST):
            path, records, last = folder / name, 0, ""
            rows: list[dict[str, Any]] = []
            with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
                for entry, article in articles:
                    rows.append(row(archive, entry, article))
                    records, last = records + 1, second_of(entry.timestamp)
                    if len(rows) == _A_GROUP:
                        writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
                        rows.clear()
                if rows:
                    writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
            yield Part({f"date={name[:10]}/part-{name[11:]}.parquet": path}, records, last)


def row(archive: Archive, entry: ArticleEntry, article: Article) -> dict[str, Any]:
    """The article line as a row, its times as times; with tags and notes, empty where there are none."""
    line = to_json(article)
    said = of_annotations(archive, entry.url, entry.timestamp)
    line |= {
        "site": entry.site,
        "timestamp": article.timestamp,
        "published": moment(article.published),
        "published_text": article.published,
        "modified": moment(article.modified),
        "modified_text": article.modified,
        "sources": list(article.sources.items()),
        "doubts": list(article.doubts.items()),
        "tags": said.get("tags", []),
        "notes": [{**note, "moment": moment(note["moment"])} for note in said.get("notes", [])],
    }
    return {name: _clean(line[name]) for name in SCHEMA.names}


def moment(text: str | None) -> datetime | None:
    """The time that a page gives, in UTC; without a zone it is taken for UTC, and a day for its beginning."""
    try:
        time = datetime.fromisoformat(text or "")
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _clean(value: Any) -> Any:
    """Half an emoji cannot be written as UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {name: _clean(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return tuple(map(_clean, value)) if isinstance(value, tuple) else value

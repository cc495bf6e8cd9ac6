"""Articles handed on as JSON lines, Markdown, WET and Parquet, read by others; and exports that were stopped."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml
from export_archive import ARTICLES, OTHER, PAPER, tools
from fastwarc.warc import ArchiveIterator, WarcRecordType
from web_archive import BEGIN

from newskeep.export import Selection, jsonl, markdown, open_stream
from newskeep.export.job import MANIFEST, export
from newskeep.export.languages import iso639_3
from newskeep.export.parquet import moment, row
from storage.archive import Archive
from storage.articles import parse_line
from storage.errors import AlreadyRunning, ObjectExists, UsageError
from storage.objects.local import LocalStore
from storage.problems import Problem
from storage.warc import key_of

pytest_plugins = ["export_archive"]
ALL = Selection()


@pytest.fixture
def target(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "out"))


def files(target: LocalStore) -> list[str]:
    return [info.key for info in target.list() if info.key != MANIFEST]


def manifest(target: LocalStore) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((target.root / MANIFEST).read_bytes())
    return made


def urls(target: LocalStore) -> list[str]:
    """Those of an export as JSON lines, in the order of the files' names, backwards."""
    found: list[str] = []
    for key in reversed(files(target)):
        found += [json.loads(line)["url"] for line in gzip.decompress((target.root / key).read_bytes()).splitlines()]
    return found


# Formats


def test_json_lines_are_the_article_lines(newsroom: Archive, target: LocalStore) -> None:
    done = export(newsroom, "jsonl", target, ALL, tools())
    assert (done.records, done.files) == (5, 1)
    lines = gzip.decompress((target.root / files(target)[0]).read_bytes()).splitlines(keepends=True)
    held_articles = list(newsroom.articles())
    assert [parse_line(line) for line in lines] == held_articles
    assert b"".join(open_stream("jsonl", tools()).lines(newsroom, ALL)) == b"".join(lines)
    assert manifest(target)["finished"] is not None


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(site="paper.example"), ARTICLES[2:]),
        (Selection(language="pt"), ARTICLES[2:3]),
        (Selection(since=BEGIN + timedelta(minutes=9)), ARTICLES[:2]),
        (Selection(until=BEGIN + timedelta(minutes=9)), ARTICLES[1:]),
        (Selection(site="avis.example", language="da"), ARTICLES[1:2]),
        (Selection(site="elsewhere.example"), ()),
    ],
)
def test_selections(newsroom: Archive, selection: Selection, expected: tuple[str, ...]) -> None:
    lines = open_stream("jsonl", tools()).lines(newsroom, selection)
    assert [json.loads(line)["url"] for line in lines] == [*expected]


def test_nothing_chosen_leaves_nothing(newsroom: Archive, target: LocalStore) -> None:
    assert export(newsroom, "jsonl", target, Selection(site="elsewhere.example"), tools()).records == 0
    assert list(target.list()) == []


def test_markdown_with_front_matter(newsroom: Archive, target: LocalStore) -> None:
    assert export(newsroom, "markdown", target, ALL, tools()).files == 5
    made = {key.rpartition("/")[2]: (target.root / key).read_text() for key in files(target)}
    assert len({name.lower() for name in made}) == 5
    assert all(name.isascii() and not set(name) & set('\\/:*?"<>| ') for name in made)
    first = next(text for name, text in made.items() if "aero-the-bridge-opens" in name)
    _, front, body = first.split("---\n", 2)
    assert yaml.safe_load(front) == {
        "title": 'Ærø: "the bridge" | opens\u2028',
        "url": f"{PAPER}/a",
        "site": "paper.example",
        "captured": "2026-03-01T06:06:00Z",
        "published": "2026-03-01T05:00:00+01:00",
        "modified": "2026-03-01",
        "authors": ["Ada Ærø", "Bo Li"],
        "language": "en",
        "topics": ["bridges"],
        "words": 3,
        "confidence": 0.3125,
    }
    assert body.strip().endswith("Bridge, day one.")
    assert any("article-" in name for name in made), "an article without a title"


def test_wet_reads_a_warc_once_for_all_its_articles(newsroom: Archive, target: LocalStore) -> None:
    before = newsroom.store.traffic
    export(newsroom, "wet", target, ALL, tools())
    # Text and records of each WARC.
    assert (newsroom.store.traffic - before).requests <= 2 * len(list(newsroom.index.warcs()))


def test_wet_names_the_other_records_where_one_cannot_be_read(
    newsroom: Archive, target: LocalStore, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    shutil.copytree(newsroom.state, root)
    broken = next(source for article in newsroom.articles() if (source := article.warc))
    with (root / key_of(broken.filename)).open("r+b") as file:
        file.seek(broken.offset)
        file.write(bytes(10))
    told: list[Problem] = []
    with Archive(LocalStore(str(root)), root) as archive:
        export(archive, "wet", target, ALL, tools(told))
    (problem,) = told
    assert problem.what.startswith("no WARC-Refers-To")
    (key,) = files(target)
    assert gzip.decompress((target.root / key).read_bytes()).count(b"WARC-Refers-To") == len(ARTICLES) - 1


def test_wet_as_common_crawl_writes_it(newsroom: Archive, target: LocalStore) -> None:
    export(newsroom, "wet", target, ALL, tools())
    (key,) = files(target)
    assert key.endswith(".warc.wet.gz")
    data = (target.root / key).read_bytes()
    responses = {
        record.headers["WARC-Record-ID"]: record.headers["WARC-Target-URI"]
        for path in newsroom.store.root.glob("warc/**/*.gz")  # type: ignore[attr-defined]
        for record in ArchiveIterator(io.BytesIO(path.read_bytes()), record_types=WarcRecordType.response)
    }
    records = [
        (dict(record.headers), record.reader.read(), record.verify_block_digest())
        for record in ArchiveIterator(io.BytesIO(data), record_types=WarcRecordType.conversion, verify_digests=False)
    ]
    assert [headers["WARC-Target-URI"] for headers, _, _ in records] == [*ARTICLES]
    for headers, _, _ in records:
        assert responses[headers["WARC-Refers-To"]] == headers["WARC-Target-URI"]
        assert headers["Content-Type"] == "text/plain"
    languages = [headers.get("WARC-Identified-Content-Language") for headers, _, _ in records]
    assert languages == ["jpn", "dan", "por", "eng", "eng"]
    assert records[3][1].decode() == "The bridge is open\nBridge, day two."
    # A gzip member a record, the first of them warcinfo.
    assert gzip.decompress(data).startswith(b"WARC/1.0\r\nWARC-Type: warcinfo\r\n")
    assert data.count(b"\x1f\x8b\x08") >= 6


def test_languages() -> None:
    assert [iso639_3(tag) for tag in ("pt-BR", "da", "DA", "nld", "xx", "", None, "a:")] == [
        *("por", "dan", "dan", "nld"),
        *(None,) * 4,
    ]


def test_parquet_with_real_types(newsroom: Archive, target: LocalStore) -> None:
    export(newsroom, "parquet", target, ALL, tools())
    (key,) = files(target)
    assert key == "date=2026-03-01/part-061000.parquet"
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        rows = database.execute(
            "SELECT date, url, timestamp, published, modified_text, authors[1], warc.length > 0, removed[1].reason,"
            " words, confidence FROM read_parquet(?, hive_partitioning = true)"
            " WHERE language = 'en' ORDER BY timestamp",
            [f"{target.root}/**/*.parquet"],
        ).fetchall()
    assert len(rows) == 2
    day, url, captured, published, modified, author, has_length, reason, words, confidence = rows[0]
    assert (str(day), url, author, modified) == ("2026-03-01", f"{PAPER}/a", "Ada Ærø", "2026-03-01")
    assert captured == BEGIN + timedelta(minutes=6) and published == datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert (has_length, reason, words, confidence) == (True, "repeated", 3, 0.3125)
    assert [article.confidence for article in newsroom.articles()] == [None, 0.06, None, 0.97, 0.3125]
    assert pq.read_table(target.root / key)["confidence"].to_pylist() == [None, 0.06, None, 0.97, 0.3125]
    # The whole folder, as pandas.read_parquet reads it: side files begin with "_".
    assert pq.read_table(target.root).num_rows == pq.read_table(target.root / key).num_rows
    table = pq.read_table(target.root / key)
    half = replace(next(newsroom.articles()), title="Half \ud83d", topics=("\udc00",))
    made = row(newsroom, next(newsroom.index.articles()), half)
    assert (made["title"], made["topics"]) == ("Half ?", ["?"])
    assert str(table.schema.field("timestamp").type) == "timestamp[us, tz=UTC]"
    assert moment("2026") is moment("soon") is moment(None) is None


# Going on


def test_a_stopped_export_goes_on(newsroom: Archive, target: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_MOST", 2)
    expected = [*ARTICLES]

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(newsroom, "jsonl", target, ALL, tools(), on_part=stop)
    assert urls(target) == expected[:2] and manifest(target)["finished"] is None
    # Killed between a file and the manifest, with another content than it would have now.
    lost = "2026-03-01-060800.jsonl.gz"
    (target.root / lost).write_bytes(b"something else")
    done = export(newsroom, "jsonl", target, ALL, tools())
    assert urls(target) == expected and lost in files(target)
    assert (done.records, done.files, done.earlier) == (5, 3, 1)
    # Once more: nothing is made again.
    before = {path: path.stat().st_mtime_ns for path in target.root.rglob("*")}
    assert export(newsroom, "jsonl", target, ALL, tools()).earlier == 3
    assert {path: path.stat().st_mtime_ns for path in target.root.rglob("*")} == before
    assert not list((newsroom.state / "exporting").glob("*/*"))


def test_many_files_are_one_entry(newsroom: Archive, target: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "_MOST", 1)
    export(newsroom, "markdown", target, ALL, tools())
    (entry,) = manifest(target)["files"]
    assert entry["files"] == entry["records"] == 5


def test_what_is_in_the_way(newsroom: Archive, target: LocalStore) -> None:
    export(newsroom, "jsonl", target, Selection(site="paper.example"), tools())
    with pytest.raises(UsageError, match=r"holds another export.*jsonl.*site paper\.example"):
        export(newsroom, "jsonl", target, ALL, tools())
    held = manifest(target)
    (target.root / MANIFEST).write_text("{}")
    with pytest.raises(UsageError, match="not readable"):
        export(newsroom, "jsonl", target, ALL, tools())
    (target.root / MANIFEST).write_text(json.dumps(held | {"started": "yesterday"}))
    with pytest.raises(UsageError, match="not readable"):
        export(newsroom, "jsonl", target, Selection(site="paper.example"), tools())
    (target.root / MANIFEST).unlink()
    (target.root / "2026-03-01-061000.jsonl.gz").write_bytes(b"somebody's")
    with pytest.raises(ObjectExists):
        export(newsroom, "jsonl", target, ALL, tools())
    assert (target.root / "2026-03-01-061000.jsonl.gz").read_bytes() == b"somebody's"
    with pytest.raises(UsageError, match="that is the archive"):
        export(newsroom, "jsonl", newsroom.store, ALL, tools())


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("jsonl", "soon"),
        ("jsonl", {"file": 1}),
        *((name, after) for name in ("wacz", "cdxj") for after in ("soon", {}, {"file": "one"}, {"file": 1}, [3])),
        *((name, {"file": 1, key: held}) for name, key in (("wacz", "behind"), ("cdxj", "line")) for held in ("x", 7)),
    ],
)
def test_a_manifest_with_a_place_that_is_none(newsroom: Archive, target: LocalStore, name: str, after: object) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(newsroom, name, target, ALL, tools(), on_part=stop)
    (target.root / MANIFEST).write_text(json.dumps(manifest(target) | {"after": after}))
    with pytest.raises(UsageError, match="not readable; choose another place, or remove it"):
        export(newsroom, name, target, ALL, tools())


@pytest.mark.parametrize("files", [None, 3, [3], [{}], [{"records": "many", "bytes": 1}]])
def test_a_manifest_with_files_that_are_none(newsroom: Archive, target: LocalStore, files: object) -> None:
    export(newsroom, "jsonl", target, ALL, tools())
    (target.root / MANIFEST).write_text(json.dumps(manifest(target) | {"files": files}))
    with pytest.raises(UsageError, match="not readable"):
        export(newsroom, "jsonl", target, ALL, tools())


def test_one_at_a_time(newsroom: Archive, target: LocalStore) -> None:
    def again(_: object) -> None:
        with pytest.raises(AlreadyRunning):
            export(newsroom, "jsonl", target, ALL, tools())

    export(newsroom, "jsonl", target, ALL, tools(), on_part=again)


def test_an_article_that_cannot_be_read_is_told(newsroom: Archive) -> None:
    (part,) = [path for path in newsroom.store.root.glob("text/**/*.gz") if path.stat().st_size]  # type: ignore[attr-defined]
    whole = part.read_bytes()
    problems: list[Problem] = []
    part.write_bytes(whole[:40] + b"\0" * 40 + whole[80:])
    try:
        lines = list(open_stream("jsonl", tools(problems)).lines(newsroom, ALL))
    finally:
        part.write_bytes(whole)
    assert len(lines) == 4 and len(problems) == 1
    assert f"{PAPER}/a is left out" in problems[0].what and OTHER not in problems[0].what

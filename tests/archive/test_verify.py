"""Each harm is found, named by its object, and comes with what to do; a sound archive has none."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filled_archive import BEGIN, deliver, fill, folder_archive, objects, page, write

from storage.archive import Archive
from storage.articles import read_part, write_part
from storage.compaction.plan import Compaction, StoredObject
from storage.compaction.run import CompactOptions, compact
from storage.maintenance.copy import copy
from storage.maintenance.verify import Verification, VerifyResult
from storage.problems import Problem
from storage.untexted import UntextedPage, to_json
from storage.warc import key_of as stored_key
from storage.warc import read_records


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


def verify(archive: Archive, deep: bool = True) -> tuple[list[Problem], VerifyResult]:
    look = Verification(archive, deep=deep)
    problems = list(look.problems())
    assert look.checked.problems == len(problems)
    assert all("\n" not in str(problem) for problem in problems)
    return problems, look.checked


def path_of(archive: Archive, kind: str, number: int = 0) -> Path:
    return sorted(path for path in (Path(archive.uri) / kind).rglob("*") if path.is_file())[number]


def key_of(archive: Archive, path: Path) -> str:
    return path.relative_to(archive.uri).as_posix()


@pytest.mark.parametrize("deep", [False, True])
def test_sound_archive(archive: Archive, deep: bool) -> None:
    fill(archive)
    before = objects(archive.store)
    problems, checked = verify(archive, deep)
    assert problems == []
    assert (checked.warcs, checked.captures, checked.articles, checked.others) == (3, 15, 12, 2)
    size = sum(len(data) for key, data in before.items() if key.startswith("warc/"))
    # A warcinfo, and a request with every capture.
    assert (checked.records, checked.bytes) == ((3 + 30, size) if deep else (0, 0))
    assert objects(archive.store) == before


@pytest.mark.parametrize("step", [53, pytest.param(7, marks=pytest.mark.exhaustive)])
def test_every_flipped_byte_of_a_warc_is_found(archive: Archive, step: int, capfd: pytest.CaptureFixture[str]) -> None:
    fill(archive, warcs=2, pages=2)
    path = path_of(archive, "warc")
    whole = path.read_bytes()
    for at in range(0, len(whole), step):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert verify(archive, deep=False)[0] == []
        problems, _ = verify(archive)
        # Bytes of gzip's own head that mean nothing (time, system) harm nothing but the digest of the file.
        assert {problem.key for problem in problems} == {key_of(archive, path)}, at
        assert all("newskeep copy" in problem.what for problem in problems)
    assert capfd.readouterr().out == ""


def test_what_stands_behind_the_damage_is_read(archive: Archive) -> None:
    fill(archive, warcs=1)
    path = path_of(archive, "warc")
    with path.open("rb") as file:
        records = list(read_records(file))
    responses = [record for record in records if record.type == "response"]
    data = bytearray(path.read_bytes())
    for record in (responses[0], responses[2]):
        data[record.offset + record.length // 2] ^= 0xFF
    path.write_bytes(data)
    problems, checked = verify(archive)
    assert [
        f"{record.offset:,}" in problem.what
        for record, problem in zip((responses[0], responses[2]), problems, strict=True)
    ]
    # Not the two damaged ones, nor the requests behind them.
    assert checked.records == len(records) - 4


@pytest.mark.parametrize("kind", ["warc", "cdxj", "text"])
def test_shortened_object(archive: Archive, kind: str) -> None:
    fill(archive)
    path = path_of(archive, kind, 1)
    path.write_bytes(path.read_bytes()[:-7])
    problems, _ = verify(archive, deep=False)
    assert key_of(archive, path) in {problem.key for problem in problems}


@pytest.mark.parametrize(
    ("kind", "advice"), [("warc", "newskeep copy"), ("cdxj", "reindex --mend"), ("text", "reextract")]
)
def test_missing_object(archive: Archive, kind: str, advice: str) -> None:
    fill(archive)
    path = path_of(archive, kind, 1)
    path.unlink()
    problems, _ = verify(archive, deep=False)
    (named,) = (problem for problem in problems if problem.key == key_of(archive, path))
    assert advice in named.what
    alone = {key_of(archive, path_of(archive, part, 1)) for part in ("cdxj", "text")} if kind == "warc" else set()
    assert {problem.key for problem in problems} == {named.key} | alone


def test_cdxj_that_says_other_than_the_warc(archive: Archive) -> None:
    fill(archive)
    path = path_of(archive, "cdxj")
    path.write_bytes(path.read_bytes().replace(b'"status": "200"', b'"status": "500"', 1))
    quick, _ = verify(archive, deep=False)
    assert [problem.key for problem in quick] == [key_of(archive, path)]
    assert any("in the WARC" in problem.what for problem in verify(archive)[0])


def test_cdxj_that_is_not_sorted(archive: Archive) -> None:
    fill(archive)
    path = path_of(archive, "cdxj")
    path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert [(problem.key, "not sorted" in problem.what) for problem in verify(archive, deep=False)[0]] == [
        (key_of(archive, path), True)
    ]


@pytest.mark.parametrize("harm", ["offset", "filename", "no-json"])
def test_text_of_no_record(archive: Archive, harm: str) -> None:
    fill(archive)
    path = path_of(archive, "text")
    line = gzip.decompress(path.read_bytes()).splitlines(keepends=True)[0]
    path.write_bytes(
        gzip.compress(
            {
                "offset": line.replace(b'"offset":', b'"offset":7'),
                "filename": line.replace(b"-00000.", b"-00001."),
                "no-json": b"{",
            }[harm]
        )
    )
    problems, _ = verify(archive, deep=False)
    assert {problem.key for problem in problems} == {key_of(archive, path)}
    assert any("reextract" in problem.what for problem in problems)


@pytest.mark.sqlite_file("rows changed in the file")
def test_index_without_a_row_or_a_warc(archive: Archive) -> None:
    fill(archive)
    connection = sqlite3.connect(archive.state / "index.sqlite")
    connection.execute("UPDATE captures SET status = 404 WHERE surt LIKE '%)/5'")
    connection.execute("UPDATE articles SET part_offset = part_offset + 1 WHERE surt LIKE '%)/9'")
    connection.commit()
    connection.close()
    told = {problem.key: problem.what for problem in verify(archive, deep=False)[0]}
    assert set(told) == {key_of(archive, path_of(archive, "cdxj", 1)), key_of(archive, path_of(archive, "text", 2))}
    assert all("reindex --fresh" in what for what in told.values())
    archive.index.remove(path_of(archive, "warc").name)
    assert any(
        problem == Problem(key_of(archive, path_of(archive, "warc")), "not in the index; run `newskeep reindex`")
        for problem in verify(archive, deep=False)[0]
    )


def test_empty_index_is_said_once(archive: Archive) -> None:
    fill(archive)
    archive.renew_index()
    (problem,) = verify(archive)[0]
    assert "reindex" in problem.what


@pytest.mark.sqlite_file("rows changed in the file")
def test_revisit_of_nothing(archive: Archive) -> None:
    first, second = page(1), page(2)
    lost = write(archive.state / "made", 0, [first])
    archive.deliver(lost)
    deliver(archive, 1, [second], revisit=True)
    assert verify(archive)[0] == []
    # The original lies in the same WARC as its revisit: hide it from the index.
    connection = sqlite3.connect(archive.state / "index.sqlite")
    connection.execute(
        "UPDATE captures SET timestamp = timestamp - 1 WHERE surt LIKE '%)/2' AND mime <> 'warc/revisit'"
    )
    connection.commit()
    connection.close()
    assert any("refers to nothing held" in problem.what for problem in verify(archive)[0])


def test_strays_and_leftovers_are_named(archive: Archive) -> None:
    fill(archive)
    strays = {"warc/notes.txt", "warc/2026/03/02/" + path_of(archive, "warc").name, "text/x/y", "crawls/x.json"}
    for key in strays:
        archive.store.put(key, b"what is this")
    folder = archive.spool.start()
    waiting = write(folder.path, 7, [page(70)])
    running = archive.spool.start()
    write(running.path, 8, [page(80)])
    folder.release()
    told = {problem.key: problem.what for problem in verify(archive, deep=False)[0]}
    assert set(told) == strays | {str(waiting.warc)}
    assert "remove it" in told["warc/notes.txt"]
    assert "next crawl" in told[str(waiting.warc)]
    running.release()


@pytest.mark.parametrize("old", [False, True])
def test_killed_compaction_is_named(archive: Archive, old: bool) -> None:
    fill(archive)
    source = path_of(archive, "warc").name
    stem = "newskeep-20260301060000250-feedfeedfeed-00000"
    keys = (f"text/2026/03/01/{stem}.jsonl.gz", f"cdxj/2026/03/01/{stem}.cdxj", f"warc/2026/03/01/{stem}.warc.gz")
    started = datetime.now(UTC) - timedelta(days=old)
    plan = Compaction(
        f"{stem}.warc.gz", (source,), (), tuple(StoredObject(key, 9, "0" * 64) for key in keys), "machine", started
    )
    archive.store.put(plan.plan_key, plan.to_json())
    archive.store.put(keys[0], b"half done")
    assert plan.day == BEGIN.date()
    assert [(problem.key, "compact" in problem.what) for problem in verify(archive)[0]] == (
        [(plan.plan_key, True)] if old else []
    )


def test_report_that_is_no_json(archive: Archive) -> None:
    fill(archive)
    archive.store.replace("sites/paper.example.json", b"{")
    assert verify(archive, deep=False)[0] == []
    assert [problem.key for problem in verify(archive)[0]] == ["sites/paper.example.json"]


def test_pages_without_their_text_are_named_wherever_they_lie(archive: Archive, tmp_path: Path) -> None:
    deliver(archive, 0, [page(1), page(2)])
    parcel = write(tmp_path / "made", 1, [page(3), page(4)])
    with parcel.text.open("rb") as part:
        first, _ = [placed.article for placed in read_part(part)]
    with parcel.text.open("wb") as shorter:
        assert len(list(write_part(shorter, [first]))) == 1
    moment = page(4).moment.replace(microsecond=0)
    # Of the first the text came after all.
    pages = [UntextedPage(each.url, each.moment.replace(microsecond=0), "no memory") for each in (page(3), page(4))]
    parcel.untexted.write_bytes(to_json(pages))
    archive.deliver(parcel)

    def assert_named(where: Archive) -> None:
        (problem,), _ = verify(where)
        assert problem.key == stored_key(parcel.filename, "untexted")
        assert f"a page has not got the text ({page(4).url}: no memory); `newskeep reextract`" in problem.what
        assert where.index.closest(page(4).url, moment) is not None

    assert_named(archive)
    assert compact(archive, CompactOptions(min_age=timedelta(0))).made == 1
    assert_named(archive)
    for other in folder_archive(tmp_path / "other"):
        assert copy(archive.store, other).problems == []
        assert_named(other)

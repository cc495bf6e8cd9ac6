"""Tags, notes and collections through all that moves an archive: reindex, copy, compaction, purge; and damage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filled_archive import BEGIN, fill, folder_archive

from storage.annotating.annotate import capture_time, put
from storage.annotating.sync import learn
from storage.annotations import described, noted, of_crawl, tagged
from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.errors import NotArchived
from storage.maintenance.copy import copy
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.maintenance.verify import Verification
from storage.problems import Problem
from storage.removals import hide
from storage.removing.hide import put as decide
from storage.removing.purge import purge

URL, OTHER = "https://www.paper.example/0", "https://www.paper.example/1"
CRAWL = "fedcba987654"
REPORT = f"crawls/2026/03/01/{CRAWL}.json"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "other")


def annotate(archive: Archive) -> None:
    """Everything that can be said, also by a crawl, of an archive with some pages."""
    fill(archive)
    outcomes = [
        {"url": OTHER, "final_url": None, "timestamp": "20260301060100", "tags": ["crawled"]},
        {"url": f"{URL}0", "final_url": None, "timestamp": None, "tags": ["crawled"]},
        {"url": "https://www.paper.example/2", "final_url": None, "timestamp": "20260301060200", "tags": []},
    ]
    lines = ",\n".join(map(json.dumps, outcomes))
    report = f'{{"crawl": "{CRAWL}", "outcomes": [\n{lines}\n]}}\n'.encode()
    archive.store.put(REPORT, report)
    put(archive, of_crawl(REPORT, CRAWL, BEGIN + timedelta(hours=1)))
    put(archive, tagged(URL, "exact", "who", add=["one"]))
    put(archive, tagged("www.paper.example", "host", "who", add=["all"]))
    put(archive, tagged(OTHER, "exact", "who", remove=["all"]))
    put(archive, noted(URL, "Said of it.", "who"))
    put(archive, described("one", "who", title="The one"))


def told(archive: Archive) -> tuple[list[tuple[object, ...]], list[str | None], tuple[str, ...]]:
    """What the index says of all of it."""
    index = archive.index
    counts: list[tuple[object, ...]] = [
        (each.tag, each.captures, each.addresses, each.articles, each.title) for each in index.tags()
    ]
    return (
        counts,
        [note.text for note in index.notes(URL)],
        index.tags_of(OTHER, datetime(2026, 3, 1, 6, 1, tzinfo=UTC)),
    )


def problems(archive: Archive) -> list[str]:
    return [str(problem) for problem in Verification(archive, deep=True).problems()]


def test_what_was_said_outlives_the_index(archive: Archive) -> None:
    annotate(archive)
    before = told(archive)
    counts, notes, of_other = before
    assert [each[0] for each in counts] == ["all", "crawled", "one"] and notes == ["Said of it."]
    assert of_other == ("crawled",) and counts[1][1] == 1 and counts[2][4] == "The one"
    for options in (ReindexOptions(fresh=True), ReindexOptions(from_warcs=True)):
        reindex(archive, options)
        assert told(archive) == before
    assert problems(archive) == []


def test_a_copy_has_what_was_said_on_either_side(archive: Archive, other: Archive) -> None:
    annotate(archive)
    assert copy(archive.store, other).problems == [] and told(other) == told(archive)
    put(other, tagged(URL, "exact", "another", remove=["one"], add=["two"]))
    assert copy(other.store, archive).problems == []
    assert copy(archive.store, other).problems == [] and told(other) == told(archive)
    assert archive.index.tags_of(URL, BEGIN) == ("all", "two") and problems(other) == []


def test_a_compaction_leaves_tags_where_they_are(archive: Archive) -> None:
    annotate(archive)
    before = told(archive)
    assert compact(archive, CompactOptions(min_age=timedelta(0))).left == []
    assert told(archive) == before
    reindex(archive, ReindexOptions(fresh=True))
    assert told(archive) == before


def test_what_is_hidden_or_purged_counts_no_more(archive: Archive) -> None:
    annotate(archive)
    decision = hide(URL, "exact", "a test", "tests")
    decide(archive, decision)
    assert archive.index.tag("one").captures == 0 and list(archive.articles(tag="one")) == []
    decide(archive, decision.about("purge", "a test", "tests"))
    assert purge(archive).problems == [] and archive.index.with_hidden.tag("one").captures == 0
    assert problems(archive) == []


def test_an_archive_of_two_machines_learns_what_the_other_said(archive: Archive) -> None:
    annotate(archive)
    said = tagged(URL, "exact", "another", add=["elsewhere"])
    archive.store.put(said.key, said.to_json())
    (problem,) = problems(archive)
    assert problem.startswith(f"{said.key}: what it says is not found here; run `newskeep reindex`")
    learn(archive.store, archive.index)
    assert archive.index.tag("elsewhere").captures and problems(archive) == []


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b'{"id": "x"}', b"\xff", b'{"kind": "tag", "add": [' + b"[" * 2000]
)
def test_a_damaged_one_is_told_and_the_rest_holds(archive: Archive, data: bytes) -> None:
    annotate(archive)
    before = told(archive)
    key = "annotations/2026/03/20260301060000000000-00000000.json"
    archive.store.put(key, data)
    found: list[Problem] = []
    reindex(archive, ReindexOptions(fresh=True), on_problem=found.append)
    assert [problem.key for problem in found] == [key] and told(archive) == before
    assert any("damaged" in problem for problem in problems(archive))


def test_tags_of_a_crawl_whose_report_is_not_there_are_told_and_come_with_it(archive: Archive) -> None:
    annotate(archive)
    before, data = told(archive), (archive.store.open(REPORT)).read()
    archive.store.delete(REPORT)
    found: list[Problem] = []
    reindex(archive, ReindexOptions(fresh=True), on_problem=found.append)
    assert REPORT in str(found[0]) and "\n" not in str(found[0])
    archive.store.put(REPORT, data)
    reindex(archive)
    assert told(archive) == before


def test_a_version_is_the_capture_nearest_to_a_time(archive: Archive) -> None:
    fill(archive)
    assert capture_time(archive, URL, BEGIN + timedelta(hours=3)) == BEGIN.replace(microsecond=0)
    with pytest.raises(NotArchived):
        capture_time(archive, "https://nobody.example/", BEGIN)

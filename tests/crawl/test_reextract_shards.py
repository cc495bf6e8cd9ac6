"""Text again by many processes: each WARC once, the same text as from one process, whatever is stopped or damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from filled_archive import fill

from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.reextract import reextract
from crawler.session.reextract_shard import ShardResult, reextract_shard
from storage import open_archive
from storage.bulk import BulkJob, Shard
from storage.errors import AlreadyRunning, UsageError
from storage.locking import held
from storage.maintenance.reindex import reindex
from storage.problems import Problem

WARCS = 6


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    made = ExtractionPool(1, ExtractionLimits())
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_archive(tmp_path / "archive") as archive:
        fill(archive, WARCS, 2)
    return tmp_path / "archive"


def parts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "text").rglob("*.jsonl.gz")}


def run(folder: Path, pool: ExtractionPool, number: int, of: int, problems: list[Problem] | None = None) -> ShardResult:
    """One shard, on a machine that has nothing but the store."""
    told = [] if problems is None else problems
    with open_archive(folder, folder.parent / f"machine-{number}") as archive:
        job = BulkJob(archive.store, "again")
        return reextract_shard(archive, pool, job, Shard(number, of), workers=1, on_problem=told.append)


def test_shards_make_what_one_process_makes_and_each_warc_once(folder: Path, pool: ExtractionPool) -> None:
    alone = folder.parent / "alone"
    shutil.copytree(folder, alone)
    with open_archive(alone) as archive:
        expected = list(reextract(archive, pool, workers=1))
    # Nothing is changed before all have learned.
    before = parts(folder)
    assert [run(folder, pool, number, 3).waits_for for number in (1, 2)] == [(2, 3), (3,)]
    assert parts(folder) == before
    learned = folder / "bulk" / "again" / "memory" / "paper.example"
    assert sorted(path.name for path in learned.iterdir()) == ["1-of-3.json", "2-of-3.json"]
    done = [run(folder, pool, number, 3) for number in (3, 1, 2)]
    assert [each.waits_for for each in done] == [()] * 3
    assert sum(each.warcs for each in done) == WARCS and sum(each.earlier for each in done) == 0
    assert sum(each.articles for each in done) == sum(each.articles for each in expected)
    assert sum(each.changed for each in done) == sum(len(each.changes) for each in expected) > 0
    assert parts(folder) == parts(alone)
    # It has lines of articles, and is part of the site's memory now.
    assert not [*learned.iterdir()]
    # A second run, and as many shards as one likes: all is done.
    again = [run(folder, pool, number, 3) for number in (1, 2, 3)]
    assert (sum(each.warcs for each in again), sum(each.earlier for each in again)) == (0, WARCS)
    assert run(folder, pool, 1, 1).earlier == WARCS
    with open_archive(folder) as archive:
        reindex(archive)
        assert sum(1 for _ in archive.articles()) == WARCS * 2


def test_what_cannot_be_read_is_counted_and_left_for_the_next_run(folder: Path, pool: ExtractionPool) -> None:
    damaged = min((folder / "warc").rglob("*.warc.gz"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:700] + b"\0" * 50 + whole[750:])
    problems: list[Problem] = []
    done = run(folder, pool, 1, 1, problems)
    assert (done.warcs, done.problems) == (WARCS - 1, 1)
    assert problems[0].key.endswith(damaged.name) and "its text stays as it is" in problems[0].what
    damaged.write_bytes(whole)
    done = run(folder, pool, 1, 1)
    assert (done.warcs, done.earlier, done.problems) == (1, WARCS - 1, 0)


def test_a_shard_runs_once_at_a_time_on_a_machine(folder: Path, pool: ExtractionPool) -> None:
    machine = folder.parent / "machine-1"
    machine.mkdir()
    with held(machine / "bulk-again-1-of-2.lock", "another"), pytest.raises(AlreadyRunning):
        run(folder, pool, 1, 2)


@pytest.mark.parametrize("text", ["0/8", "9/8", "1", "1/", "/8", "a/b", "-1/2", "1/0", "1/8/9", ""])
def test_a_shard_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard; write 1/8"):
        Shard.parse(text)


def test_the_place_of_a_shard_is_in_the_bucket_and_not_in_its_settings() -> None:
    shard = Shard(2, 8)
    assert shard.place("s3://bucket/table/?endpoint=https://s3.example.org") == (
        "s3://bucket/table/shard=2-of-8?endpoint=https://s3.example.org"
    )
    assert (shard.place("table/"), shard.place("what?")) == ("table/shard=2-of-8", "what?/shard=2-of-8")


def test_every_warc_is_in_one_shard() -> None:
    names = [f"newskeep-20260301060000250-0123456789ab-{number:05}.warc.gz" for number in range(500)]
    for name in names:
        assert sum(Shard(number, 7).has(name) for number in range(1, 8)) == 1
    sizes = [sum(Shard(number, 7).has(name) for name in names) for number in range(1, 8)]
    assert min(sizes) > 40


def test_the_command(folder: Path, newskeep: Run) -> None:
    done = newskeep("reextract", "--shard", "1/2", "--archive", str(folder))
    assert done.returncode == 0 and b"1 of 2 shards have not (2); run all again" in done.stderr, done.stderr
    done = newskeep("reextract", "--shard", "2/2", "--archive", str(folder))
    assert done.returncode == 0 and b"articles changed, in " in done.stderr, done.stderr
    bad = newskeep("reextract", "--job", "x", "--archive", str(folder))
    assert bad.returncode == 2 and bad.stderr.count(b"\n") == 1
    with open_archive(folder) as archive:
        assert next(archive.store.list("bulk/"), None) is not None


@pytest.mark.exhaustive
def test_ray_makes_what_one_process_makes(folder: Path, pool: ExtractionPool, newskeep: Run) -> None:
    alone = folder.parent / "alone"
    shutil.copytree(folder, alone)
    with open_archive(alone) as archive:
        assert len(list(reextract(archive, pool, workers=1))) == WARCS
    there = ("--archive", str(folder))
    done = newskeep("reextract", "--executor", "ray", *there)
    assert done.returncode == 0 and f"in {WARCS} WARCs".encode() in done.stderr, done.stderr
    assert parts(folder) == parts(alone)
    done = newskeep("reextract", "--executor", "ray", *there)
    assert done.returncode == 0 and f"{WARCS} done before".encode() in done.stderr, done.stderr
    assert newskeep("verify", *there).returncode == 0

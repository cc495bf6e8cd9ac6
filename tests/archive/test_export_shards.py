"""An export by many processes: together they make what one makes, and nothing twice."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from command import Run
from export_archive import tools
from filled_archive import fill

from newskeep.export import Selection, open_stream
from newskeep.export.job import export
from newskeep.export.left_out import count
from storage import open_archive
from storage.bulk import Shard
from storage.objects.local import LocalStore

SHARDS = [Shard(number, 3) for number in (1, 2, 3)]


@pytest.mark.parametrize("name", ["jsonl", "cdxj"])
def test_shards_are_the_whole_and_nothing_twice(tmp_path: Path, name: str) -> None:
    stream = open_stream(name, tools())
    with open_archive(tmp_path / "archive") as archive:
        fill(archive, 6, 2)
        whole = Counter(stream.lines(archive, Selection()))
        apart = [Counter(stream.lines(archive, Selection(shard=shard))) for shard in SHARDS]
        left = [count(archive, name, Selection(shard=shard, purpose="ai-train")) for shard in SHARDS]
    assert sum(apart, Counter()) == whole and max(whole.values()) == 1
    assert len([each for each in apart if each]) > 1
    assert sum(each.reserved.total() for each in left) == 0


def test_the_command_makes_a_partition_a_shard(tmp_path: Path, newskeep: Run) -> None:
    with open_archive(tmp_path / "archive") as archive:
        fill(archive, 6, 2)
    there = ("--archive", str(tmp_path / "archive"), "--format", "parquet", "--to", str(tmp_path / "table"))
    for number in (1, 2):
        done = newskeep("export", "--shard", f"{number}/2", *there)
        assert done.returncode == 0, done.stderr
    table = f"read_parquet('{tmp_path}/table/**/*.parquet', hive_partitioning = true)"
    found = duckdb.execute(f"select count(*), count(distinct url), count(distinct shard) from {table}").fetchall()
    assert found == [(12, 12, 2)]


def test_a_shard_with_nothing_in_it_is_done(tmp_path: Path) -> None:
    with open_archive(tmp_path / "archive") as archive:
        fill(archive, 1, 1)
        made = [
            export(archive, "jsonl", LocalStore(str(tmp_path / str(shard.number))), Selection(shard=shard), tools())
            for shard in SHARDS
        ]
    assert sorted(each.records for each in made) == [0, 0, 1]


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_ray_makes_the_shards_and_goes_on_where_it_was_stopped(tmp_path: Path, newskeep: Run) -> None:
    with open_archive(tmp_path / "archive") as archive:
        fill(archive, 6, 2)
        whole = Counter(open_stream("jsonl", tools()).lines(archive, Selection()))
    there = ("--archive", str(tmp_path / "archive"), "--format", "jsonl", "--executor", "ray")
    # Two of three are there, as of another number of processors.
    for number in (1, 3):
        shard = ("--shard", f"{number}/3", "--to", str(tmp_path / "out"))
        assert newskeep("export", *there[:4], *shard).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.gz")}
    done = newskeep("export", *there, "--to", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["records"], told["problems"]) == (12, 0) and told["earlier"] == len(before)
    made = [gzip.decompress(path.read_bytes()) for path in (tmp_path / "out").rglob("*.gz")]
    assert Counter(line for each in made for line in each.splitlines(keepends=True)) == whole
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for wrong in (("--shard", "1/2", "--to", "x"), ("--to", "-"), ("--format", "wacz", "--to", "x")):
        done = newskeep("export", *there, *wrong)
        assert done.returncode == 2 and b"--executor ray" in done.stderr

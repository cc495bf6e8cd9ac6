"""What is published of the index in a copy of the archive: it is there, it is sound, and it hides what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from dying_store import killed_at
from filled_archive import deliver, page
from published_archive import APRIL, MARCH, ONE, answers, everywhere, let_go, published, sound
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

from storage import open_archive
from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.maintenance.copy import copy
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.objects.local import LocalStore
from storage.published.manifest import newest
from storage.publishing.publish import manifests
from storage.removals import hide
from storage.removing.hide import put as decide

pytest_plugins = ["published_archive", "s3_server"]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Archive]:
    with Archive(LocalStore(str(tmp_path / "other")), tmp_path / "other") as opened:
        yield opened


def files(archive: Archive) -> dict[str, tuple[int, str]]:
    return {file.key: (file.size, file.sha256) for each in manifests(archive).values() for file in each.files}


def test_the_same_files_are_in_the_copy(two_months: Archive, other: Archive) -> None:
    let_go(two_months)
    before = answers(two_months)
    assert copy(two_months.store, other).problems == []
    assert files(other) == files(two_months)
    assert sound(other) == []
    assert let_go(other) == 18
    assert answers(other) == before
    # Again: nothing is new.
    assert copy(two_months.store, other).copied == 0
    deliver(two_months, 10, [page(100, 41)], "00000000ffff")
    assert published(two_months) == [("2026-03", False), ("2026-04", True)]
    assert copy(two_months.store, other).problems == []
    assert files(other) == files(two_months) and newest(other.store) == {MARCH: 1, APRIL: 2}
    assert sound(other) == []


def test_into_a_bucket(
    two_months: Archive, moto_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(moto_server, monkeypatch)
    published(two_months)
    with open_archive(f"s3://{BUCKET}/published-copy", tmp_path / "state") as bucket:
        assert copy(two_months.store, bucket).problems == []
        assert files(bucket) == files(two_months)
        assert sound(bucket) == []


def test_a_copy_that_joins_in_its_own_way_publishes_for_itself(two_months: Archive, other: Archive) -> None:
    assert copy(two_months.store, other).problems == []
    compact(other, CompactOptions(min_age=timedelta(0)))
    published(two_months)
    assert copy(two_months.store, other).problems == []
    assert manifests(other)[MARCH].sources != manifests(two_months)[MARCH].sources
    assert sound(other) == []
    assert manifests(other)[MARCH].captures == 15


def test_what_only_the_copy_hides_is_in_none_of_its_files(two_months: Archive, other: Archive) -> None:
    assert copy(two_months.store, other).problems == []
    decide(other, hide(ONE, "exact", "asked for", "who"))
    published(two_months)
    assert copy(two_months.store, other).problems == []
    assert everywhere(two_months) == {"cdx", "table"} and everywhere(other) == {"withheld"}
    assert sound(other) == []


def test_what_is_hidden_behind_the_publication_is_hidden_in_the_copy(two_months: Archive, other: Archive) -> None:
    let_go(two_months)
    decide(two_months, hide(ONE, "exact", "asked for", "who"))
    assert copy(two_months.store, other).problems == []
    assert everywhere(other) == {"withheld"} and sound(other) == []


def test_damaged_files_are_told_and_made_anew(two_months: Archive, other: Archive) -> None:
    published(two_months)
    shard = next((Path(two_months.uri) / "index/cdx/2026-03").rglob("cdx-*.gz"))
    data = bytearray(shard.read_bytes())
    data[40] ^= 0xFF
    shard.write_bytes(data)
    (problem,) = copy(two_months.store, other).problems
    assert problem.key == "index/months/2026-03/000001.json" and "published anew" in problem.what
    assert sound(other) == []
    before = answers(other)
    reindex(other, ReindexOptions(fresh=True))
    assert answers(other)["all"] == before["all"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("step", range(20))
def test_a_copy_that_is_killed_goes_on(two_months: Archive, tmp_path: Path, step: int, warm_start: WarmStart) -> None:
    (tmp_path / "source").symlink_to(two_months.uri)
    with Archive(LocalStore(str(tmp_path / "target")), tmp_path / "target") as target:
        assert copy(two_months.store, target).problems == []
        published(two_months)
        killed_at(warm_start, target, "copying_from:copy_from", step, "behind" if step % 2 else "before")
        # Nobody reads half a month.
        for each in manifests(target).values():
            assert all((Path(target.uri) / file.key).stat().st_size == file.size for file in each.files)
        assert copy(two_months.store, target).problems == []
        assert files(target) == files(two_months) and sound(target) == []

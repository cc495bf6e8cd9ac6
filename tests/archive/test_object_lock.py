"""S3 Object Lock: what is put stays for as long as was said, and what was taken out goes when it may, not before."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command import Run
from filled_archive import Page, deliver, page
from logged_archive import begin_log, take_out
from s3_server import S3Server, use

from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.errors import ConfigError
from storage.maintenance.verify import Verification
from storage.objects import open_store
from storage.objects.retention import ObjectLock
from storage.objects.s3 import S3Store
from storage.objects.s3.settings import S3Settings
from storage.removing.purge import purge

pytest_plugins = ["s3_server"]
LOCK = ObjectLock("GOVERNANCE", 30)
NOW = CompactOptions(min_age=timedelta(0))
PART = 5 << 20
numbers = itertools.count()


@pytest.fixture
def client(moto_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    use(moto_server, monkeypatch)
    client = moto_server.client()
    yield client
    client.close()


@pytest.fixture
def bucket(client: Any) -> str:
    """A bucket with Object Lock, for one test."""
    name = f"locked-{next(numbers)}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def make(bucket: str, tmp_path: Path) -> Callable[[ObjectLock | None], Archive]:
    def made(lock: ObjectLock | None) -> Archive:
        (tmp_path / "state").mkdir(exist_ok=True)
        settings = S3Settings(part_bytes=PART, attempts=2)
        return Archive(S3Store(f"s3://{bucket}/news", settings, lock), tmp_path / "state")

    return made


def versions(client: Any, bucket: str, kind: str) -> list[dict[str, Any]]:
    """The versions of the objects of a kind, those that were deleted too."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"news/{kind}/")
    return [version for found in pages for version in found.get("Versions", ())]


def end_retention(client: Any, bucket: str) -> None:
    """What time does: every retention has ended."""
    past = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) - timedelta(days=1)}
    for kind in ("warc", "cdxj"):
        for each in versions(client, bucket, kind):
            place = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
            client.put_object_retention(**place, Retention=past, BypassGovernanceRetention=True)


def fill(archive: Archive) -> list[Page]:
    pages = [page(number) for number in range(6)]
    for serial in range(2):
        deliver(archive, serial, pages[serial * 3 : serial * 3 + 3])
    return pages


def found(archive: Archive) -> list[str]:
    return [str(problem) for problem in Verification(archive).problems()]


def test_captures_and_logs_are_under_retention(
    client: Any,
    bucket: str,
    make: Callable[[ObjectLock | None], Archive],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with make(LOCK) as archive:
        archive.store.check(write=True)
        begin_log(archive, tmp_path / "home", monkeypatch)
        fill(archive)
        least = datetime.now(UTC) + timedelta(days=29)
        keys = [info.key for info in archive.store.list()]
        for key in keys:
            until = archive.store.retained_until(key)
            assert (until is not None and until > least) == key.startswith(("warc/", "cdxj/", "logs/")), key
        assert {key.partition("/")[0] for key in keys} >= {"warc", "cdxj", "logs", "text"}
        look = Verification(archive)
        assert list(look.problems()) == []
        assert look.checked.locked == sum(key.startswith(("warc/", "cdxj/", "logs/")) for key in keys)
        assert look.checked.locked_until is not None and look.checked.locked_until > f"{least:%Y-%m-%d}"
        # A version that is under it cannot be removed.
        (first, *_) = versions(client, bucket, "warc")
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            client.delete_object(Bucket=bucket, Key=first["Key"], VersionId=first["VersionId"])


def test_large_objects_too(make: Callable[[ObjectLock | None], Archive], tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(PART + 1))
    with make(ObjectLock("COMPLIANCE", 1)) as archive:
        archive.store.put("warc/large", tmp_path / "large")
        assert archive.store.retained_until("warc/large") is not None


def test_what_a_compaction_takes_out_goes_when_it_may(
    client: Any, bucket: str, make: Callable[[ObjectLock | None], Archive]
) -> None:
    with make(LOCK) as archive:
        pages = fill(archive)
        done = compact(archive, NOW)
        assert (done.made, done.left, done.released.gone, done.released.kept) == (1, [], 2, 4)
        assert done.released.until is not None and done.released.until > datetime.now(UTC) + timedelta(days=29)
        assert found(archive) == []
        assert [each.url for each in archive.captures(pages[0].url)] == [pages[0].url]
        assert len(versions(client, bucket, "warc")) == 3

        assert compact(archive, NOW).released.kept == 4
        end_retention(client, bucket)
        assert compact(archive, NOW).released.gone == 4
        assert len(versions(client, bucket, "warc")) == len(versions(client, bucket, "cdxj")) == 1
        assert compact(archive, NOW).released.gone == 0
        # The joined one is held by nothing but its place, and stays.
        assert archive.read(archive.find(pages[0].url)).response == pages[0].response


def test_what_somebody_else_deleted_is_not_made_to_go(
    client: Any, bucket: str, make: Callable[[ObjectLock | None], Archive]
) -> None:
    with make(LOCK) as archive:
        fill(archive)
        compact(archive, NOW)
        (joined,) = (each for each in versions(client, bucket, "warc") if each["IsLatest"])
        client.delete_object(Bucket=bucket, Key=joined["Key"])
        end_retention(client, bucket)
        compact(archive, NOW)
        assert joined["VersionId"] in {each["VersionId"] for each in versions(client, bucket, "warc")}


def test_a_purge_says_what_stays_and_later_removes_it(
    client: Any, bucket: str, make: Callable[[ObjectLock | None], Archive]
) -> None:
    with make(LOCK) as archive:
        pages = fill(archive)
        take_out(archive, pages[0].url)
        assert list(archive.index.captures(pages[0].url)) == []
        kept = purge(archive)
        assert (kept.problems, kept.released.kept) == ([], 2)
        assert len(versions(client, bucket, "text")) == 2, "no older version of the text"
        end_retention(client, bucket)
        assert purge(archive).released.gone == 2
        assert found(archive) == []


def test_what_was_put_before_is_told_once_for_each_kind(make: Callable[[ObjectLock | None], Archive]) -> None:
    with make(None) as archive:
        fill(archive)
    with make(LOCK) as archive:
        told = found(archive)
        assert len(told) == 2
        assert "no retention, put before object_lock was set (this and others, 2 of 2 objects under warc/)" in told[0]


@pytest.fixture
def with_bucket(client: Any, environment: dict[str, str]) -> None:  # noqa: ARG001
    """The command finds the server as well."""
    environment |= {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


@pytest.mark.usefixtures("with_bucket")
def test_a_bucket_without_it_is_one_line(client: Any, newskeep: Run, tmp_path: Path) -> None:
    client.create_bucket(Bucket="plain")
    with pytest.raises(ConfigError, match="the bucket s3://plain has no Object Lock"):
        S3Store("s3://plain/news", lock=LOCK).check(write=True)
    with pytest.raises(ConfigError, match="the bucket s3://plain has no Object Lock"):
        S3Store("s3://plain/news", lock=LOCK).put("warc/a", b"a")
    (tmp_path / "newskeep.toml").write_text(
        'archive = "s3://plain/news"\nobject_lock = "COMPLIANCE"\nobject_lock_days = 10\n'
    )
    done = newskeep("save", "http://127.0.0.1:1/")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
    assert b"has no Object Lock" in done.stderr


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('object_lock = "GOVERNANCE"\n', b"object_lock_days must be 1 to 36,500, not 0"),
        ('object_lock = "GOVERNANCE"\nobject_lock_days = 30\n', b"which has no Object Lock"),
        ('object_lock = "governed"\nobject_lock_days = 30\n', b'must be "GOVERNANCE" or "COMPLIANCE"'),
        ('object_lock = "GOVERNANCE"\nobject_lock_days = 99999\n', b"must be 1 to 36,500"),
    ],
)
def test_what_cannot_be_is_one_line(newskeep: Run, tmp_path: Path, settings: str, told: bytes) -> None:
    (tmp_path / "newskeep.toml").write_text(settings)
    for command in (("save", "http://127.0.0.1:1/"), ("verify",)):
        done = newskeep(*command)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
        assert told in done.stderr


@pytest.mark.usefixtures("with_bucket")
def test_the_commands(client: Any, newskeep: Run, bucket: str, tmp_path: Path) -> None:
    uri = f"s3://{bucket}/news"
    with Archive(open_store(uri, LOCK), tmp_path / "own") as archive:
        fill(archive)
    (tmp_path / "newskeep.toml").write_text(f'archive = "{uri}"\nobject_lock = "GOVERNANCE"\nobject_lock_days = 30\n')
    assert newskeep("reindex").returncode == 0
    told = newskeep("verify")
    assert told.returncode == 0 and b"4 objects under Object Lock until 20" in told.stderr, told.stderr
    done = newskeep("compact", "--min-age", "0")
    assert done.returncode == 0, done.stderr
    assert b"4 objects taken out stay under Object Lock until 20" in done.stderr
    assert json.loads(newskeep("compact", "--json").stdout)["locked"] == 4
    end_retention(client, bucket)
    assert b"4 objects whose retention has ended removed" in newskeep("compact").stderr

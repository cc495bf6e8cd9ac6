"""One archive into another, over folders and real S3: resumable, verified, idempotent, at no time inconsistent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import Run
from filled_archive import check, deliver, fill, folder_archive, objects, page
from s3_server import BUCKET, S3Server, use
from warm_start import WarmStart

from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.corrections import Correction, add, read_all, undone
from storage.errors import AlreadyRunning, StoreUnavailable, UsageError
from storage.locking import held
from storage.maintenance.copy import copy
from storage.maintenance.copy_checks import known_to
from storage.maintenance.reindex import reindex
from storage.maintenance.verify import Verification
from storage.objects import ObjectStore
from storage.objects.local import LocalStore
from storage.objects.s3 import S3Settings, S3Store
from storage.warc import key_of, read_records

pytest_plugins = ["s3_server"]

numbers = itertools.count()
Make = Callable[[], Archive]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "other")


# The suite over all stores, test_objects.py, is what tells one server from another.
@pytest.fixture(params=[pytest.param("swift", marks=pytest.mark.exhaustive), "moto"])
def bucket(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Archive]]:
    """Open archives in a bucket, by name; the same name is the same archive on a machine of its own."""
    server: S3Server = request.getfixturevalue(f"{request.param}_server")
    use(server, monkeypatch)
    run = next(numbers)
    with ExitStack() as stack:

        def make(name: str) -> Archive:
            store = S3Store(f"s3://{BUCKET}/copy-{run}/{name}", S3Settings(attempts=2))
            return stack.enter_context(Archive(store, tmp_path / f"state-{next(numbers)}"))

        yield make


def correction(text: str) -> Correction:
    url, now = "https://paper.example/bridge", datetime(2026, 3, 1, 12, tzinfo=UTC)
    return Correction(url, now, text, "remove", now)


def assert_sound(archive: Archive) -> None:
    assert [*Verification(archive, deep=True).problems()] == []


def test_folder_to_bucket_to_bucket_to_folder(
    archive: Archive, other: Archive, bucket: Callable[[str], Archive]
) -> None:
    pages = fill(archive, warcs=2, pages=2)
    whole = objects(archive.store)
    first, second = bucket("first"), bucket("second")
    for source, target in ((archive, first), (first, second), (second, other)):
        done = copy(source.store, target)
        assert (done.copied, done.bytes, done.problems) == (len(whole), sum(map(len, whole.values())), [])
        assert objects(target.store) == whole
        check(target, pages)
        assert_sound(target)
        again = copy(source.store, target)
        assert (again.copied, again.kept, again.problems) == (0, len(whole), [])
    assert not (other.state / "copying").exists()


def test_compacted_in_a_bucket(archive: Archive, bucket: Callable[[str], Archive]) -> None:
    pages = fill(archive, warcs=2, pages=2)
    remote, machine = bucket("one"), bucket("one")
    copy(archive.store, remote)
    reindex(machine)
    assert compact(remote).made == 1
    check(remote, pages)
    assert_sound(remote)
    assert reindex(machine).removed == 2
    check(machine, pages)
    # The folder's small ones are in it: they do not come back.
    done = copy(archive.store, remote)
    assert (done.copied, done.joined, done.problems) == (0, 2, [])
    check(remote, pages)


def test_new_things_only(archive: Archive, other: Archive) -> None:
    pages = fill(archive)
    copy(archive.store, other)
    new = page(70)
    deliver(archive, 9, [new])
    archive.store.replace("sites/paper.example.json", b'{"seen": 2}\n')
    done = copy(archive.store, other)
    assert (done.copied, done.index.entered) == (4, 1)
    assert objects(other.store) == objects(archive.store)
    check(other, [*pages, new])


def test_what_is_joined_takes_the_place_of_the_small_ones(archive: Archive, other: Archive) -> None:
    pages = fill(archive)
    copy(archive.store, other)
    compact(archive)
    done = copy(archive.store, other)
    assert done.problems == []
    assert objects(other.store).keys() == objects(archive.store).keys()
    check(other, pages)
    assert_sound(other)
    assert copy(archive.store, other).copied == 0


def test_both_sides_compacted_in_their_own_way(archive: Archive, other: Archive) -> None:
    pages = fill(archive, warcs=4)
    copy(archive.store, other)
    compact(archive)
    compact(other, CompactOptions(max_captures=11))
    before = objects(other.store)
    done = copy(archive.store, other)
    assert (done.joined, done.problems) == (1, [])
    assert objects(other.store) == before
    check(other, pages)
    assert_sound(other)


def test_damaged_joined_one_comes_back(archive: Archive, other: Archive) -> None:
    pages = fill(archive)
    compact(archive)
    copy(archive.store, other)
    (warc,) = [info.key for info in other.store.list("warc/")]
    other.store.delete(warc)
    assert any("newskeep copy" in problem.what for problem in Verification(other).problems())
    assert copy(archive.store, other).copied == 1
    check(other, pages)
    assert_sound(other)


@pytest.mark.parametrize("kind", ["warc", "cdxj", "text", "crawls"])
def test_other_content_is_never_written_over(archive: Archive, other: Archive, kind: str) -> None:
    fill(archive)
    copy(archive.store, other)
    key = next(other.store.list(kind + "/")).key
    path = other.state / key
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    done = copy(archive.store, other)
    assert [problem.key for problem in done.problems if "another content" in problem.what] == [key]
    assert path.read_bytes() == whole[:-1]
    path.unlink()
    assert copy(archive.store, other).copied == 1
    assert path.read_bytes() == whole


def test_other_content_of_the_same_size_in_a_bucket(archive: Archive, bucket: Callable[[str], Archive]) -> None:
    fill(archive, warcs=1, pages=1)
    first, second = bucket("first"), bucket("second")
    copy(archive.store, first)
    copy(archive.store, second)
    key = next(second.store.list("cdxj/")).key
    second.store.replace(key, objects(second.store)[key].replace(b"200", b"404"))
    assert [problem.key for problem in copy(first.store, second).problems] == [key]


def test_from_and_to_the_same(archive: Archive) -> None:
    Path(archive.uri).mkdir()
    with pytest.raises(UsageError, match="same"):
        copy(LocalStore(archive.uri), archive)


def test_two_at_once(archive: Archive, other: Archive) -> None:
    fill(archive)
    with held(other.state / "upkeep.lock", "x"), pytest.raises(AlreadyRunning):
        copy(archive.store, other)


#: Dies, or stops answering, at the n-th call that changes the target.
KILLED = """
import os, sys
from pathlib import Path
from storage.archive import Archive
from storage.maintenance.copy import copy
from storage.maintenance.copy_checks import known_to
from storage.objects.local import LocalStore

class Dying(LocalStore):
    left = int(sys.argv[3])

    def put(self, key, source):
        Dying.left -= 1
        if Dying.left < 0:
            os._exit(9)
        super().put(key, source)

    def delete(self, key):
        Dying.left -= 1
        if Dying.left < 0:
            os._exit(9)
        super().delete(key)

folder = Path(sys.argv[2])
with Archive(Dying(str(folder)), folder) as target:
    copy(LocalStore(sys.argv[1]), target)
"""


def killed_at(warm_start: WarmStart, source: Archive, target: Archive, step: int) -> int:
    return warm_start.python(KILLED, source.uri, target.uri, str(step)).returncode


@pytest.mark.parametrize("step", range(7))
def test_killed_at_any_step(archive: Archive, other: Archive, step: int, warm_start: WarmStart) -> None:
    pages = fill(archive, warcs=2, pages=2)
    assert killed_at(warm_start, archive, other, step) == 9
    # As it was left: every WARC that is there has its parts.
    for info in other.store.list("warc/"):
        name = info.key.removeprefix("warc/").removesuffix(".warc.gz")
        assert other.store.stat(f"text/{name}.jsonl.gz")
        assert other.store.stat(f"cdxj/{name}.cdxj")
    done = copy(archive.store, other)
    assert done.problems == []
    assert objects(other.store) == objects(archive.store)
    check(other, pages)
    assert_sound(other)


#: The plan, three parts, the record, six removals, the plan: two of the parts and two of the removals are always tried.
JOINING = [pytest.param(step, marks=pytest.mark.exhaustive if step in (2, 6, 7, 9, 10) else ()) for step in range(12)]


@pytest.mark.parametrize("step", JOINING)
def test_killed_while_joined_ones_take_their_place(
    archive: Archive, other: Archive, step: int, warm_start: WarmStart
) -> None:
    pages = fill(archive, warcs=2, pages=2)
    copy(archive.store, other)
    compact(archive)
    assert killed_at(warm_start, archive, other, step) == 9
    reindex(other)
    check(other, pages)
    done = copy(archive.store, other)
    assert done.problems == []
    assert objects(other.store).keys() == objects(archive.store).keys()
    check(other, pages)
    assert_sound(other)


class Away(LocalStore):
    """A target whose disk is full at the n-th put."""

    def __init__(self, uri: str, left: int) -> None:
        super().__init__(uri)
        self.left = left

    def put(self, key: str, source: Path | bytes) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("the disk is full")
        super().put(key, source)


def test_full_disk_stops_the_copy(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive, warcs=8, pages=2)
    target = tmp_path / "other"
    with Archive(Away(str(target), 20), target) as full, pytest.raises(StoreUnavailable, match="full"):
        copy(archive.store, full)
    for other in folder_archive(target):
        done = copy(archive.store, other)
        assert done.kept == 20 + 1
        check(other, pages)


class Lying(LocalStore):
    """A target that keeps one WARC wrong and says nothing."""

    def put(self, key: str, source: Path | bytes) -> None:
        super().put(key, source)
        if key.startswith("warc/") and "-00001" in key:
            path = self.root / key
            path.write_bytes(path.read_bytes()[:-1] + b"\x99")


def test_what_comes_back_different_is_told_and_taken_away(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive)
    target = tmp_path / "other"
    store: ObjectStore = Lying(str(target))
    with Archive(store, target) as lying:
        problems = copy(archive.store, lying).problems
        assert ["different" in problem.what for problem in problems] == [True]
    for other in folder_archive(target):
        assert copy(archive.store, other).copied == 1
        check(other, pages)


def nothing_known(filename: str) -> str | None:
    del filename
    return None


def path_in(archive: Archive, kind: str, number: int = 0) -> Path:
    return sorted(path for path in (Path(archive.uri) / kind).rglob("*") if path.is_file())[number]


def damage(data: bytes, how: str) -> bytes:
    match how:
        case "flipped":
            # More than a gzip member's header has, some bytes of which say nothing.
            at = len(data) // 2
            return data[:at] + bytes(byte ^ 0x10 for byte in data[at : at + 12]) + data[at + 12 :]
        case "cut":
            return data[: len(data) * 2 // 3]
        case "longer":
            return data + b"rubbish"
        case _:
            return b""


#: To a digest all damage is the same.
DAMAGES = [
    pytest.param(kind, how, indexed, marks=pytest.mark.exhaustive if indexed and how != "flipped" else ())
    for kind in ("warc", "cdxj", "text")
    for how in ("flipped", "cut", "longer", "empty")
    for indexed in (True, False)
]


@pytest.mark.parametrize(("kind", "how", "indexed"), DAMAGES)
def test_what_is_damaged_is_named_and_the_rest_is_copied(
    archive: Archive, other: Archive, kind: str, how: str, indexed: bool
) -> None:
    """By the digest that the index knows, and where it knows none by what is in it."""
    pages = fill(archive)
    path = path_in(archive, kind, 1)
    path.write_bytes(damage(path.read_bytes(), how))
    if kind == "cdxj" and how in ("flipped", "cut"):
        path.write_bytes(path.read_bytes().replace(b" {", b" [", 1) if how == "flipped" else path.read_bytes()[:-9])
    if how == "empty" and kind != "warc":
        path.write_bytes(b"{")
    key = path.relative_to(archive.uri).as_posix()
    done = copy(archive.store, other, known=known_to(archive) if indexed else nothing_known)
    named = [problem for problem in done.problems if problem.key == key]
    assert named and all("\n" not in problem.what for problem in done.problems)
    assert "damaged" in named[0].what and "not copied" in named[0].what
    filename = path.name.partition(".")[0] + ".warc.gz"
    there = {key for key in objects(other.store) if filename.partition(".")[0] in key}
    if kind == "warc":
        assert there == set()
        check(other, pages[:4] + pages[8:])
        assert not list(Verification(other, deep=True).problems())
    else:
        assert there == {key_of(filename, each) for each in ("warc", "cdxj", "text") if each != kind}
        assert all(other.get(one.url, one.moment).response == one.response for one in pages)


def test_a_part_of_a_warc_that_ends_with_a_record_is_known_by_its_digest(archive: Archive, other: Archive) -> None:
    """It reads well to its end: only the digest tells."""
    fill(archive, warcs=1)
    path = path_in(archive, "warc")
    with path.open("rb") as stream:
        last = list(read_records(stream))[-3].offset
    path.write_bytes(path.read_bytes()[:last])
    done = copy(archive.store, other, known=known_to(archive))
    assert [problem.key for problem in done.problems] == [path.relative_to(archive.uri).as_posix()]
    assert "SHA-256" in done.problems[0].what
    assert not list(other.store.list("warc/"))


def test_a_warc_that_is_shorter_than_its_cdxj_says(archive: Archive, other: Archive) -> None:
    fill(archive, warcs=1)
    path = path_in(archive, "warc")
    with path.open("rb") as stream:
        last = list(read_records(stream))[-3].offset
    path.write_bytes(path.read_bytes()[:last])
    done = copy(archive.store, other, known=nothing_known)
    assert [problem.key for problem in done.problems] == [path.relative_to(archive.uri).as_posix()]
    assert not list(other.store.list("warc/"))


def test_damage_in_reports_and_memories(archive: Archive, other: Archive) -> None:
    pages = fill(archive)
    archive.store.replace("sites/bad.example.json", b"[" * 100_000)
    archive.store.put("crawls/2026/03/01/bad.json", b'{"crawl"')
    done = copy(archive.store, other)
    assert {problem.key for problem in done.problems} == {"sites/bad.example.json", "crawls/2026/03/01/bad.json"}
    assert not [key for key in objects(other.store) if "bad" in key]
    check(other, pages)


def test_a_damaged_warc_that_was_joined_leaves_what_the_target_has(archive: Archive, other: Archive) -> None:
    pages = fill(archive)
    copy(archive.store, other)
    compact(archive, CompactOptions(min_age=timedelta(0)))
    path = path_in(archive, "warc")
    path.write_bytes(damage(path.read_bytes(), "flipped"))
    done = copy(archive.store, other, known=nothing_known)
    assert [problem.key for problem in done.problems] == [path.relative_to(archive.uri).as_posix()]
    assert len(list(other.store.list("warc/"))) == 3
    assert not list(other.store.list("compacting/"))
    check(other, pages)


def test_the_command_tells_of_damage(archive: Archive, newskeep: Run, tmp_path: Path) -> None:
    pages = fill(archive)
    path = path_in(archive, "warc")
    path.write_bytes(damage(path.read_bytes(), "flipped"))
    done = newskeep("copy", archive.uri, str(tmp_path / "copied"))
    assert done.returncode == 7, done.stderr
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith(path.relative_to(archive.uri).as_posix() + ": damaged")
    for copied in folder_archive(tmp_path / "copied"):
        check(copied, pages[4:])


def test_what_readers_said_in_two_archives_is_brought_together(archive: Archive, other: Archive) -> None:
    fill(archive)
    here, gone = (add(archive.store, correction(text)) for text in ("Said here.", "Said and taken back."))
    copy(archive.store, other)
    assert read_all(other.store) == [here, gone]
    there = add(other.store, correction("Said there."))
    add(archive.store, undone(gone))
    archive.store.put("corrections/paper.example/20260301120000000-00000000.json", b"{}")
    for one, into in ((archive, other), (other, archive)):
        copy(one.store, into)
    assert read_all(other.store) == read_all(archive.store) == [here, there]
    (problem,) = Verification(archive, deep=True).problems()
    assert str(problem).startswith("corrections/paper.example/20260301120000000-00000000.json: damaged (not a correct")

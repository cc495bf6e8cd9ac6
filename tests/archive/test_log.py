"""The log of an archive: what it says, through joins, purges and copies; whatever is changed behind it is named."""

from __future__ import annotations

import base64
import gzip
import random
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dying_store import killed_at
from filled_archive import check, deliver, page
from logged_archive import begin_log, fill_logged, take_out
from time_authority import TimeAuthority, running_authority
from warm_start import WarmStart

from newskeep.stamping import stamp
from storage.archive import Archive, open_archive
from storage.compaction.run import CompactOptions, compact
from storage.maintenance.copy import copy
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.maintenance.verify import Verification
from storage.objects.local import LocalStore
from storage.transparency.audit import audit
from storage.transparency.checkpoint import Checkpoint
from storage.transparency.keys import PrivateKey, key_path
from storage.transparency.leaves import members
from storage.transparency.objects import heads, logs, read_info
from storage.transparency.proof import prove
from storage.transparency.proof_check import check as check_proof
from storage.transparency.update import update

CHANGES = 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeAuthority]:
    with running_authority(tmp_path_factory.mktemp("tsa") / "authority") as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    with open_archive(tmp_path / "archive") as opened:
        begin_log(opened, tmp_path / "home", monkeypatch)
        yield opened


def problems(archive: Archive) -> list[str]:
    return [str(problem) for problem in audit(archive, deep=True)]


def test_an_archive_without_a_key_has_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    with open_archive(tmp_path / "archive") as archive:
        deliver(archive, 0, [page(0)])
        assert archive.log is None
        assert [*archive.store.list("logs/")] == []
        assert problems(archive) == []


def test_the_key_lies_outside_and_is_its_owners(archive: Archive, tmp_path: Path) -> None:
    path = key_path(archive.uri)
    assert path.is_relative_to(tmp_path / "home")
    assert path.stat().st_mode & 0o777 == 0o600
    assert archive.log is not None
    assert read_info(archive.store, archive.log.id).name == "tests"


def test_a_folder_has_one_key_however_it_is_named(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "archive")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in ("../archive", "../link/", f"file://{tmp_path}/elsewhere/../archive"):
        with open_archive(name) as same:
            assert same.log is not None, name
            assert archive.log is not None
            assert same.log.id == archive.log.id
    assert key_path("s3://bucket/news/") == key_path("s3://bucket/news") != key_path("s3://bucket/News")


def test_joins_purges_and_stamps_keep_it_true(archive: Archive, authority: TimeAuthority) -> None:
    pages = fill_logged(archive, authority)
    check(archive, pages)
    assert problems(archive) == []
    assert [*Verification(archive, deep=True).problems()] == []
    assert len(heads(archive.store, logs(archive.store)[0])) == 6


def test_a_copy_has_it_as_well(archive: Archive, tmp_path: Path) -> None:
    fill_logged(archive)
    with open_archive(tmp_path / "copy") as other:
        copy(archive.store, other)
        assert problems(other) == []
        deliver(archive, 9, [page(99)])
        copy(archive.store, other)
        assert problems(other) == []


def test_leaves_that_are_gone_are_made_again(archive: Archive) -> None:
    fill_logged(archive)
    for info in [*archive.store.list("logs/")]:
        if "/leaves/" in info.key:
            archive.store.delete(info.key)
            break
    assert problems(archive) != []
    told: list[str] = []
    reindex(archive, ReindexOptions(mend=True), on_problem=lambda problem: told.append(str(problem)))
    assert told == []
    assert problems(archive) == []


def test_all_leaves_of_unpurged_warcs_are_made_again_from_them(archive: Archive) -> None:
    for serial in range(3):
        deliver(archive, serial, [page(serial), page(serial + 10)])
    held = {info.key for info in archive.store.list("logs/")}
    for key in held:
        if "/leaves/" in key:
            archive.store.delete(key)
    reindex(archive, ReindexOptions(mend=True))
    assert {info.key for info in archive.store.list("logs/")} == held
    assert problems(archive) == []


def test_what_was_there_before_the_log_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    with open_archive(tmp_path / "archive") as archive:
        deliver(archive, 0, [page(0)])
    with open_archive(tmp_path / "archive") as archive:
        begin_log(archive, tmp_path / "home", monkeypatch)
        deliver(archive, 1, [page(1)])
        assert "in no log" in problems(archive)[0]
        assert archive.log is not None
        assert update(archive, archive.log).added == 1
        assert problems(archive) == []
        assert update(archive, archive.log).added == 0


def without_log(archive: Archive, patch: pytest.MonkeyPatch, home: Path) -> Archive:
    """The same archive as a machine sees it that writes no log."""
    patch.setenv("XDG_CONFIG_HOME", str(home))
    other = Archive(archive.store, archive.state)
    assert other.log is None
    return other


def test_what_a_machine_without_a_log_joined_and_purged_is_taken_up(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(2):
        deliver(archive, serial, [page(serial), page(serial + 10)])
    assert archive.log is not None
    other = without_log(archive, monkeypatch, tmp_path / "nobody")
    assert compact(other, CompactOptions(min_age=timedelta(0))).made == 1
    assert all("joined elsewhere" in line or "in no log" in line for line in problems(archive))
    assert update(archive, archive.log).moved == 1
    assert problems(archive) == []
    take_out(other, page(1).url)
    told: list[str] = []
    assert update(archive, archive.log, on_problem=lambda problem: told.append(str(problem))).problems == 1
    assert "2 records of those that it was made from are not in it" in told[0]
    assert problems(archive) != []
    assert update(archive, archive.log, purges=True).moved == 1
    assert problems(archive) == []
    # And gone on with, joined with what came later.
    deliver(archive, 5, [page(5)])
    assert compact(archive, CompactOptions(min_age=timedelta(0))).made == 1
    assert problems(archive) == []
    take_out(archive, page(11).url)
    assert problems(archive) == []


def test_a_forged_join_takes_nothing_out(archive: Archive, tmp_path: Path) -> None:
    """Somebody who can write into the store leaves a plan of a join that lacks a record, for us to finish."""
    for serial in range(2):
        deliver(archive, serial, [page(serial), page(serial + 10)])
    shutil.copytree(tmp_path / "archive", tmp_path / "forged")
    with Archive(LocalStore(str(tmp_path / "forged")), tmp_path / "forged") as forged:
        compact(forged, CompactOptions(min_age=timedelta(0)))
        target = next(info.key for info in forged.store.list("warc/"))
    path = tmp_path / "forged" / target
    path.write_bytes(b"".join(members_of(path)[:1] + members_of(path)[3:]))
    for kind in ("warc", "cdxj", "text", "compacted"):
        shutil.rmtree(tmp_path / "archive" / kind, ignore_errors=True)
        shutil.copytree(tmp_path / "forged" / kind, tmp_path / "archive" / kind)
    assert archive.log is not None
    told: list[str] = []
    update(archive, archive.log, on_problem=lambda problem: told.append(str(problem)))
    assert len(told) == 1
    assert problems(archive) != []


@pytest.mark.exhaustive
def test_a_join_that_is_killed_behind_any_step_is_logged_once(
    archive: Archive, tmp_path: Path, warm_start: WarmStart
) -> None:
    for serial in range(2):
        deliver(archive, serial, [page(serial)])
    before = len(heads(archive.store, logs(archive.store)[0]))
    for step in range(12):
        copied = tmp_path / f"copy-{step}"
        shutil.copytree(tmp_path / "archive", copied)
        with open_archive(copied) as other:
            shutil.copy(key_path(archive.uri), key_path(other.uri))
            killed_at(warm_start, other, "storage.compaction.run:compact", step, "behind")
            compact(other, CompactOptions(min_age=timedelta(0)))
            assert problems(other) == [], step
            assert len(heads(other.store, logs(other.store)[0])) == before + 1, step


def test_two_machines_write_a_log_each(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(archive, 0, [page(0)])
    with Archive(archive.store, tmp_path / "other") as other:
        begin_log(other, tmp_path / "elsewhere", monkeypatch)
        deliver(other, 1, [page(1)], crawl="ffffffffffff")
        assert len(logs(archive.store)) == 2
        assert problems(archive) == []


def test_a_stamp_that_cannot_be_had_is_asked_for_later(archive: Archive, authority: TimeAuthority) -> None:
    deliver(archive, 0, [page(0)])
    authority.instead = b"no stamp today"
    (told,) = stamp(archive, [authority.url])
    assert "the next run asks again" in told
    authority.instead = None
    asked = authority.asked
    assert stamp(archive, [authority.url]) == []
    assert stamp(archive, [authority.url]) == []
    assert authority.asked == asked + 1
    assert stamp(archive, ["http://127.0.0.1:9/none"])[0].startswith("no time stamp of http://127.0.0.1:9/none (")


# Whatever is changed is found


def objects(folder: Path, *beginnings: str) -> list[Path]:
    return sorted(path for each in beginnings for path in (folder / each).rglob("*") if path.is_file())


def flip_a_byte(folder: Path, chance: random.Random) -> None:
    path = chance.choice(objects(folder, "warc"))
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def members_of(path: Path) -> list[bytes]:
    with path.open("rb") as stream:
        return [member for _, member in members(stream)]


def remove_a_record(folder: Path, chance: random.Random) -> None:
    path = chance.choice(objects(folder, "warc"))
    found = members_of(path)
    del found[chance.randrange(len(found))]
    path.write_bytes(b"".join(found))


def swap_records(folder: Path, chance: random.Random) -> None:
    path = chance.choice(objects(folder, "warc"))
    found = members_of(path)
    one, other = chance.sample(range(len(found)), 2)
    found[one], found[other] = found[other], found[one]
    path.write_bytes(b"".join(found))


def change_a_date(folder: Path, chance: random.Random) -> None:
    path = chance.choice(objects(folder, "warc"))
    found = members_of(path)
    number = chance.randrange(len(found))
    record = gzip.decompress(found[number])
    found[number] = gzip.compress(record.replace(b"WARC-Date: 2026", b"WARC-Date: 2025", 1))
    path.write_bytes(b"".join(found))


def add_a_record(folder: Path, chance: random.Random) -> None:
    path = chance.choice(objects(folder, "warc"))
    found = members_of(path)
    found.insert(chance.randrange(len(found) + 1), chance.choice(found))
    path.write_bytes(b"".join(found))


def remove_a_warc(folder: Path, chance: random.Random) -> None:
    chance.choice(objects(folder, "warc")).unlink()


def add_a_warc(folder: Path, chance: random.Random) -> None:
    path = chance.choice(objects(folder, "warc"))
    other = re.sub(r"-\d{5}\.warc", f"-{chance.randrange(10, 99999):05d}.warc", path.name)
    path.with_name(other).write_bytes(path.read_bytes())


def remove_of_the_log(folder: Path, chance: random.Random) -> None:
    chance.choice([path for path in objects(folder, "logs") if path.suffix != ".tsr"]).unlink()


def change_the_log(folder: Path, chance: random.Random) -> None:
    path = chance.choice([path for path in objects(folder, "logs") if path.suffix == ".gz"])
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    number = chance.randrange(len(lines))
    match chance.randrange(3):
        case 0:
            del lines[number]
        case 1:
            lines[number] = lines[number].replace(b"0", b"1", 1) if b"0" in lines[number] else b"x" + lines[number]
        case _:
            lines = [*lines[number:], *lines[:number]] if number else lines[:-1]
    path.write_bytes(gzip.compress(b"".join(lines)))


def forge_a_head(folder: Path, chance: random.Random) -> None:
    """Signed by a key of the forger's, or dated back."""
    path = chance.choice([path for path in objects(folder, "logs") if path.parent.name == "heads"])
    text = path.read_text()
    if chance.random() < 0.5:
        path.write_text(text.replace("time 2", "time 1", 1))
    else:
        _, size, root, *_ = text.splitlines()
        key = PrivateKey.make(folder.parent / f"forger-{chance.random()}.pem")
        long_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)
        head = Checkpoint(path.parts[-3], int(size), base64.b64decode(root), long_ago)
        path.write_bytes(head.signed(key))


def forge_a_stamp(folder: Path, chance: random.Random) -> None:
    first, *others = [path for path in objects(folder, "logs") if path.suffix == ".tsr"]
    if chance.random() < 0.5:
        first.write_bytes(others[0].read_bytes())
    else:
        data = bytearray(first.read_bytes())
        # The time in what is signed: "2026…Z" as GeneralizedTime.
        data[data.index(b"20261" if b"20261" in data else b"202", 40) + 3] ^= 1
        first.write_bytes(data)


KINDS: list[Callable[[Path, random.Random], None]] = [
    flip_a_byte,
    remove_a_record,
    swap_records,
    change_a_date,
    add_a_record,
    remove_a_warc,
    add_a_warc,
    remove_of_the_log,
    change_the_log,
    forge_a_head,
    forge_a_stamp,
]


def restored(folder: Path, saved: dict[Path, bytes]) -> None:
    for path in set(objects(folder, "warc", "logs")) - saved.keys():
        path.unlink()
    for path, data in saved.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)


@pytest.mark.parametrize(
    "changes", [pytest.param(CHANGES), pytest.param(200, marks=[pytest.mark.exhaustive, pytest.mark.long])]
)
def test_every_change_is_named(archive: Archive, authority: TimeAuthority, tmp_path: Path, changes: int) -> None:
    fill_logged(archive, authority)
    folder = tmp_path / "archive"
    saved = {path: path.read_bytes() for path in objects(folder, "warc", "logs")}
    assert problems(archive) == []
    chance = random.Random(changes)
    for number in range(changes):
        kind = KINDS[number % len(KINDS)]
        kind(folder, chance)
        changed = {path for path in {*objects(folder, "warc", "logs"), *saved} if _bytes(path) != saved.get(path)}
        told = problems(archive)
        assert told, f"change {number}, {kind.__name__} of {changed}"
        # By name: a line is about what was changed, or about the log that can no longer be read.
        assert any(_names(line, path, folder) for line in told for path in changed), (kind.__name__, told, changed)
        restored(folder, saved)
    assert problems(archive) == []


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _names(line: str, path: Path, folder: Path) -> bool:
    key = str(path.relative_to(folder))
    return line.startswith(key) or (key.startswith("logs/") and line.startswith(key[:22]))


def test_the_newest_part_of_a_log_cannot_go_unseen_here(archive: Archive, tmp_path: Path) -> None:
    deliver(archive, 0, [page(0)])
    kept = set(objects(tmp_path / "archive", "warc", "logs"))
    deliver(archive, 1, [page(1)])
    for path in set(objects(tmp_path / "archive", "warc", "logs")) - kept:
        path.unlink()
    (told,) = problems(archive)
    assert "the newest were removed" in told


def test_a_proof_that_was_kept_shows_what_was_written_anew(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody who has the key, the state, and all of the archive."""
    deliver(archive, 0, [page(0)])
    deliver(archive, 1, [page(1)])
    kept = [log.head for log in check_proof(prove(archive, archive.find(page(1).url))).logs]
    assert [*audit(archive, kept=kept)] == []
    with open_archive(tmp_path / "anew") as anew:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
        shutil.copy(key_path(archive.uri), key_path(anew.uri))
        assert anew.log is not None
        anew.log.begin("tests")
        deliver(anew, 1, [page(1)])
        told = [str(problem) for problem in audit(anew, kept=kept)]
        assert any("the newest were removed" in line for line in told)
        deliver(anew, 2, [page(2)])
        deliver(anew, 3, [page(3)])
        told = [str(problem) for problem in audit(anew, kept=kept)]
        assert any("others than were signed once" in line or "written anew" in line for line in told)

"""Small WARCs become large ones: nothing lost, nothing twice, for readers meanwhile and after a kill at any step."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dying_store import killed_at
from fastwarc.warc import ArchiveIterator
from filled_archive import check, deliver, fill, folder_archive, objects, page, write
from warm_start import WarmStart

from storage.archive import Archive
from storage.compaction.plan import Compaction, plans
from storage.compaction.run import CompactGroup, CompactOptions, CompactResult, compact
from storage.errors import AlreadyRunning, ObjectMissing, StoreUnavailable
from storage.locking import held
from storage.maintenance.reindex import reindex
from storage.maintenance.verify import Verification
from storage.objects.local import LocalStore
from storage.warc import read_records


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


def keys(archive: Archive, kind: str) -> list[str]:
    return [info.key for info in archive.store.list(kind + "/")]


def assert_sound(archive: Archive) -> None:
    assert [*Verification(archive, deep=True).problems()] == []


def test_members_are_moved_byte_for_byte(archive: Archive) -> None:
    pages = fill(archive)
    before = objects(archive.store)
    warcs = [data for key, data in before.items() if key.startswith("warc/")]
    done = compact(archive)
    assert (done.made, done.sources, done.left) == (1, 3, [])
    after = objects(archive.store)
    (name,) = keys(archive, "warc")
    assert after[name] == b"".join(warcs)
    assert done.bytes == len(after[name])
    assert [len(keys(archive, kind)) for kind in ("cdxj", "text", "compacting", "compacted")] == [1, 1, 0, 1]
    assert not set(before) & set(keys(archive, "warc") + keys(archive, "cdxj") + keys(archive, "text"))
    check(archive, pages)
    assert_sound(archive)
    with (archive.state / name).open("rb") as file:
        assert sum(1 for _ in ArchiveIterator(file)) == 3 * 11
    assert compact(archive) == CompactResult()
    assert objects(archive.store) == after


def test_large_young_and_other_days_are_left_alone(archive: Archive) -> None:
    fill(archive, warcs=2)
    young = page(1)
    deliver(archive, 5, [replace(young, moment=datetime.now(UTC) - timedelta(minutes=5))])
    deliver(archive, 6, [replace(young, moment=datetime.now(UTC) - timedelta(minutes=4))])
    deliver(archive, 7, [page(1, version=1)])
    before = objects(archive.store)
    assert compact(archive, CompactOptions(day=date(2026, 3, 2))) == CompactResult()
    assert compact(archive, CompactOptions(min_size=100)) == CompactResult()
    groups: list[CompactGroup] = []
    compact(archive, CompactOptions(dry_run=True), on_group=groups.append)
    assert [(group.day, len(group.holdings)) for group in groups] == [(date(2026, 3, 1), 2)]
    assert objects(archive.store) == before
    assert compact(archive, CompactOptions(min_age=timedelta(0))).sources == 4


def test_joined_ones_have_bounds_and_are_joined_again(archive: Archive) -> None:
    pages = fill(archive, warcs=6)
    assert compact(archive, CompactOptions(max_captures=11)).made == 3
    assert len(keys(archive, "warc")) == 3
    (first, *_) = [info.size for info in archive.store.list("warc/")]
    assert compact(archive, CompactOptions(max_size=2 * first + 500)).made == 1
    assert compact(archive).made == 1
    check(archive, pages)
    assert_sound(archive)
    (_, _, third) = (json.loads(objects(archive.store)[key]) for key in _by_age(archive))
    assert len(third["sources"]) == 2
    assert len(third["earlier"]) == 6 + 2


def _by_age(archive: Archive) -> list[str]:
    found = objects(archive.store)
    chain = sorted(keys(archive, "compacted"), key=lambda key: len(json.loads(found[key])["earlier"]))
    return chain[-3:]


@pytest.mark.parametrize("kind", ["warc", "cdxj", "text", "no-text", "no-cdxj"])
def test_what_does_not_agree_stays_as_it_is(archive: Archive, kind: str) -> None:
    pages = fill(archive, warcs=4)
    key = keys(archive, kind.removeprefix("no-"))[1]
    path = archive.state / key
    if kind.startswith("no-"):
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    done = compact(archive)
    assert done.made == 1
    if kind == "no-cdxj":
        # What is in the WARC is all that a CDXJ says.
        assert done.sources == 4
        check(archive, pages)
        assert_sound(archive)
        return
    assert done.sources == 3
    assert any("not joined" in problem.what for problem in done.left)
    assert len(keys(archive, "warc")) == 2
    for one in pages[:4] + pages[8:]:
        assert archive.get(one.url).response == one.response
        assert archive.article(one.url).text == one.text


def test_fields_of_a_newer_writer_survive(archive: Archive) -> None:
    import gzip

    for serial in range(2):
        parcel = write(archive.state / "made", serial, [page(serial)])
        line = json.loads(gzip.decompress(parcel.text.read_bytes()))
        line["mood"] = {"ærø": 1}
        line["warc"]["server"] = "x"
        parcel.text.write_bytes(gzip.compress(json.dumps(line).encode() + b"\n"))
        archive.deliver(parcel)
    assert compact(archive).sources == 2
    lines = gzip.decompress(objects(archive.store)[keys(archive, "text")[0]]).splitlines()
    assert [json.loads(line)["mood"] for line in lines] == [{"ærø": 1}] * 2
    assert [json.loads(line)["warc"]["server"] for line in lines] == ["x"] * 2


def test_two_at_once(archive: Archive) -> None:
    fill(archive)
    with held(archive.state / "upkeep.lock", "x"), pytest.raises(AlreadyRunning):
        compact(archive)
    assert compact(archive).made == 1


# Readers


def test_reader_at_work_sees_no_gap(archive: Archive) -> None:
    pages = fill(archive, warcs=6)
    stop, failures, reads = threading.Event(), [], 0

    def read() -> None:
        nonlocal reads
        while not stop.is_set():
            for one in pages:
                try:
                    assert archive.get(one.url, one.moment).response == one.response
                    assert archive.article(one.url, one.moment).text == one.text
                    assert archive.read(list(archive.captures(one.url))[-1]).response == one.response
                    reads += 1
                except Exception as error:
                    failures.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    with Archive(LocalStore(archive.uri), archive.state) as other:
        for bound in (11, 22, 1000):
            assert compact(other, CompactOptions(max_captures=bound)).made
    stop.set()
    reader.join()
    assert failures == []
    assert reads > 10
    check(archive, pages)


def test_reader_that_looked_up_before(archive: Archive) -> None:
    pages = fill(archive)
    captures = {one.url: archive.find(one.url, one.moment) for one in pages}
    mementos = {one.url: archive.get(one.url, one.moment) for one in pages}
    entries = list(archive.index.articles())
    compact(archive)
    for one in pages:
        assert archive.read(captures[one.url]).response == one.response
        assert archive.read(captures[one.url]).capture.filename != captures[one.url].filename
        assert archive.reader.request(captures[one.url]).type == "request"
        assert archive.article_of(mementos[one.url]).text == one.text
    assert sorted(archive.read_article(entry).url for entry in entries) == sorted(one.url for one in pages)


def test_machine_that_has_not_heard_of_it_is_told(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive)
    with Archive(LocalStore(archive.uri), tmp_path / "other") as other:
        reindex(other)
        compact(archive)
        with pytest.raises(ObjectMissing, match="newskeep reindex"):
            other.get(pages[0].url)
        done = reindex(other)
        assert (done.entered, done.removed) == (1, 3)
        check(other, pages)


def test_late_delivery_of_what_was_joined_is_no_second_copy(archive: Archive) -> None:
    pages = [page(1), page(2)]
    deliver(archive, 0, pages[:1])
    late = write(archive.state / "spooled", 1, pages[1:])
    again = write(archive.state / "again", 1, pages[1:])
    again.warc.write_bytes(late.warc.read_bytes())
    archive.deliver(late)
    assert compact(archive).sources == 2
    # The run that delivered it was killed before it emptied its spool.
    archive.deliver(again)
    assert not again.warc.exists()
    check(archive, pages)
    assert_sound(archive)


# Killed

#: Calls of the store that change it, in a compaction of two WARCs: plan, three parts, record, six removals, plan.
STEPS = 1 + 3 + 1 + 6 + 1


#: Of each kind of call one or two are always tried: the plan, parts, the record, removals, the plan.
ALWAYS = (0, 1, 3, 4, 5, 8, STEPS - 1)
#: Before a call the store is as behind the one before: behind is asked of the last alone.
KILLS = [
    *(pytest.param(step, "before", marks=() if step in ALWAYS else pytest.mark.exhaustive) for step in range(STEPS)),
    (STEPS - 1, "behind"),
    *(pytest.param(step, "behind", marks=pytest.mark.exhaustive) for step in range(STEPS - 1)),
]


@pytest.mark.parametrize(("step", "when"), KILLS)
def test_killed_at_any_step(archive: Archive, tmp_path: Path, step: int, when: str, warm_start: WarmStart) -> None:
    pages = fill(archive, warcs=2, pages=2)
    total = sum(1 for _ in archive.index.captures("paper.example", match="host"))
    assert killed_at(warm_start, archive, "storage.compaction.run:compact", step, when) == 9
    # As it was left: here, and on a machine that starts with nothing, and on one that looks the first time again.
    check(archive, pages)
    assert sum(1 for _ in archive.index.captures("paper.example", match="host")) == total
    with Archive(LocalStore(archive.uri), tmp_path / "other") as other:
        for _ in range(2):
            reindex(other)
            check(other, pages)
            assert sum(1 for _ in other.index.captures("paper.example", match="host")) == total
    reindex(archive)
    check(archive, pages)
    assert_sound(archive)
    # The next one finishes or undoes it, and then joins what is to be joined.
    done = compact(archive)
    assert done.left == []
    assert (done.finished, done.made) in {(1, 0), (0, 1), (0, 0)}
    assert [len(keys(archive, kind)) for kind in ("warc", "cdxj", "text", "compacting", "compacted")] == [1, 1, 1, 0, 1]
    assert not (archive.state / "compaction").exists()
    check(archive, pages)
    assert_sound(archive)
    with Archive(LocalStore(archive.uri), tmp_path / "other") as other:
        reindex(other)
        check(other, pages)


def test_walk_covers_every_step(archive: Archive, warm_start: WarmStart) -> None:
    fill(archive, warcs=2, pages=2)
    assert killed_at(warm_start, archive, "storage.compaction.run:compact", STEPS - 1, "before") == 9
    compact(archive)
    for serial in (5, 6):
        deliver(archive, serial, [page(60 + serial)])
    assert killed_at(warm_start, archive, "storage.compaction.run:compact", STEPS + 3, "before") == 0


class Failing(LocalStore):
    """A store that goes away at the n-th call that changes it."""

    def __init__(self, uri: str, left: int) -> None:
        super().__init__(uri)
        self.left = left

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("the store is away")

    def put(self, key: str, source: Path | bytes) -> None:
        self._step()
        super().put(key, source)

    def delete(self, key: str) -> None:
        self._step()
        super().delete(key)


@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=() if step in ALWAYS else pytest.mark.exhaustive) for step in range(STEPS)]
)
def test_store_that_goes_away_at_any_step(archive: Archive, step: int) -> None:
    pages = fill(archive, warcs=2, pages=2)
    with Archive(Failing(archive.uri, step), archive.state) as failing, pytest.raises(StoreUnavailable):
        compact(failing)
    check(archive, pages)
    done = compact(archive)
    assert done.left == []
    assert len(keys(archive, "warc")) == 1
    check(archive, pages)
    assert_sound(archive)


# Several machines


def test_undone_on_another_machine_only_after_a_day(archive: Archive, tmp_path: Path, warm_start: WarmStart) -> None:
    pages = fill(archive, warcs=2, pages=2)
    assert killed_at(warm_start, archive, "storage.compaction.run:compact", 3, "before") == 9
    (plan,) = plans(archive.store)
    with Archive(LocalStore(archive.uri), tmp_path / "other") as other:
        done = compact(other)
        assert (done.made, [problem.key for problem in done.left]) == (0, [plan.plan_key])
        check(other, pages)
        archive.store.replace(plan.plan_key, replace(plan, started=plan.started - timedelta(days=2)).to_json())
        done = compact(other)
        assert (done.undone, done.made, done.left) == (1, 1, [])
        check(other, pages)
        assert_sound(other)
    reindex(archive)
    check(archive, pages)


class Overtaken(LocalStore):
    """A store in which another machine acts right before the n-th put."""

    def __init__(self, uri: str, left: int, state: Path, act: str) -> None:
        super().__init__(uri)
        self.left = left
        self._state = state
        self._act = act

    def put(self, key: str, source: Path | bytes) -> None:
        self.left -= 1
        if self.left == -1:
            with Archive(LocalStore(self.uri), self._state) as other:
                if self._act == "overwrite":
                    # What a store without conditional puts may let happen.
                    (mine,) = plans(other.store)
                    stem = mine.target.replace("-00000", "-00001")
                    stolen = Compaction.from_json(mine.to_json().replace(b"-00000.", b"-00001."), "stolen")
                    assert stolen.target == stem
                    other.store.replace(
                        mine.plan_key, replace(mine, target=stolen.target, objects=stolen.objects).to_json()
                    )
                else:
                    compact(other)
        super().put(key, source)


def test_another_machine_does_the_whole_day_first(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive, warcs=2, pages=2)
    store = Overtaken(archive.uri, 0, tmp_path / "other", "compact")
    with Archive(store, archive.state) as late:
        assert compact(late).made == 0
    assert len(keys(archive, "warc")) == 1
    assert keys(archive, "compacting") == []
    reindex(archive)
    check(archive, pages)
    assert_sound(archive)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_another_machine_overwrites_the_plan(archive: Archive, tmp_path: Path, step: int) -> None:
    pages = fill(archive, warcs=2, pages=2)
    before = {key for key in objects(archive.store) if not key.startswith("compact")}
    with Archive(Overtaken(archive.uri, step, tmp_path / "other", "overwrite"), archive.state) as late:
        done = compact(late)
    assert (done.made, len(done.left)) == (0, 1)
    assert {key for key in objects(archive.store) if not key.startswith("compact")} == before
    check(archive, pages)


def test_plan_of_a_newer_version_is_not_guessed_at(archive: Archive) -> None:
    """It is told, and its day is left as it is."""
    pages = fill(archive, warcs=2, pages=2)
    archive.store.put("compacting/2026-03-01.json", b'{"version": 9}')
    before = objects(archive.store)
    done = compact(archive)
    assert done.made == 0
    assert {problem.key for problem in done.left} == {"compacting/2026-03-01.json"}
    assert objects(archive.store) == before
    check(archive, pages)


def test_warcinfo_of_every_source_is_kept(archive: Archive) -> None:
    fill(archive)
    compact(archive)
    with (archive.state / keys(archive, "warc")[0]).open("rb") as file:
        records = list(read_records(file))
    infos = {record.field("WARC-Record-ID") for record in records if record.type == "warcinfo"}
    assert len(infos) == 3
    assert {record.field("WARC-Warcinfo-ID") for record in records if record.type != "warcinfo"} == infos

"""The index comes back from the store alone, whatever became of it and of the CDXJ."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled_archive import check, deliver, fill, folder_archive, objects, page, write

from storage.archive import Archive
from storage.errors import AlreadyRunning, NotArchived
from storage.index import open_index
from storage.locking import held
from storage.maintenance.reindex import ReindexOptions, ReindexResult, reindex
from storage.objects.local import LocalStore
from storage.problems import Problem


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from folder_archive(tmp_path / "archive")


def elsewhere(archive: Archive, state: Path) -> Archive:
    """The same store on a machine that knows nothing."""
    return Archive(LocalStore(archive.uri), state)


def keys(archive: Archive, kind: str) -> list[Path]:
    return sorted(path for path in (Path(archive.uri) / kind).rglob("*") if path.is_file())


@pytest.mark.parametrize("options", [ReindexOptions(), ReindexOptions(from_warcs=True), ReindexOptions(fresh=True)])
def test_everything_comes_back_on_an_empty_machine(archive: Archive, tmp_path: Path, options: ReindexOptions) -> None:
    pages = fill(archive)
    with elsewhere(archive, tmp_path / "empty") as other:
        done = reindex(other, options)
        assert (done.entered, done.captures, done.articles, done.from_warcs) == (3, 15, 12, 3 * options.from_warcs)
        check(other, pages)
        again = reindex(other)
        assert (again.entered, again.known) == (0, 3)


def test_empty_index_of_a_full_archive_says_what_to_do(archive: Archive, tmp_path: Path) -> None:
    (one, *_) = fill(archive)
    with elsewhere(archive, tmp_path / "empty") as other:
        for ask in (lambda: other.get(one.url), lambda: list(other.captures(one.url))):
            with pytest.raises(NotArchived, match="newskeep reindex"):
                ask()
    with pytest.raises(NotArchived, match="is not in the archive"):
        archive.get("https://www.paper.example/none")
    assert list(archive.captures("https://www.paper.example/none")) == []


def test_empty_archive_is_no_reason_to_reindex(archive: Archive) -> None:
    Path(archive.uri).mkdir()
    assert list(archive.captures("https://www.paper.example/")) == []
    assert reindex(archive) == ReindexResult()


def test_only_what_is_new_is_read_and_what_is_gone_goes(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive)
    with elsewhere(archive, tmp_path / "other") as other:
        reindex(other)
        new = page(50)
        deliver(archive, 9, [new])
        first = keys(archive, "warc")[0]
        for kind, suffix in (("warc", ".warc.gz"), ("cdxj", ".cdxj"), ("text", ".jsonl.gz")):
            archive.store.delete(f"{kind}/2026/03/01/{first.name.removesuffix('.warc.gz')}{suffix}")
        before = other.store.traffic
        done = reindex(other)
        read = (other.store.traffic - before).bytes_read
        assert (done.entered, done.known, done.removed) == (1, 2, 1)
        assert read == sum(
            path.stat().st_size for kind in ("cdxj", "text") for path in keys(archive, kind) if "-00009" in path.name
        )
        check(other, [*pages[4:], new])


@pytest.mark.parametrize("harm", ["missing", "cut", "garbage", "elsewhere", "twice"])
def test_bad_cdxj_is_made_good_from_the_warc(archive: Archive, tmp_path: Path, harm: str) -> None:
    pages = fill(archive)
    path = keys(archive, "cdxj")[1]
    whole = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "cut": whole[:-30],
                "garbage": b"\xff\xfe no CDXJ at all\n" + whole,
                "elsewhere": whole.replace(b'"offset": "', b'"offset": "99'),
                "twice": whole + whole.splitlines(keepends=True)[0].replace(b"200", b"404"),
            }[harm]
        )
    told: list[Problem] = []
    with elsewhere(archive, tmp_path / "empty") as other:
        done = reindex(other, on_problem=told.append)
        assert (done.entered, done.from_warcs) == (3, 1)
        check(other, pages)
    assert [(problem.key, "--mend" in problem.what) for problem in told] == [
        (path.relative_to(archive.uri).as_posix(), True)
    ]
    with elsewhere(archive, tmp_path / "third") as third:
        reindex(third, ReindexOptions(from_warcs=True, mend=True))
    assert path.read_bytes() == whole


def test_missing_cdxj_is_put_back_when_the_index_knows_all(archive: Archive) -> None:
    fill(archive)
    before = objects(archive.store)
    keys(archive, "cdxj")[0].unlink()
    assert reindex(archive).entered == 0
    assert reindex(archive, ReindexOptions(mend=True)).entered == 1
    assert objects(archive.store) == before


@pytest.mark.parametrize("harm", ["missing", "flipped"])
def test_bad_text_costs_that_text_only(archive: Archive, tmp_path: Path, harm: str) -> None:
    pages = fill(archive)
    path = keys(archive, "text")[0]
    whole = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2] + b"\x55" + whole[len(whole) // 2 + 1 :])
    told: list[Problem] = []
    with elsewhere(archive, tmp_path / "empty") as other:
        reindex(other, on_problem=told.append)
        assert [problem.key for problem in told] == [path.relative_to(archive.uri).as_posix()]
        assert "reextract" in told[0].what
        for one in pages:
            assert other.get(one.url, one.moment).response == one.response
        texts = [article.url for article in other.articles()]
        assert {one.url for one in pages[4:]} <= set(texts) < {one.url for one in pages}
        path.write_bytes(whole)
        assert reindex(other).entered == 1
        check(other, pages)


def test_text_made_again_elsewhere_is_read_again(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive)
    with elsewhere(archive, tmp_path / "other") as other:
        reindex(other)
        entries = list(other.index.articles())
        path = keys(archive, "text")[0]
        first = path.read_bytes()
        key = path.relative_to(archive.uri).as_posix()
        archive.store.replace(
            key, gzip.compress(gzip.decompress(first).replace(b"Title", b"A title").splitlines(True)[3])
        )
        # The rows are of yesterday, and still nobody gets another article than the one asked for.
        assert other.article(pages[3].url).title == f"A title of {pages[3].url}"
        with pytest.raises(NotArchived):
            other.article(pages[0].url)
        done = reindex(other)
        assert (done.entered, done.known, done.articles) == (1, 2, 1)
        assert len(list(other.index.articles())) == len(entries) - 3


@pytest.mark.parametrize("cdxj", [True, False])
def test_damaged_warc_is_indexed_up_to_the_damage_and_again_when_whole(
    archive: Archive, tmp_path: Path, cdxj: bool
) -> None:
    pages = fill(archive, warcs=1)
    (path,) = keys(archive, "warc")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    if not cdxj:
        keys(archive, "cdxj")[0].unlink()
    told: list[Problem] = []
    with elsewhere(archive, tmp_path / "empty") as other:
        reindex(other, on_problem=told.append)
        assert path.relative_to(archive.uri).as_posix() in {problem.key for problem in told}
        assert other.get(pages[0].url).response == pages[0].response
        path.write_bytes(whole)
        told.clear()
        reindex(other, on_problem=told.append)
        check(other, pages)


@pytest.mark.sqlite_file("damage done to the file")
@pytest.mark.parametrize("harm", ["deleted", "cut", "page", "garbage", "older", "newer", "rows"])
def test_index_in_any_state_is_replaced(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "archive" / "index.sqlite"
    for archive in folder_archive(tmp_path / "archive"):
        pages = fill(archive)
    if harm in ("older", "newer", "rows"):
        connection = sqlite3.connect(path)
        version = {"older": -1, "newer": 9999}.get(harm)
        connection.execute(
            f"UPDATE about SET value = {version}" if version else "DELETE FROM captures WHERE surt LIKE '%)/3'"
        )
        connection.commit()
        connection.close()
    elif harm == "deleted":
        path.unlink()
    else:
        data = path.read_bytes()
        assert len(data) > 3 * 4096
        middle = data[: 2 * 4096] + b"\x99" * 4096 + data[3 * 4096 :]
        path.write_bytes({"cut": data[:-5000], "page": middle, "garbage": b"not a database " * 1000}[harm])
    for archive in folder_archive(tmp_path / "archive"):
        done = reindex(archive)
        assert done.entered == 3
        assert (done.renewed is None) == (harm == "deleted")
        check(archive, pages)


@pytest.mark.sqlite_file("a file in use is not removed")
def test_damaged_index_in_use_is_not_taken_away(tmp_path: Path) -> None:
    for archive in folder_archive(tmp_path / "archive"):
        fill(archive)
    path = tmp_path / "archive" / "index.sqlite"
    with open_index(path):
        for archive in folder_archive(tmp_path / "archive"):
            with pytest.raises(AlreadyRunning, match="in use"):
                reindex(archive, ReindexOptions(fresh=True))


def test_two_at_once(archive: Archive) -> None:
    fill(archive)
    with held(archive.state / "upkeep.lock", "x"), pytest.raises(AlreadyRunning, match="already running"):
        reindex(archive)
    assert reindex(archive).known == 3


def test_stopped_in_the_middle_keeps_what_is_done(archive: Archive, tmp_path: Path) -> None:
    pages = fill(archive)

    def stop(done: ReindexResult) -> None:
        if done.entered == 2:
            raise KeyboardInterrupt

    with elsewhere(archive, tmp_path / "empty") as other:
        with pytest.raises(KeyboardInterrupt):
            reindex(other, on_warc=stop)
        done = reindex(other)
        assert (done.known, done.entered) == (2, 1)
        check(other, pages)


def test_warc_delivered_again_after_a_reindex_is_the_same(archive: Archive) -> None:
    pages = [page(1), page(2)]
    parcel = write(archive.state / "spooled", 0, pages)
    archive.store.put("warc/2026/03/01/" + parcel.filename, parcel.warc)
    archive.store.put("cdxj/2026/03/01/" + parcel.cdxj.name, parcel.cdxj)
    archive.store.put("text/2026/03/01/" + parcel.text.name, parcel.text)
    # Killed here: in the store, not in the index, still in the spool.
    assert reindex(archive).entered == 1
    archive.deliver(parcel)
    check(archive, pages)

"""What machines do to a run: damaged, full and read-only spools, indexes that are gone, clocks that go backwards.

Nothing told is lost by it, and no run is in the way of the next.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import resource
import shutil
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from promises import IMPATIENT, Keeper, NewsOrigin, answer, keeper_of, page
from warcs import by_url, records_of
from warm_start import WarmStart

from crawler.session.recorder import SealBounds
from crawler.session.session import Session, SessionOptions
from storage import open_archive
from storage.archive import Archive
from storage.errors import SpoolError
from storage.model import Exchange, Outcome

pytestmark = pytest.mark.long

PAGES = [f"/{number}" for number in range(6)]
OPTIONS = SessionOptions("newskeep-test", workers=1)
#: A store that is away, so that what is sealed stays in the spool.
NOWHERE = {
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "anything",
    **IMPATIENT,
}


@pytest.fixture
def origin() -> Iterator[NewsOrigin]:
    with NewsOrigin() as origin:
        yield origin


@pytest.fixture
def keeper(origin: NewsOrigin, tmp_path: Path, environment: Mapping[str, str], warm_start: WarmStart) -> Keeper:
    return keeper_of(str(tmp_path / "archive"), tmp_path, environment, origin, warm_start)


def leave(keeper: Keeper, *paths: str) -> Path:
    """Save pages while the store is away; return the crawl's folder in the spool, with a sealed WARC in it."""
    (keeper.state / "spool").mkdir(parents=True, exist_ok=True)
    before = {*(keeper.state / "spool").iterdir()}
    uri, keeper.uri = keeper.uri, "s3://nowhere"
    assert keeper.save(*paths, **NOWHERE).code == 3
    keeper.uri = uri
    (folder,) = {*(keeper.state / "spool").iterdir()} - before
    return folder


def the(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


# What waits in the spool


@pytest.mark.parametrize("state", ["sealed", "closed", "open"])
def test_a_damaged_warc_is_set_aside_and_its_whole_records_are_delivered(keeper: Keeper, state: str) -> None:
    folder = leave(keeper, *PAGES)
    warc = the(folder, "*.warc.gz")
    hit = [record for record in records_of(warc) if record.type == "response"][2]
    data = bytearray(warc.read_bytes())
    data[hit.offset + hit.length // 2] ^= 1
    warc.write_bytes(data)
    if state != "sealed":
        the(folder, "*.cdxj").unlink()
        the(folder, "*.jsonl.gz").unlink()
    if state == "open":
        warc.rename(warc.with_name(warc.name + ".open"))

    ended = keeper.save("/after")
    assert ended.code == 1
    (line,) = ended.lines
    assert warc.name in line
    assert "damaged" in line
    (kept,) = (keeper.state / "spool" / "damaged").iterdir()
    assert kept.read_bytes() == data
    assert str(kept) in line

    keeper.told = [told for told in keeper.told if told["url"] != hit.url]
    again = keeper.save("/again")
    assert (again.code, again.lines) == (0, [])
    keeper.check(waiting=True)
    assert keeper.waiting() == [kept.name]
    with keeper.open() as archive:
        # Any page but the one that was hit; which one that is depends on the order they came in.
        url = next(told["url"] for told in keeper.told if told["outcome"] == "archived")
        assert archive.article(url).title == f"All about /{url.rpartition('/')[2]}"


@pytest.mark.parametrize("size", [0, 100])
def test_a_warc_with_nothing_to_save_is_set_aside(keeper: Keeper, size: int) -> None:
    folder = leave(keeper, "/a")
    warc = the(folder, "*.warc.gz")
    warc.write_bytes(bytes(size))
    ended = keeper.save("/b")
    assert ended.code == 1
    assert "damaged" in ended.lines[0]
    again = keeper.save("/c")
    assert (again.code, again.lines) == (0, [])
    assert keeper.waiting() == [warc.name]


def test_garbage_beside_a_warc_is_made_anew(keeper: Keeper) -> None:
    folder = leave(keeper, *PAGES)
    warc = the(folder, "*.warc.gz")
    the(folder, "*.cdxj").unlink()
    the(folder, "*.jsonl.gz").write_bytes(b"half")
    offsets = [record.offset for record in records_of(warc) if record.type == "response"]
    lines = [
        json.dumps({"offset": offsets[0], "article": {"x": 1}}),
        json.dumps({"offset": offsets[1]}),
        json.dumps({"offset": [1]}),
        "[1]",
        "\0" * 5000,
        "{",
    ]
    the(folder, "*.articles").write_text("\n".join(lines))
    (folder / "stray.tmp").write_bytes(b"half")
    assert keeper.save("/after").code == 0
    keeper.check(waiting=True)
    assert keeper.waiting() == []
    with keeper.open() as archive:
        for path in PAGES:
            assert archive.article(keeper.origin.url(path)).title == f"All about {path}"


def test_empty_folders_go_away(keeper: Keeper) -> None:
    (keeper.state / "spool" / "0123456789ab").mkdir(parents=True)
    (keeper.state / "spool" / "ba9876543210").mkdir()
    (keeper.state / "spool" / "ba9876543210" / "lock").touch()
    assert keeper.save("/a").code == 0
    assert list((keeper.state / "spool").iterdir()) == []


def test_what_was_delivered_is_not_delivered_twice(keeper: Keeper) -> None:
    """A crash between the index's commit and the first unlink."""
    folder = leave(keeper, *PAGES)
    shutil.copytree(folder, keeper.folder / "aside", copy_function=shutil.copy2)
    assert keeper.save("/a").code == 0
    keys = keeper.keys()
    shutil.move(keeper.folder / "aside", folder)
    ended = keeper.save("/b")
    assert (ended.code, ended.lines) == (0, [])
    keeper.check()
    assert len(keeper.keys()) == len(keys) + 4


@pytest.mark.exhaustive
def test_a_run_that_begins_while_another_recovers_archives_nothing_whole_again(keeper: Keeper) -> None:
    folder = leave(keeper, *PAGES)
    # Left by a run that was killed before it sealed: that takes a while.
    for part in ("*.cdxj", "*.jsonl.gz", "*.articles"):
        the(folder, part).unlink()
    runs = [keeper.start(*PAGES) for _ in range(3)]
    assert [keeper.end(run).outcomes for run in runs] == [{"unchanged": len(PAGES)}] * 3
    assert [len(records) for records in by_url(keeper.state, "response").values()] == [1] * len(PAGES)
    keeper.check()


def test_a_report_that_was_delivered_is_not_in_the_way(keeper: Keeper) -> None:
    """A crash between the put of the report and the unlink of what it was made from."""
    folder = leave(keeper, *PAGES)
    shutil.copytree(folder, keeper.folder / "aside", copy_function=shutil.copy2)
    assert keeper.save("/a").code == 0
    folder.mkdir()
    for name in ("outcomes.jsonl", "report.json"):
        shutil.copy2(keeper.folder / "aside" / name, folder / name)
    ended = keeper.save("/b")
    assert (ended.code, ended.lines) == (0, [])
    keeper.check()


# The index


@pytest.mark.sqlite_file("damage done to the file")
@pytest.mark.parametrize("how", ["deleted", "truncated", "older", "garbage"])
def test_an_index_that_is_not_as_it_was(keeper: Keeper, how: str) -> None:
    assert keeper.save(*PAGES).code == 0
    index = keeper.state / "index.sqlite"
    reports = keeper.keys("crawls/")
    match how:
        case "deleted":
            index.unlink()
        case "truncated":
            os.truncate(index, index.stat().st_size // 2 + 1)
        case "older":
            with closing(sqlite3.connect(index)) as connection, connection:
                connection.execute("UPDATE about SET value = 0")
            connection.close()
        case "garbage":
            index.write_bytes(b"garbage" * 5000)
    fetched = len(keeper.origin.log)
    ended = keeper.save("/after")
    assert "newskeep reindex" in ended.lines[0]
    if how == "deleted":
        # The archive is whole without it, and another machine's archive looks just the same from here.
        assert (ended.code, ended.outcomes) == (0, {"archived": 1})
    else:
        assert (ended.code, ended.told) == (3, [])
        assert len(ended.lines) == 1
        assert len(keeper.origin.log) == fetched
        assert keeper.waiting() == []
        assert keeper.keys("crawls/") == reports


# The disk


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let writes beyond `size` bytes fail as on a full disk, whoever we are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def exchange(number: int, started: datetime, body: bytes = b"", kind: str = "image/png") -> Exchange:
    url = f"http://news.example/{number}"
    request = f"GET /{number} HTTP/1.1\r\nHost: news.example\r\n\r\n".encode()
    return Exchange(url, started, request, answer(body or page(url), kind))


async def keep(session: Session, exchanges: list[Exchange]) -> None:
    for one in exchanges:
        recorded = await session.record(one)
        await session.extract(recorded)
        await session.report(Outcome(one.url, "archived"))


@pytest.mark.parametrize("limit", [0, 100, 5000, 20_000], ids=["all", "text", "cdxj", "index"])
def test_a_disk_that_fills_up_while_a_warc_is_sealed(tmp_path: Path, limit: int) -> None:
    now = datetime.now(UTC)
    exchanges = [exchange(number, now, kind="text/html" if number == 0 else "image/png") for number in range(40)]
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, OPTIONS)
        asyncio.run(keep(session, exchanges))
        with file_size_limit(limit):
            session.close()
        assert session.failure is not None
        assert session.failure.exit_code == 3
        assert "cannot write" in str(session.failure) or "full" in str(session.failure)
        assert list(archive.store.list("warc/")) == []
        recovers(archive, exchanges)


def test_a_disk_with_too_little_room_stops_the_run_in_good_order(tmp_path: Path) -> None:
    giga = 10**9
    free = shutil.disk_usage(tmp_path).free
    if free < 6 * giga:
        pytest.skip("takes 4 GB of the disk for a moment")
    now = datetime.now(UTC)
    exchanges = [exchange(number, now) for number in range(3)]
    stops: list[str] = []
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, SessionOptions("newskeep-test", workers=1, min_free=free - 2 * giga))
        session.on_failure(lambda: stops.append("stop"))
        asyncio.run(keep(session, exchanges[:1]))
        assert stops == []
        with (tmp_path / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, 4 * giga)
            # What was under way then is kept and told all the same.
            asyncio.run(keep(session, exchanges[1:]))
        (tmp_path / "filler").unlink()
        session.close()
        assert stops == ["stop"]
        assert session.stopped == "stopped"
        assert isinstance(session.failure, SpoolError)
        assert "make room, or set min_free lower" in str(session.failure)
        assert [capture.url for capture in archive.captures("news.example", match="host")] == [e.url for e in exchanges]
        assert list((tmp_path / "archive" / "spool").iterdir()) == []


def test_no_run_begins_on_a_disk_with_too_little_room(keeper: Keeper) -> None:
    ended = keeper.save("/0", NEWSKEEP_MIN_FREE=str(10**18))
    assert ended.code == 3
    assert "min_free keeps 1,000,000 TB: make room, or set min_free lower" in ended.lines[-1]
    assert list((keeper.state / "spool").iterdir()) == []
    assert keeper.save("/0", NEWSKEEP_MIN_FREE="0").code == 0


def long_page(number: int) -> bytes:
    chosen = random.Random(number)
    words = [word * 9 for word in ("bridge", "town", "spring", "paper", "mayor", "river", "market", "school")]
    lines = (f"<p>{' '.join(chosen.choices(words, k=60))}.</p>" for _ in range(40))
    return f"<html><body><article><h1>The bridge</h1>{''.join(lines)}".encode()


def test_a_disk_that_fills_up_beside_the_warc(tmp_path: Path) -> None:
    """What is extracted takes more room than the compressed WARC and meets the end of the disk first."""
    exchanges = [exchange(number, datetime.now(UTC), long_page(number), "text/html") for number in range(6)]
    told: list[Outcome] = []
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, OPTIONS, told.append)

        async def crawl() -> None:
            await keep(session, exchanges[:1])
            # The worker is there by now; the limit is for us.
            with file_size_limit(400_000):
                await keep(session, exchanges[1:])

        asyncio.run(crawl())
        assert len(told) == len(exchanges)
        with file_size_limit(400_000):
            session.close()
        assert isinstance(session.failure, SpoolError)
        assert "cannot write" in str(session.failure)
        recovers(archive, exchanges)


def recovers(archive: Archive, exchanges: list[Exchange]) -> None:
    """Run again with everything in order, and find all of it."""
    again = Session(archive, OPTIONS)
    again.close()
    assert (again.recovered, again.failure) == (1, None)
    for one in exchanges:
        assert archive.get(one.url).response == one.response
    assert archive.article(exchanges[0].url).words


def test_half_an_emoji_in_a_title_is_no_reason_not_to_seal(tmp_path: Path) -> None:
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "All about \\ud83c"}</script>'
    body = page("/emoji").replace(b"<title>", data.encode() + b"<title>")
    emoji = exchange(1, datetime.now(UTC), body, "text/html")
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, OPTIONS)

        async def crawl() -> None:
            await session.extract(await session.record(emoji))

        asyncio.run(crawl())
        session.close()
        assert session.failure is None
        assert archive.get(emoji.url).response == emoji.response
        assert archive.article(emoji.url).title == "All about ?"


#: Root may write anywhere, unless it gives that up: CAP_DAC_OVERRIDE, bit 1 of what is effective and permitted.
AS_ANYBODY = """
import ctypes, os
if os.geteuid() == 0:
    libc, head, sets = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint32 * 2)(0x20080522), (ctypes.c_uint32 * 6)()
    assert libc.capget(head, sets) == 0, os.strerror(ctypes.get_errno())
    sets[0] &= ~2
    sets[1] &= ~2
    assert libc.capset(head, sets) == 0, os.strerror(ctypes.get_errno())
"""


def test_a_read_only_spool_is_said_before_anything_is_fetched(keeper: Keeper) -> None:
    keeper.state = keeper.folder / "state"
    (keeper.state / "spool").mkdir(parents=True)
    for path in (keeper.state / "spool", keeper.state):
        path.chmod(0o555)
    ended = keeper.save("/a", before=AS_ANYBODY)
    assert (ended.code, ended.told) == (3, [])
    (line,) = ended.lines
    assert str(keeper.state) in line
    assert keeper.origin.log == []


def test_a_spool_that_becomes_read_only(keeper: Keeper) -> None:
    keeper.origin.pace = 0.1
    process = keeper.start(*PAGES, before=AS_ANYBODY)
    keeper.first(process)
    (folder,) = [path for path in (keeper.state / "spool").iterdir() if path.is_dir()]
    folder.chmod(0o555)
    ended = keeper.end(process)
    assert ended.code == 3
    assert str(folder) in ended.lines[0]
    during = keeper.save("/during", before=AS_ANYBODY)
    assert (during.code, during.outcomes) == (3, {"archived": 1})
    assert str(folder) in during.lines[0]
    folder.chmod(0o755)
    assert keeper.save("/after", before=AS_ANYBODY).code == 0
    keeper.check()


def test_nothing_is_told_once_a_sync_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync the kernel may have dropped what was written, and the next sync succeeds all the same."""
    real, calls = os.fsync, 0

    def fails_once(descriptor: int) -> None:
        nonlocal calls
        if Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".open":
            calls += 1
            if calls == 1:
                raise OSError(5, "Input/output error")
        real(descriptor)

    told: list[Outcome] = []
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, OPTIONS, told.append)

        async def crawl() -> None:
            await session.record(exchange(1, datetime.now(UTC)))
            await session.record(exchange(2, datetime.now(UTC)))
            await session.report(Outcome("http://news.example/1", "archived"))
            await session.report(Outcome("http://news.example/2", "archived"))

        monkeypatch.setattr(os, "fsync", fails_once)
        asyncio.run(crawl())
        session.close()
        assert told == []
        assert isinstance(session.failure, SpoolError)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_told_once_a_warc_could_not_be_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sync that fails is that of a WARC that is full, and the outcome waits for the next one's."""
    real = os.fsync

    def fails(descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).endswith("00000.warc.gz.open"):
            raise OSError(5, "Input/output error")
        real(descriptor)

    told: list[Outcome] = []
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, SessionOptions("newskeep-test", bounds=SealBounds(records=1)), told.append)

        async def crawl() -> None:
            await session.record(exchange(1, datetime.now(UTC)))
            with pytest.raises(SpoolError):
                await session.record(exchange(2, datetime.now(UTC)))
            await session.report(Outcome("http://news.example/1", "archived"))

        monkeypatch.setattr(os, "fsync", fails)
        asyncio.run(crawl())
        session.close()
        assert told == []
        # The file that could not be closed goes with it.
        session = Session(archive, OPTIONS)
        gc.collect()
        session.close()


# The clock


def test_a_clock_that_goes_backwards(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    times = [noon, noon - timedelta(days=400), noon, noon - timedelta(microseconds=1), noon + timedelta(days=1), noon]
    exchanges = [exchange(1, time, b"a new body" * (number + 1)) for number, time in enumerate(times)]
    # Seen again, by the clock before it was seen first.
    exchanges.append(exchange(1, noon - timedelta(hours=1), b"a new body" * len(times)))
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, SessionOptions("newskeep-test", bounds=SealBounds(records=1)))
        asyncio.run(keep(session, exchanges))
        session.close()
        assert session.failure is None
        captures = list(archive.captures("http://news.example/1"))
        assert len(captures) == len(exchanges)
        assert len({capture.filename for capture in captures}) == len(exchanges)
        assert sorted(archive.read(capture).response for capture in captures) == sorted(
            one.response for one in exchanges
        )


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("outcomes", 0),
        ("articles", 0),
        *(pytest.param("articles", number, marks=pytest.mark.exhaustive) for number in range(1, 5)),
    ],
)
def test_odd_lines_of_a_killed_run(keeper: Keeper, kind: str, number: int) -> None:
    """Rubbish, half a line, other types, depth: what can be read is delivered and reported, and later runs go well."""
    folder = leave(keeper, *PAGES[:2])
    odd = [
        b"\x00\xff rubbish",
        b'["outcome"]',
        b"7",
        b"null",
        b'{"outcome": ["archived"], "url": "x"}',
        b'{"outcome": 7}',
    ]
    odd += [b"[" * 100_000, b"x" * (2 << 20), b'{"url": {}, "outcome": "archived"}', b"", b'{"url": "x", "outco']
    if kind == "outcomes":
        path = folder / "outcomes.jsonl"
        lines = path.read_bytes().splitlines()
        path.write_bytes(b"\n".join([*odd[:5], lines[0], *odd, *lines[1:], *odd]))
        # A report that is there already is delivered as it is.
        (folder / "report.json").unlink(missing_ok=True)
    else:
        warc = the(folder, "*.warc.gz")
        for made in (*folder.glob("*.cdxj"), *folder.glob("*.jsonl.gz")):
            made.unlink()
        # Those of an older version first, one as it wrote it.
        texts = [b'{"offset": 0, "reason": null, "article": null}\n', b"3 x {}\t{}\n", b"3\n", b"2 0 {}\t{}\n", b"\n"]
        signed = [b"%08x %b" % (zlib.crc32(text), text) for text in texts]
        chosen = b"".join([signed[number % len(signed)], *signed, *odd])
        warc.with_name(warc.name.replace(".warc.gz", ".articles")).write_bytes(chosen)
    for _ in range(2):
        ended = keeper.save(PAGES[2])
        assert ended.code == 0, ended
    assert not [path for path in (keeper.state / "spool").iterdir() if path.name == "damaged"]
    with open_archive(keeper.uri) as archive:
        assert len(list(archive.articles())) == 3
        if kind == "outcomes":
            (info,) = (info for info in archive.store.list("crawls/") if folder.name in info.key)
            with archive.store.open(info.key) as stream:
                report = json.load(stream)
            assert (report["counts"], len(report["outcomes"])) == ({"archived": 2}, 2)

"""`archive.save` as a script or notebook calls it: again and again, in threads, in a running loop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from live_processes import all_processes, is_alive, told_of
from origin import Hang, Origin
from s3_server import BUCKET, moto, use
from waiting import until
from warm_start import shared

from newskeep import Archive, ConfigError, NewskeepError, Outcome, StoreUnavailable, UsageError, open_archive
from newskeep.forking.owner import Zygotes
from newskeep.saving import processes
from newskeep.saving.zygote import SAVE_NAME

pytestmark = pytest.mark.long

PAGE = b"<!doctype html><title>A bridge opens</title><article><p>The town has waited for it since spring.</p></article>"
HTML = [("Content-Type", "text/html; charset=utf-8")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        origin.on_any(
            lambda path: (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)
                if path.startswith("/page")
                else None
            )
        )
        yield origin


@pytest.fixture(scope="module")
def zygotes() -> Iterator[Zygotes]:
    """What the processes that save are forked from, itself forked from the warm one."""
    zygotes = Zygotes(shared().command("newskeep.saving.zygote"))
    yield zygotes
    zygotes.close()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zygotes: Zygotes) -> Iterator[Archive]:
    monkeypatch.setattr(processes.OURS, "zygotes", zygotes)
    for name in [name for name in os.environ if name.startswith(("NEWSKEEP_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NEWSKEEP_ALLOW_PRIVATE", "1")
    monkeypatch.setenv("NEWSKEEP_OPERATOR", "tests@example.org")
    monkeypatch.chdir(tmp_path)
    with open_archive(tmp_path / "archive") as archive:
        yield archive


def kinds(outcomes: list[Outcome]) -> dict[str, str]:
    return {each.url: each.outcome for each in outcomes}


def reports(archive: Archive) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in (Path(archive.state) / "crawls").rglob("*.json")]


@pytest.mark.sqlite_file("the process that saves is told of a database that is made on use alone")
def test_saved_pages_are_there_when_it_returns_and_a_second_time_too(archive: Archive, origin: Origin) -> None:
    page, gone = origin.url("/page"), origin.url("/gone")
    told: list[Outcome] = []
    # Names that a list would take for a comment, a table or an option are addresses like any other here.
    odd = ["# not a comment", "--help", "", "url,title", "ftp://example.org/"]
    found = archive.save(iter([page, gone, page, *odd]), on_outcome=told.append, asked_by="desk")
    assert found == told
    assert kinds(found) == {page: "archived", gone: "failed", **dict.fromkeys(odd, "refused")}
    (saved,) = (each for each in found if each.url == page)
    assert (saved.status, saved.title) == (200, "A bridge opens") and saved.timestamp is not None
    assert archive.get(page).message.payload == PAGE
    assert archive.article(page).text.startswith("The town has waited")
    (report,) = reports(archive)
    assert report["asked_by"] == "desk" and len(report["outcomes"]) == 7
    assert kinds(archive.save(page)) == {page: "unchanged"}
    assert len(origin.logged("/page")) == 2


@pytest.mark.sqlite_file("the process that saves is told of a database that is made on use alone")
def test_in_threads_and_in_a_running_loop(archive: Archive, origin: Origin) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda number: archive.save(origin.url(f"/page{number}")), range(2)))

    async def notebook() -> list[list[Outcome]]:
        # As a cell does, which knows nothing of loops; and as one does that knows.
        return [archive.save(origin.url("/page2")), await asyncio.to_thread(archive.save, origin.url("/page3"))]

    found += asyncio.run(notebook())
    assert [kinds(each) for each in found] == [{origin.url(f"/page{number}"): "archived"} for number in range(4)]
    assert {each.url for each in archive.captures(origin.url("/page"), match="prefix") if each.status == 200} >= {
        origin.url(f"/page{number}") for number in range(4)
    }


@pytest.mark.exhaustive
def test_its_options_go_before_the_configuration(archive: Archive, origin: Origin, tmp_path: Path) -> None:
    origin.reply("/robots.txt", b"User-agent: *\nDisallow: /page\n")
    page = origin.url("/page")
    config = tmp_path / "other.toml"
    config.write_text('user_agent = "ours/1 (tests@example.org)"\n')
    assert kinds(archive.save(page)) == {page: "refused"}
    (refused,) = archive.save(page, allow_private=False)
    assert refused.reason is not None and refused.reason.startswith("not a public address")
    (saved,) = archive.save(page, ignore_robots=True, config=config)
    assert saved.outcome == "archived" and saved.timestamp is not None
    (logged,) = origin.logged("/page")
    assert b"\r\nUser-Agent: ours/1 (tests@example.org)\r\n" in logged.request
    since = saved.timestamp.replace(tzinfo=None) - timedelta(seconds=5)
    assert kinds(archive.save(page, newer_than=since)) == {page: "held"}
    assert kinds(archive.save(page, newer_than=datetime.now(UTC) + timedelta(days=1), ignore_robots=True)) == {
        page: "unchanged"
    }


@pytest.mark.parametrize("urls", [b"https://www.example.org/", [None], [1, 2]])
def test_what_is_no_text_is_an_error(archive: Archive, urls: Any) -> None:
    with pytest.raises(UsageError, match="an address is a text, not"):
        archive.save(urls)
    assert archive.save([]) == []


def test_errors_are_ours(archive: Archive, origin: Origin, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read missing\.toml"):
        archive.save(origin.url("/page"), config="missing.toml")
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreUnavailable), open_archive(tmp_path / "taken") as other:
        other.save(origin.url("/page"))
    assert origin.requests == 0


@pytest.mark.usefixtures("archive")
@pytest.mark.exhaustive
def test_a_bucket_that_is_away_is_an_error_and_what_was_fetched_waits(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Outcome] = []
    with moto(tmp_path) as server:
        use(server, monkeypatch)
        monkeypatch.setenv("NEWSKEEP_ALLOW_PRIVATE", "1")
        with open_archive(f"s3://{BUCKET}/news", tmp_path / "state") as remote:
            assert kinds(remote.save(origin.url("/page"))) == {origin.url("/page"): "archived"}
            assert remote.get(origin.url("/page")).message.payload == PAGE
    with open_archive(f"s3://{BUCKET}/news", tmp_path / "state") as remote:
        with pytest.raises(StoreUnavailable):
            remote.save(origin.url("/page2"), on_outcome=told.append)
        assert kinds(told) == {origin.url("/page2"): "archived"}
        assert list((tmp_path / "state" / "spool").rglob("*.warc.gz"))


@pytest.mark.sqlite_file("the process that saves is told of a database that is made on use alone")
def test_an_exception_of_the_caller_stops_it_in_good_order(archive: Archive, origin: Origin) -> None:
    origin.on("/never", Hang())

    def stop(_: Outcome) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        archive.save([origin.url("/page"), origin.url("/never")], on_outcome=stop, timeout=5)
    assert archive.get(origin.url("/page")).message.payload == PAGE
    (report,) = reports(archive)
    assert report["state"] == "stopped"


KILLED = """
import sys
from newskeep import open_archive
with open_archive("archive") as archive:
    archive.save(sys.argv[1:], on_outcome=lambda outcome: print(outcome.outcome, flush=True), timeout=30)
"""


PROGRAM = """
import os, sys
from pathlib import Path
from newskeep import NewskeepError, open_archive
from newskeep.saving.processes import OURS

page, other, third = sys.argv[1:]
with open_archive("archive") as archive:
    print([each.outcome for each in archive.save(page)], OURS.zygotes.zygote.pid)
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    # Neither ours, nor to be taken for it.
    Path("crawler.py").write_text("raise SystemExit('not ours')")
    Path("newskeep.toml").write_text("allow_private = false\\n")
    del os.environ["NEWSKEEP_ALLOW_PRIVATE"]
    print([each.outcome for each in archive.save(other)], OURS.zygotes.zygote.pid)
    os.umask(0o077)
    os.environ["NEWSKEEP_ALLOW_PRIVATE"] = "1"
    print([each.outcome for each in archive.save(third)], OURS.zygotes.zygote.pid)
    os.environ["NEWSKEEP_DELAY"] = "soon"
    try:
        archive.save(third)
    except NewskeepError as error:
        print(type(error).__name__)
    print(os.getpgid(OURS.zygotes.zygote.pid) != os.getpgid(0))
try:
    os.wait()
except ChildProcessError:
    print("no child")
"""


@pytest.mark.exhaustive
@pytest.mark.usefixtures("archive")
def test_saves_of_a_program_come_from_one_process_and_are_as_the_program_is_then(
    origin: Origin, tmp_path: Path
) -> None:
    urls = [origin.url(f"/page{number}") for number in range(3)]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *urls], stdout=subprocess.PIPE, text=True, check=True)
    first, second, third, error, is_apart, children = done.stdout.splitlines()
    zygote = int(first.split()[-1])
    assert [first, second, third] == [f"['{each}'] {zygote}" for each in ("archived", "refused", "archived")]
    assert (error, is_apart, children) == ("ConfigError", "True", "no child")
    reports = sorted((tmp_path / "archive" / "crawls").rglob("*.json"))
    assert [path.stat().st_mode & 0o777 for path in reports][-1] == 0o600, reports
    until(lambda: not is_alive(zygote))


@pytest.mark.exhaustive
def test_where_the_caller_is_killed_the_rest_is_not_fetched(archive: Archive, origin: Origin) -> None:
    origin.on("/never", Hang())
    urls = [origin.url("/page"), origin.url("/never")]
    with subprocess.Popen([sys.executable, "-P", "-c", KILLED, *urls], stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None and caller.stdout.readline() == b"archived\n"
        caller.kill()
    # What saves is stopped by that, seals and delivers. Nothing tells when: the archive does.
    while not (found := reports(archive)):
        time.sleep(0.1)
    assert found[0]["state"] == "stopped" and archive.get(urls[0]).message.payload == PAGE


@pytest.mark.sqlite_file("the process that saves is told of a database that is made on use alone")
def test_a_process_that_is_killed_is_told(archive: Archive, origin: Origin, zygotes: Zygotes) -> None:
    def kill(_: Outcome) -> None:
        assert zygotes.zygote is not None
        parent = f"\nPPid:\t{zygotes.zygote.pid}\n".encode()
        for pid in all_processes():
            if parent in told_of(pid, "status") and told_of(pid, "comm").strip() == SAVE_NAME.encode():
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(NewskeepError, match=r"ended early \(signal 9\); what was told is kept"):
        archive.save([origin.url("/page"), origin.url("/page2")], on_outcome=kill)
    # The next one finds what it left.
    archive.save(origin.url("/page3"))
    assert archive.get(origin.url("/page")).message.payload == PAGE

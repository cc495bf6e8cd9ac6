"""Stopped by Ctrl-C, SIGTERM or kill -9: what was told is safe, and the next run delivers it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command import Run
from origin import Origin
from waiting import until
from warcs import by_url, warc_files
from warm_start import shared

from crawler.session.session import Session, SessionOptions
from crawler.session.stop_flag import StopFlag
from storage import open_archive
from storage.model import Exchange
from storage.spool import Spool
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

pytestmark = pytest.mark.long


class PacedOrigin(Origin):
    """Answers 20 pages a second, so that a run of a thousand can be stopped in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.served = threading.Semaphore(0)
        #: While it is not set, answers wait; `held` counts them.
        self.go = threading.Event()
        self.go.set()
        self.held = threading.Semaphore(0)
        self.on_any(self._page)

    def _page(self, path: str) -> bytes:
        time.sleep(0.05)
        self.served.release()
        if not self.go.is_set():
            self.held.release()
            self.go.wait(240)
        body = f"<html><title>{path}</title><body><p>Page {path} has a paragraph of its own.</p>".encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture
def origin() -> Iterator[PacedOrigin]:
    with PacedOrigin() as origin:
        yield origin


def start(origin: Origin, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    (folder / "list.txt").write_text("\n".join(origin.url(f"/{n}") for n in range(1000)))
    command = ("save", "-i", "list.txt", "--json", "--allow-private", "--ignore-robots")
    return shared().start(command, folder, environment)


def told(stdout: bytes) -> list[dict[str, Any]]:
    lines = stdout.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def first_outcome(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_once_seals_and_reports(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, number: int
) -> None:
    process = start(origin, tmp_path, environment)
    first = first_outcome(process)
    process.send_signal(number)
    out, err = process.communicate()
    lines = told(first + out)
    assert process.returncode == 4
    assert b"stopped before the end: what was told is kept; the same command goes on from here\n" in err
    assert b"Traceback" not in err
    assert 0 < len(lines) < 1000
    assert {line["url"] for line in lines} == {origin.url(logged.path) for logged in origin.log}
    assert not list(tmp_path.rglob("*.open"))
    (report,) = (tmp_path / "archive" / "crawls").rglob("*.json")
    assert json.loads(report.read_text())["state"] == "stopped"
    last = lines[-1]["url"]
    (logged,) = origin.logged("/" + last.rpartition("/")[2])
    assert newskeep("get", last, "--as", "http").stdout == logged.sent


@pytest.mark.parametrize("form", [["--json"], []])
def test_who_has_read_enough_ends_it_in_good_order(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, form: list[str]
) -> None:
    """As `| head -1` does; from a process of its own, whose threads have to end."""
    (tmp_path / "list.txt").write_text("\n".join(origin.url(f"/{n}") for n in range(1000)))
    command = ["save", "-i", "list.txt", "--allow-private", "--ignore-robots", *form]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "newskeep", *command],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    with process:
        try:
            assert process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read()
            assert process.wait(120) == 4
        finally:
            process.kill()
    assert b"Traceback" not in err and b"BrokenPipe" not in err, err
    assert b"stopped before the end: what was told is kept" in err
    assert len(origin.log) < 1000
    assert not list(tmp_path.rglob("*.open"))
    assert newskeep("get", origin.url(origin.log[0].path), "--as", "http").stdout == origin.log[0].sent


#: What a terminal runs: it takes the terminal on its standard input as its own, and becomes the command.
IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.mark.parametrize("nohup", [False, True])
def test_a_terminal_that_is_closed(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, nohup: bool
) -> None:
    (tmp_path / "list.txt").write_text("\n".join(origin.url(f"/{n}") for n in range(3 if nohup else 1000)))
    command = [sys.executable, "-P", "-m", "newskeep", "save", "-i", "list.txt", "--allow-private", "--ignore-robots"]
    if nohup:
        command = ["/bin/sh", "-c", 'trap "" HUP; exec "$@" >out 2>&1 <&-', "sh", *command]
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, *command],
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    with process:
        try:
            until(lambda: origin.log)
            os.close(ours)
            assert process.wait(120) == (0 if nohup else 4)
        finally:
            process.kill()
    (report,) = (tmp_path / "archive" / "crawls").rglob("*.json")
    assert json.loads(report.read_text())["state"] == ("finished" if nohup else "stopped")
    assert not list(tmp_path.rglob("*.open"))
    assert newskeep("get", origin.url(origin.log[0].path), "--as", "http").stdout == origin.log[0].sent


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_standard_streams_that_are_closed(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, closed: tuple[int, ...]
) -> None:
    url = origin.url("/1")
    command = [sys.executable, "-P", "-m", "newskeep", "save", url, "--allow-private", "--ignore-robots"]
    closing = "".join(f" {number}>&-" for number in closed)
    done = subprocess.run(
        ["sh", "-c", f'"$@"{closing}', "sh", *command], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert (b"archived" in done.stdout, b"1 archived" in done.stderr) == (1 not in closed, 2 not in closed)
    assert newskeep("get", url, "--as", "http").stdout == origin.log[-1].sent
    assert newskeep("verify", "--deep").returncode == 0


@pytest.mark.parametrize("stop", ["twice", "kill"])
def test_stopped_at_once_loses_nothing_that_was_told(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, stop: str
) -> None:
    process = start(origin, tmp_path, environment)
    first = first_outcome(process)
    if stop == "twice":
        # An orderly stop waits for the request under way, and so for the second signal.
        origin.go.clear()
        assert origin.held.acquire(timeout=240)
        # Two that arrive together are one: again until it has ended, however slow the machine is.
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        origin.go.set()
    else:
        process.kill()
    out, err = process.communicate()
    lines = told(first + out)
    assert process.returncode == (143 if stop == "twice" else -9)
    assert b"Traceback" not in err
    assert list(tmp_path.rglob("*.open"))

    again = newskeep("save", "--allow-private", "--ignore-robots", origin.url("/0"))
    assert again.returncode == 0, again.stderr.decode()
    assert not list(tmp_path.rglob("*.open"))
    assert not [path for path in (tmp_path / "archive" / "spool").rglob("*") if path.is_file()]
    kept = by_url(tmp_path / "archive", "response")
    for line in lines:
        path = "/" + line["url"].rpartition("/")[2]
        assert [record.block for record in kept[line["url"]]] == [origin.logged(path)[0].sent]
        text = newskeep("get", line["url"], "--as", "text") if line is lines[0] else None
        assert text is None or text.returncode == 0, text.stderr.decode()
    states = {json.loads(path.read_text())["state"] for path in (tmp_path / "archive" / "crawls").rglob("*.json")}
    assert states == {"interrupted", "finished"}


PAGES = 150


def leave_unsealed(archive: Path) -> Path:
    """Leave a WARC of many pages, none of them extracted, as a run that was killed does; return its crawl's folder."""
    folder = Spool(archive / "spool").start()
    stem = make_stem(datetime.now(UTC), folder.crawl, 0)
    writer = WarcWriter(folder.path / f"{stem}.warc.gz.open", f"{stem}.warc.gz", {})
    lines = "".join(f"<p>Line {n} of the page tells of the bridge that the town has waited for.</p>" for n in range(30))
    for number in range(PAGES):
        body = f"<html lang=en><title>Page {number}</title><article><h1>Page {number}</h1>{lines}</article>".encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
        url = f"http://news.example/{number}"
        writer.append(Exchange(url, datetime.now(UTC), b"GET / HTTP/1.1\r\n\r\n", head + body))
    writer.close()
    folder.release()
    return folder.path


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.exhaustive)])
def test_stopped_while_it_seals_what_a_killed_run_left(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, number: int
) -> None:
    left = leave_unsealed(tmp_path / "archive")
    process = start(origin, tmp_path, environment)
    while not any(path.stat().st_size for path in left.glob("*.articles")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out) == (5, b""), err
    assert b"Traceback" not in err
    assert b"stopped while sealing" in err
    assert not origin.log
    (articles,) = left.glob("*.articles")
    kept = articles.read_bytes()
    assert 0 < kept.count(b"\n") < PAGES

    again = newskeep("save", "--allow-private", "--ignore-robots", origin.url("/0"))
    assert again.returncode == 0, again.stderr.decode()
    assert not left.exists()
    with open_archive(tmp_path / "archive") as archive:
        assert {article.title for article in archive.articles()} == {"/0", *(f"Page {n}" for n in range(PAGES))}


def test_what_a_stop_leaves_unsealed_is_sealed_by_the_next_run(tmp_path: Path) -> None:
    async def record(session: Session) -> None:
        for number in range(5):
            response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>A page"
            url = f"http://news.example/{number}"
            await session.record(Exchange(url, datetime.now(UTC), b"GET / HTTP/1.1\r\n\r\n", response))

    options = SessionOptions("newskeep-test", workers=1)
    with open_archive(tmp_path / "archive") as archive:
        session = Session(archive, options, stop=StopFlag(grace=0))
        asyncio.run(record(session))
        session.stop.ask()
        session.close()
        assert session.failure is None
        assert archive.index.counts().captures == 0
        (left,) = archive.spool.abandoned()
        # Closed in order, and not sealed.
        assert [parcel.complete for parcel in left.parcels()] == [False]
        left.release()
    with open_archive(tmp_path / "archive") as archive:
        Session(archive, options).close()
        assert archive.index.counts().captures == 5
        assert archive.spool.size() == 0


def test_rotation_by_size_and_recovery_of_sealed_parts(origin: PacedOrigin, tmp_path: Path, newskeep: Run) -> None:
    (tmp_path / "newskeep.toml").write_text("warc_max_bytes = 3000\n")
    urls = [origin.url(f"/{n}") for n in range(20)]
    done = newskeep("save", "--json", "--allow-private", "--ignore-robots", *urls)
    assert done.returncode == 0, done.stderr.decode()
    files = warc_files(tmp_path / "archive")
    assert len(files) > 3
    assert sum(len(records) for records in by_url(tmp_path / "archive", "response").values()) == 20
    assert all(newskeep("get", url, "--as", "text").returncode == 0 for url in urls[::7])


def test_sites_that_are_tried_out_are_told_as_far_as_they_were(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    origin.go.clear()
    command = ("sites", "check", origin.url("/a/"), origin.url("/b/"), "--allow-private")
    process = shared().start(command, tmp_path, environment)
    assert origin.held.acquire(timeout=240)
    process.send_signal(signal.SIGINT)
    origin.go.set()
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == 5
    assert b" of 2 sites tried\n" in stderr

"""Stopped by Ctrl-C, SIGTERM or kill -9: what was told is safe, and the next run delivers it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Run
from origin import Origin
from warcs import by_url, warc_files

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
            self.go.wait(60)
        body = f"<html><title>{path}</title><body><p>Page {path} has a paragraph of its own.</p>".encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture
def origin() -> Iterator[PacedOrigin]:
    with PacedOrigin() as origin:
        yield origin


def start(origin: Origin, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    (folder / "list.txt").write_text("\n".join(origin.url(f"/{n}") for n in range(1000)))
    command = [sys.executable, "-m", "newskeep", "save", "-i", "list.txt", "--json", "--allow-private"]
    return subprocess.Popen(
        [*command, "--ignore-robots"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


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
    out, err = process.communicate(timeout=60)
    lines = told(first + out)
    assert process.returncode == 4
    assert b"stopped before the end: what was told is kept; the same command asks for all of them again" in err
    assert b"Traceback" not in err
    assert 0 < len(lines) < 1000
    assert {line["url"] for line in lines} == {origin.url(logged.path) for logged in origin.log}
    assert not list(tmp_path.rglob("*.open"))
    (report,) = (tmp_path / "archive" / "crawls").rglob("*.json")
    assert json.loads(report.read_text())["state"] == "stopped"
    last = lines[-1]["url"]
    (logged,) = origin.logged("/" + last.rpartition("/")[2])
    assert newskeep("get", last, "--as", "http").stdout == logged.sent


@pytest.mark.parametrize("stop", ["twice", "kill"])
def test_stopped_at_once_loses_nothing_that_was_told(
    origin: PacedOrigin, tmp_path: Path, environment: Mapping[str, str], newskeep: Run, stop: str
) -> None:
    process = start(origin, tmp_path, environment)
    first = first_outcome(process)
    if stop == "twice":
        # An orderly stop waits for the request under way, and so for the second signal.
        origin.go.clear()
        assert origin.held.acquire(timeout=60)
        # Two that arrive together are one: again until it has ended, however slow the machine is.
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        origin.go.set()
    else:
        process.kill()
    out, err = process.communicate(timeout=60)
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


def test_rotation_by_size_and_recovery_of_sealed_parts(origin: PacedOrigin, tmp_path: Path, newskeep: Run) -> None:
    (tmp_path / "newskeep.toml").write_text("warc_max_bytes = 3000\n")
    urls = [origin.url(f"/{n}") for n in range(20)]
    done = newskeep("save", "--json", "--allow-private", "--ignore-robots", *urls)
    assert done.returncode == 0, done.stderr.decode()
    files = warc_files(tmp_path / "archive")
    assert len(files) > 3
    assert sum(len(records) for records in by_url(tmp_path / "archive", "response").values()) == 20
    assert all(newskeep("get", url, "--as", "text").returncode == 0 for url in urls[::7])

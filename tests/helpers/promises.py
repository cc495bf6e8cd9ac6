"""One archive and everything that was told of it, run after run, to be held against what its origin sent.

Nothing is asserted at import: PYTEST_DONT_REWRITE lets test modules import what they need.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from origin import Origin
from warcio.archiveiterator import ArchiveIterator
from warm_start import WarmStart

from storage import open_archive
from storage.archive import Archive
from storage.warc import key_of

#: Gives up quickly on a store that is away.
IMPATIENT = {"NEWSKEEP_S3_ATTEMPTS": "1", "NEWSKEEP_S3_READ_TIMEOUT": "1", "NEWSKEEP_S3_CONNECT_TIMEOUT": "1"}


class NewsOrigin(Origin):
    """Any path is a page of its own; a path such as /noise/17000000 that many random bytes.

    While `gate` is clear, pages wait; `pace` is how many seconds each of them takes.
    """

    def __init__(self, pace: float = 0.0) -> None:
        super().__init__()
        self.pace = pace
        self.gate = threading.Event()
        self.gate.set()
        self.on_any(self._page)

    def __exit__(self, *error: object) -> None:
        self.gate.set()
        super().__exit__(*error)

    def _page(self, path: str) -> bytes:
        time.sleep(self.pace)
        self.gate.wait(240)
        if path.startswith("/noise/"):
            return answer(random.Random(path).randbytes(int(path.rpartition("/")[2])), "image/png")
        return answer(page(path), "text/html")


def page(path: str) -> bytes:
    lines = "".join(f"<p>Line {n} of {path} tells of the bridge that the town has waited for.</p>" for n in range(5))
    title = f"<title>All about {path}</title>"
    return f"<html lang=en><head>{title}</head><body><h1>All about {path}</h1>{lines}</body></html>".encode()


def answer(body: bytes, kind: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended and what it told."""

    code: int
    told: list[dict[str, Any]]
    err: str

    @property
    def lines(self) -> list[str]:
        """What it said to the person who ran it."""
        return [line for line in self.err.splitlines() if line.startswith("newskeep:")]

    @property
    def outcomes(self) -> dict[str, int]:
        return dict(Counter(line["outcome"] for line in self.told))


@dataclass
class Keeper:
    """Runs `newskeep save` into one archive and remembers what was told."""

    uri: str
    state: Path
    folder: Path
    environment: Mapping[str, str]
    origin: NewsOrigin
    warm: WarmStart
    #: Never to be seen in anything that is printed.
    secret: str = "no secret"
    told: list[dict[str, Any]] = field(default_factory=list)

    def start(self, *paths: str, before: str = "", **variables: str) -> subprocess.Popen[bytes]:
        """Start saving the origin's pages of these paths.

        `variables` are added to the environment, `before` is Python that the new process begins with.
        """
        environment = {**self.environment, **variables}
        return self.warm.start(self._command(paths), self.folder, environment, before=before)

    def first(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Wait for a run's first outcome."""
        assert process.stdout is not None
        line: dict[str, Any] = json.loads(process.stdout.readline())
        self.told.append(line)
        return line

    def end(self, process: subprocess.Popen[bytes], timeout: float = 400) -> Ended:
        """Wait for the end of a run, which must have said what it had to in lines for a person."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # With PYTHONFAULTHANDLER it says where it hangs.
            process.send_signal(signal.SIGABRT)
            out, err = process.communicate()
        return self._ended(process.returncode, out, err)

    def save(self, *paths: str, before: str = "", **variables: str) -> Ended:
        """Run to the end; see `start`."""
        if before:
            return self.end(self.start(*paths, before=before, **variables))
        done = self.warm.run(self._command(paths), self.folder, {**self.environment, **variables}, b"", 400)
        return self._ended(done.returncode, done.stdout, done.stderr)

    def _command(self, paths: Iterable[str]) -> tuple[str, ...]:
        urls = [self.origin.url(path) for path in paths]
        options = ("--json", "--allow-private", "--ignore-robots", "--archive", self.uri, "--state", str(self.state))
        return ("save", *urls, *options)

    def _ended(self, code: int, out: bytes, err: bytes) -> Ended:
        told = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        self.told += told
        ended = Ended(code, told, err.decode())
        for sign in ("Traceback", self.secret, "a fault of ours"):
            assert sign not in ended.err + out.decode(), ended.err
        assert all(len(line) < 500 for line in ended.lines), ended.err
        return ended

    def open(self) -> Archive:
        return open_archive(self.uri, self.state)

    def waiting(self) -> list[str]:
        """Names of the files in the spool."""
        return sorted(path.name for path in (self.state / "spool").rglob("*") if path.is_file())

    def keys(self, prefix: str = "") -> list[str]:
        with self.open() as archive:
            local = () if self.uri.startswith("s3:") else ("spool/", "index.sqlite")
            return [info.key for info in archive.store.list(prefix) if not info.key.startswith(local or "\n")]

    def check(self, *, waiting: bool = False) -> None:
        """Assert that nothing told is lost, that nothing is held twice, and that nothing waits any more."""
        with self.open() as archive:
            for url in {line["url"] for line in self.told if line["outcome"] == "archived"}:
                sent = {logged.sent for logged in self.origin.logged(url.removeprefix(self.origin.url("")))}
                assert archive.get(url).response in sent, url
            names = check_parts(archive)
            found = check_records(archive, names)
            for url, number in Counter(url for url, _, _ in found).items():
                assert number <= len(self.origin.logged(url.removeprefix(self.origin.url("")))), f"{url} twice"
            check_reports(archive, self.told)
        if not waiting:
            assert self.waiting() == []


def check_parts(archive: Archive) -> list[str]:
    """Assert that each WARC has its parts, each part its WARC, and the index knows them all; return their names."""
    names = [info.key.rpartition("/")[2] for info in archive.store.list("warc/")]
    for kind in ("cdxj", "text"):
        assert [info.key for info in archive.store.list(kind + "/")] == [key_of(name, kind) for name in names]
    assert sorted(entry.filename for entry in archive.index.warcs()) == sorted(names)
    return names


def check_records(archive: Archive, names: list[str]) -> list[tuple[str, str, int]]:
    """Assert that each response has one row in the index, and return them: URL, file and offset."""
    found, ids = [], []
    for name in names:
        with archive.store.open(key_of(name)) as stream:
            iterator = ArchiveIterator(io.BytesIO(stream.read()), no_record_parse=True)
            for record in iterator:
                ids.append(record.rec_headers.get_header("WARC-Record-ID"))
                record.raw_stream.read()
                if record.rec_type in ("response", "revisit"):
                    url = record.rec_headers.get_header("WARC-Target-URI")
                    found.append((url, name, iterator.get_record_offset()))
    assert len(ids) == len(set(ids))
    rows = [
        (row.url, row.filename, row.offset) for url in {url for url, _, _ in found} for row in archive.captures(url)
    ]
    assert sorted(rows) == sorted(found)
    assert archive.index.counts().captures == len(found)
    return found


def check_reports(archive: Archive, told: list[dict[str, Any]]) -> None:
    """Assert that each outcome stands in a crawl report as often as it was told, or once more where that was lost."""
    reported: Counter[str] = Counter()
    crawls = []
    for info in archive.store.list("crawls/"):
        with archive.store.open(info.key) as stream:
            report = json.loads(stream.read())
        crawls.append(report["crawl"])
        reported.update(line["url"] for line in report["outcomes"])
    assert len(crawls) == len(set(crawls))
    for url, number in Counter(line["url"] for line in told).items():
        assert reported[url] >= number, url


def keeper_of(
    uri: str,
    folder: Path,
    environment: Mapping[str, str],
    origin: NewsOrigin,
    warm: WarmStart,
    secret: str = "no secret",
) -> Keeper:
    """A keeper whose state is in `folder`, and whose runs find a bucket as this process does."""
    clean = {name: value for name, value in environment.items() if not name.startswith(("AWS_", "NEWSKEEP_"))}
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    state = folder / "state" if uri.startswith("s3:") else Path(uri)
    return Keeper(uri, state, folder, {**clean, **aws, "PYTHONFAULTHANDLER": "1"}, origin, warm, secret)

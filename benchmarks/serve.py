"""How fast `newskeep serve` answers: python benchmarks/serve.py [--captures N] [--pywb PROGRAM] [--folder DIR].

Makes an index of N captures as a news archive has them (benchmarks/index.py), and a few thousand articles that are
really there, and asks the running server for them at random, one question after the other over one connection. With
`--pywb`, pywb's program in an environment of its own, the same look-ups go to pywb over the same captures as one CDXJ
file, in turn. Prints median and 99th percentile by the clock, and the
server's processor time, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import heapq
import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import index
import reindex

from storage import cdxj
from storage.archive import Archive
from storage.maintenance.reindex import ReindexOptions
from storage.maintenance.reindex import reindex as reindex_archive
from storage.objects.local import LocalStore
from storage.urls import timestamp14

ROOT = Path(__file__).parents[1]
START_SECONDS = 120


class SourceFetcher:
    """One connection to a server, or with `close` one for each question."""

    def __init__(self, port: int, pid: int, close: bool = False) -> None:
        self.port = port
        self.pid = pid
        self._close = close
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, path: str) -> tuple[float, int, int]:
        """Milliseconds until the whole answer was there, its status, and its bytes."""
        start = time.perf_counter()
        try:
            status, size = self._ask(path)
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            start = time.perf_counter()
            status, size = self._ask(path)
        return 1000 * (time.perf_counter() - start), status, size

    def _ask(self, path: str) -> tuple[int, int]:
        # Kept open, pywb waits 40 ms for the client's acknowledgement of its head before it sends the rest.
        self._connection.request("GET", path, headers={"Connection": "close"} if self._close else {})
        answer = self._connection.getresponse()
        return answer.status, len(answer.read())


def fill(folder: Path, total: int, articles: int) -> list[tuple[str, str]]:
    """Make the archive; return URL and 14 digits of the articles that are really there."""
    store = LocalStore(str(folder))
    each = 1_000
    for serial in range(articles // each):
        # The names of the WARCs that `index.fill` makes up end in 00000.
        reindex.make(store, folder.parent, range(serial * each, (serial + 1) * each), serial + 1)
    with Archive(store, folder) as archive:
        reindex_archive(archive, ReindexOptions())
        held = [(entry.url, timestamp14(entry.timestamp)) for entry in archive.index.articles()]
        index.fill(archive.index, total, total // 5)
    return held


def write_cdxj(folder: Path, total: int) -> Path:
    """Write the captures that `fill` made up as one sorted CDXJ file, as an archive of others has it."""
    parts = []
    for number, first in enumerate(range(0, total, 100_000)):
        rows = index.captures(first, min(total, first + 100_000), total // 5, f"benchmark-{number}.warc.gz")
        parts.append(folder / f"part-{number}")
        parts[-1].write_bytes(b"".join(sorted(map(cdxj.line, rows))))
    target = folder / "index.cdxj"
    with ExitStack() as opened, target.open("wb") as out:
        out.writelines(heapq.merge(*(opened.enter_context(part.open("rb")) for part in parts)))
    for part in parts:
        part.unlink()
    return target


@contextmanager
def serving(folder: Path) -> Iterator[tuple[SourceFetcher, SourceFetcher]]:
    ports = [_free_port(), _free_port()]
    command = [sys.executable, "-m", "newskeep", "serve", "--archive", str(folder), "--port", str(ports[0])]
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "--originals-port", str(ports[1])], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(ports[0], process)
            print(f"started in         {time.perf_counter() - started:8.2f} s")
            yield SourceFetcher(ports[0], process.pid), SourceFetcher(ports[1], process.pid)
            print(f"memory of serve    {_peak(process.pid):8.0f} MB at most")
        finally:
            process.terminate()


@contextmanager
def running_pywb(program: str, lines: Path) -> Iterator[SourceFetcher]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        collections = {"all": {"index": str(lines), "archive_paths": folder}}
        (Path(folder) / "config.yaml").write_text(json.dumps({"collections": collections}))
        command = [program, "-b", "127.0.0.1", "-p", str(port)]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                _wait(port, process)
                yield SourceFetcher(port, process.pid, close=True)
            finally:
                process.kill()


def measure(name: str, ask: SourceFetcher, paths: list[str]) -> None:
    for path in paths[:5]:
        ask(path)
    before = _busy(ask.pid)
    found = [ask(path) for path in paths]
    busy = 1000 * (_busy(ask.pid) - before) / len(paths)
    statuses = {status for _, status, _ in found}
    times = sorted(milliseconds for milliseconds, _, _ in found)
    size = statistics.median(size for _, _, size in found)
    said = "" if statuses <= {200, 302} else f"  statuses {sorted(statuses)}"
    tail = times[min(len(times) - 1, round(0.99 * len(times)))]
    clock = f"{statistics.median(times):8.2f} ms, 99 % {tail:8.2f} ms, processor {busy:6.2f} ms"
    print(f"{name:29} {clock}, {size:7,.0f} bytes{said}", flush=True)


def look_ups(total: int, times: int, form: Callable[[str, str], str]) -> list[str]:
    """Paths that ask for random URLs nearest to random times."""
    chance = random.Random(5)
    paths = []
    for _ in range(times):
        url = index.url_of(chance.randrange(total) % (total // 5))
        moment = index.BEGIN + timedelta(seconds=chance.randrange(total * 30))
        paths.append(form(quote(url, safe=""), timestamp14(moment)))
    return paths


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise SystemExit(f"{process.args!r} did not start")


def _busy(pid: int) -> float:
    """Seconds that a process has spent on the processor; counted in hundredths."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=100_000)
    parser.add_argument("--articles", type=int, default=3_000, help="articles that are really there")
    parser.add_argument("--requests", type=int, default=500, help="of each kind")
    parser.add_argument("--pywb", help="pywb's program, to ask the same of it")
    parser.add_argument("--folder", type=Path, help="where to make the archive (default: a temporary folder)")
    options = parser.parse_args()
    total, times = options.captures, options.requests
    with tempfile.TemporaryDirectory(dir=options.folder) as made, ExitStack() as stack:
        folder = Path(made) / "archive"
        folder.mkdir()
        held = fill(folder, total, options.articles)
        print(f"{total:,} captures in the index, {len(held):,} articles with their originals")
        chosen = list(islice(iter(lambda: random.choice(held), None), times))
        app, originals = stack.enter_context(serving(folder))
        words = random.Random(3).choices(reindex.WORDS, k=times)
        measure("front page", app, ["/"] * (times // 5))
        measure("search page", app, [f"/search?q={word}" for word in words[: times // 5]])
        measure("article page", app, [f"/article/{digits}/{url}" for url, digits in chosen])
        measure("API: search", app, [f"/api/search?q={word}" for word in words[: times // 5]])
        measure("API: article", app, [f"/api/article?url={quote(url, safe='')}" for url, _ in chosen])
        measure("API: 50 articles", app, [f"/api/articles?to={digits}" for _, digits in chosen[: times // 5]])
        measure("raw original", originals, [f"/web/{digits}id_/{url}" for url, digits in chosen])
        measure("TimeGate", app, look_ups(total, times, lambda url, _: f"/timegate/{url}"))
        ours = look_ups(total, times, lambda url, at: f"/cdx?url={url}&closest={at}&limit=1")
        measure("CDX closest", app, ours)
        if options.pywb:
            theirs = stack.enter_context(running_pywb(options.pywb, write_cdxj(Path(made), total)))
            asked = look_ups(total, times, lambda url, at: f"/all/cdx?url={url}&closest={at}&limit=1")
            ours_closed = SourceFetcher(app.port, app.pid, close=True)
            for _ in range(2):
                measure("CDX closest, new connections", ours_closed, ours)
                measure("CDX closest of pywb", theirs, asked)


if __name__ == "__main__":
    main()

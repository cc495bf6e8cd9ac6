"""How throughput grows with workers, where waiting is the work: python benchmarks/workers.py [--workers 1,2,4,8].

A server of its own is 64 hosts that answer after 300 ms; a list has 500 URLs of each, asked for with a delay of 1 s.
Each line is a fleet with a queue of its own, in the PostgreSQL of the tests. The server counts the pages, for --seconds
from when every job that fits has asked for one; how long that took, and how much CPU a job, is told apart. Pages are
tiny, and their text is not made. The last column is the shortest time between two requests to a host, at the server.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "helpers")]

from postgres import postgres  # noqa: E402

ANSWER_SECONDS = 0.3
DELAY_SECONDS = 1
#: A host with fewer URLs shares a job with others.
URLS_A_HOST = 500
PAGE = b"<!doctype html><title>A page</title><p>Nothing happened today."
NEWSKEEP = (sys.executable, "-P", "-m", "newskeep")


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is measured: so many workers, each with so many jobs at a time."""

    workers: int
    at_once: int


class SlowHosts:
    """The hosts, in a process of their own; what they count is shared with it."""

    def __init__(self, hosts: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pages: Any = context.Array("q", hosts)
        self.nearest: Any = context.Value("d", float("inf"))
        self._port: Any = context.Value("i", 0)
        self._process = context.Process(target=_serve, args=(self.pages, self.nearest, self._port), daemon=True)

    @contextmanager
    def running(self) -> Iterator[list[str]]:
        """Give the addresses of the hosts."""
        self._process.start()
        while not self._port.value:
            time.sleep(0.05)
        yield [f"http://{_address(number)}:{self._port.value}" for number in range(len(self.pages))]
        self._process.terminate()
        self._process.join()

    def forget(self) -> None:
        self.pages[:] = [0] * len(self.pages)
        self.nearest.value = float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2,4,8", help="how many, one fleet after the other (default 1,2,4,8)")
    parser.add_argument("--at-once", default="1,4", help="jobs of each at a time (default 1,4)")
    parser.add_argument("--hosts", type=int, default=64, help="default 64")
    parser.add_argument("--seconds", type=float, default=40, help="for which pages are counted (default 40)")
    options = parser.parse_args()
    slow = SlowHosts(options.hosts)
    print("workers  at once  pages/s  a job  CPU ms/page  start s  CPU of a start  nearest s")
    with slow.running() as hosts, postgres() as server:
        for at_once in map(int, options.at_once.split(",")):
            for workers in map(int, options.workers.split(",")):
                with server.database() as database, tempfile.TemporaryDirectory() as folder:
                    measure(Fleet(workers, at_once), slow, hosts, database, Path(folder), options.seconds)


def measure(fleet: Fleet, slow: SlowHosts, hosts: list[str], database: str, folder: Path, seconds: float) -> None:
    """Run one fleet, and print its line."""
    (folder / "newskeep.toml").write_text(f'queue = "{database}"\nallow_private = true\ntext = false\nworkers = 1\n')
    (folder / "list.txt").write_text("".join(f"{host}/{n}\n" for n in range(URLS_A_HOST) for host in hosts))
    environment = _environment(folder)

    def run(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=folder, env=environment, **how)

    submit = [*NEWSKEEP, "submit", "urls", "list.txt", f"--delay={DELAY_SECONDS}"]
    if run(submit, stdout=subprocess.DEVNULL).wait():
        raise SystemExit("the list could not be submitted")
    slow.forget()
    jobs = min(fleet.workers * fleet.at_once, len(hosts))
    began = time.monotonic()
    worker = [*NEWSKEEP, "worker", f"--at-once={fleet.at_once}"]
    workers = [run(worker, stderr=subprocess.DEVNULL) for _ in range(fleet.workers)]
    try:
        while sum(1 for count in slow.pages if count) < jobs:
            time.sleep(0.1)
        start, start_cpu = time.monotonic() - began, _cpu_of(workers)
        before, at = sum(slow.pages), time.monotonic()
        time.sleep(seconds)
        pages, passed = sum(slow.pages) - before, time.monotonic() - at
        cpu = _cpu_of(workers) - start_cpu
    finally:
        for each in workers:
            each.send_signal(signal.SIGTERM)
        for each in workers:
            each.wait()
    rate = pages / passed
    print(
        f"{fleet.workers:7}  {fleet.at_once:7}  {rate:7.2f}  {rate / jobs:5.2f}  {1000 * cpu / pages:11.1f}"
        f"  {start:7.1f}  {start_cpu / jobs:14.2f}  {slow.nearest.value:9.3f}",
        flush=True,
    )


def _environment(folder: Path) -> dict[str, str]:
    # PYTHONDONTWRITEBYTECODE would have each job compile our modules again.
    unwanted = ("NEWSKEEP_", "AWS_", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**clean, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}


def _cpu_of(workers: list[subprocess.Popen[bytes]]) -> float:
    """Seconds of CPU that these and all processes below them have taken so far."""
    return sum(_cpu_below(worker.pid) for worker in workers)


def _cpu_below(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_cpu_below(int(child)) for child in children)


def _address(number: int) -> str:
    return f"127.20.0.{number + 1}"


# The hosts


def _serve(pages: Any, nearest: Any, port: Any) -> None:
    # Ctrl-C is for who started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(_serve_all(pages, nearest, port))


async def _serve_all(pages: Any, nearest: Any, port: Any) -> None:
    bound = 0
    for number in range(len(pages)):
        asked = partial(_answer, number, pages, nearest, [float("-inf")])
        server = await asyncio.start_server(asked, _address(number), bound)
        bound = server.sockets[0].getsockname()[1]
        await server.start_serving()
    port.value = bound
    await asyncio.Event().wait()


async def _answer(
    number: int,
    pages: Any,
    nearest: Any,
    last: list[float],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Answer the requests of one connection, each after its time; `last`: when this host was asked before."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            now = time.monotonic()
            nearest.value, last[0] = min(nearest.value, now - last[0]), now
            await asyncio.sleep(ANSWER_SECONDS)
            is_page = b" /robots.txt " not in head
            pages[number] += is_page
            status, body = (b"200 OK", PAGE) if is_page else (b"404 Not Found", b"")
            writer.write(b"HTTP/1.1 %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


if __name__ == "__main__":
    main()

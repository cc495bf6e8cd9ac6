"""What a log costs a page, and digests do: `python benchmarks/log.py --help`.

WARCs of made-up pages are written with SHA-256 as they are now, and with SHA-1 as they were; then one of them is read
into leaves, which are appended and signed. CPU time of this process, in rounds that take turns; medians.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

import storage.warc_writer  # noqa: E402
from storage.digests import sha1  # noqa: E402
from storage.model import Exchange  # noqa: E402
from storage.objects.local import LocalStore  # noqa: E402
from storage.transparency.keys import PrivateKey  # noqa: E402
from storage.transparency.writer import LogWriter  # noqa: E402
from storage.warc import make_stem  # noqa: E402
from storage.warc_writer import WarcWriter  # noqa: E402

T = TypeVar("T")
START = datetime(2026, 11, 21, tzinfo=UTC)
REQUEST = b"GET / HTTP/1.1\r\nHost: paper.example\r\nUser-Agent: newskeep\r\nAccept-Encoding: gzip, br, zstd\r\n\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000, help="pages in a WARC (default 2000)")
    parser.add_argument("--size", type=int, default=60_000, help="bytes of a page (default 60000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often (default 5)")
    options = parser.parse_args()
    seconds: dict[str, list[float]] = defaultdict(list)
    exchanges = made(options.pages, options.size)
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as name:
            sizes = one_round(Path(name), exchanges, seconds)
    for what, each in seconds.items():
        print(f"{what:16} {1e6 * statistics.median(each) / options.pages:8.0f} µs of CPU a page")
    for what, size in sizes.items():
        print(f"{what:16} {size / options.pages:8.0f} bytes a page")


def one_round(folder: Path, exchanges: list[Exchange], seconds: dict[str, list[float]]) -> dict[str, int]:
    """Return bytes of a WARC, and of the log of it."""
    with patch.object(storage.warc_writer, "digest", sha1):
        timed(seconds["write, SHA-1"], lambda: written(folder, "1", exchanges))
    path = timed(seconds["write, SHA-256"], lambda: written(folder, "256", exchanges))
    store = LocalStore(str(folder / "archive"))
    log = LogWriter(store, folder / "archive", PrivateKey.make(folder / "key"))
    timed(seconds["log and sign"], lambda: log.add_warc(path.name, lambda: path.open("rb")))
    return {"WARC": path.stat().st_size, "log": sum(info.size for info in store.list("logs/"))}


def made(pages: int, size: int) -> list[Exchange]:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randrange(2, 10))) for _ in range(5000)]
    found = []
    for number in range(pages):
        body = " ".join(chance.choices(words, k=size // 7)).encode()[:size]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
        moment = START + timedelta(seconds=number)
        found.append(Exchange(f"https://paper.example/{number}", moment, REQUEST, head + body, peer="192.0.2.1"))
    return found


def written(folder: Path, crawl: str, exchanges: list[Exchange]) -> Path:
    path = folder / f"{make_stem(START, crawl, 0)}.warc.gz"
    writer = WarcWriter(path, path.name, {"software": "benchmark"})
    for exchange in exchanges:
        writer.append(exchange)
    writer.close()
    return path


def timed(seconds: list[float], call: Callable[[], T]) -> T:
    begun = time.process_time()
    done = call()
    seconds.append(time.process_time() - begun)
    return done


if __name__ == "__main__":
    main()

"""How fast and how large the index is: python benchmarks/index.py [--captures N ...] [--folder DIR | --index URI].

Makes captures as a news archive has them (200 sites, each article captured five times, a front page of each site
captured most of all, in WARCs of 20,000), enters them and looks them up at random. Prints one figure a line; of several
numbers, such as 1000 10000 100000, how it grows. The index is a SQLite file; with `--index` an empty PostgreSQL
database, which is emptied again.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from base64 import b32encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha1
from pathlib import Path

from newskeep.status.holdings import count
from storage.archive import shared_index
from storage.index import SharedIndex, WarcEntry, discard_index, open_index
from storage.index.index import Index
from storage.model import Capture
from storage.postgres_address import PostgresAddress

SITES = 200
A_WARC = 20_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("minister", "budget", "vote", "strike", "storm", "harbour", "verdict", "summit", "energy", "border", "museum")


def url_of(number: int) -> str:
    """Article `number` of the archive; every twentieth is a front page."""
    site = f"https://{'www.' if number % 2 else ''}paper{number % SITES}.example"
    if number % 20 == 0:
        return f"{site}/"
    slug = "-".join(random.Random(number).choices(WORDS, k=6))
    return f"{site}/{WORDS[number % len(WORDS)]}/{2026_000_000 + number}/{slug}"


def captures(first: int, last: int, articles: int, filename: str) -> Iterator[Capture]:
    for number in range(first, last):
        yield Capture(
            url=url_of(number % articles),
            timestamp=BEGIN + timedelta(seconds=number * 30),
            status=200,
            mime="text/html" if number < articles else "warc/revisit",
            digest=f"sha1:{b32encode(sha1(str(number % articles).encode()).digest()).decode()}",
            filename=filename,
            offset=(number - first) * 22_000,
            length=21_345,
        )


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds that a call takes, and of these the seconds on the processor."""
    start, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - busy


def fill(index: Index, total: int, articles: int) -> tuple[float, float]:
    """Enter all captures; return the seconds it took, without those of making them up."""
    wall = busy = 0.0
    for first in range(0, total, A_WARC):
        filename = f"newskeep-{20260101000000000 + first}-benchmark-00000.warc.gz"
        warc = WarcEntry(filename, 440_000_000, "0" * 64)
        rows = list(captures(first, min(total, first + A_WARC), articles, filename))
        seconds = timed(partial(index.add, warc, rows))
        wall, busy = wall + seconds[0], busy + seconds[1]
    return wall, busy


def show(name: str, count: int, seconds: tuple[float, float]) -> None:
    rate, busy = (count / each for each in seconds)
    print(f"{name:18} {rate:12,.0f} a second, {busy:9,.0f} a second of processor time")


def look_up(index: Index, total: int, articles: int, times: int) -> None:
    """Random URLs at random times; no URL soon again, so that every SURT is made anew."""
    chosen = [random.randrange(total) for _ in range(times)]
    urls = [url_of(number % articles) for number in chosen]
    moments = [BEGIN + timedelta(seconds=random.randrange(total * 30)) for _ in chosen]
    show("closest", times, timed(lambda: [index.closest(*one) for one in zip(urls, moments, strict=True)]))
    show("latest", times, timed(lambda: [index.latest(url) for url in urls]))
    show("latest, not held", times, timed(lambda: [index.latest(url + "x") for url in urls]))
    few = urls[: times // 10]
    show("20 of a prefix", len(few), timed(lambda: [_twenty(index, url.rpartition("/")[0] + "/") for url in few]))


def _twenty(index: Index, prefix: str) -> list[Capture]:
    return list(index.captures(prefix, match="prefix", limit=20))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, nargs="+", default=[1_000_000], metavar="N")
    parser.add_argument("--lookups", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="where to make the index (default: a temporary folder)")
    parser.add_argument("--index", help="an empty database, postgresql://USER@HOST/DATABASE")
    options = parser.parse_args()
    for total in options.captures:
        measure(total, options.lookups, options.folder, shared_index(options.index))


def measure(total: int, lookups: int, parent: Path | None, address: PostgresAddress | None) -> None:
    random.seed(1)
    articles = total // 5
    print(f"{total:,} captures")
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        place = SharedIndex(address, "file:///benchmark") if address else Path(folder) / "index.sqlite"
        with open_index(place) as index:
            show("entered", total, fill(index, total, articles))
            look_up(index, total, articles, lookups)
            show("counted (status)", total, timed(lambda: count(index)))
            show("read through", total, timed(lambda: sum(1 for _ in index.captures("example", match="domain"))))
            size = index.size()
        with open_index(place) as index:
            removing = timed(lambda: index.remove(next(index.warcs()).filename))
            print(f"a WARC removed in  {removing[0]:12.2f} s")
        print(f"size               {size / total:12.1f} bytes a row")
        discard_index(place)
    print(f"peak memory        {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:12.0f} MB")


if __name__ == "__main__":
    main()

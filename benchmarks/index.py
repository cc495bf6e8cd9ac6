"""How fast and how large the index is: python benchmarks/index.py [--captures N ...] [--folder DIR | --index URI].

Makes captures as a news archive has them (200 sites, each article captured five times, a front page of each site
captured most of all, in WARCs of 20,000), enters them and looks them up at random. Prints one figure a line, by the
clock and in processor time, ours and that of a server on this machine; of several numbers, such as 1000 10000 100000,
how it grows. The index is a SQLite file; with `--index` an empty PostgreSQL database. It is emptied again, unless
`--keep` leaves it in `--folder` or the database: the next run then looks up at once.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha1
from pathlib import Path

from server_cpu import server_cpu

from newskeep.status.holdings import count
from storage.index import SharedIndex, WarcEntry, discard_index, open_index
from storage.index.index import Index
from storage.model import Capture
from storage.places import shared_index
from storage.urls import Match

SITES = 200
A_WARC = 20_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("minister", "budget", "vote", "strike", "storm", "harbour", "verdict", "summit", "energy", "border", "museum")


def url_of(number: int) -> str:
    """Article `number` of the archive; every twentieth is a front page."""
    site = f"https://{'www.' if number % 2 else ''}paper{number % SITES}.example"
    if number % 20 == 0:
        return f"{site}/"
    slug = "-".join(WORDS[number * prime // 7 % len(WORDS)] for prime in (2, 3, 5, 11, 13, 17))
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


@dataclass(frozen=True, slots=True)
class Meter:
    """Prints what calls cost."""

    server: Callable[[], float]

    def show(self, name: str, count: int, call: Callable[[], tuple[float, float]]) -> None:
        """Print what one of `count` things takes that `call` did, which returns its seconds as `timed` does."""
        served = self.server()
        seconds, ours = call()
        theirs = self.server() - served
        cpu = f"CPU {ours * 1e6 / count:9.1f} + {theirs * 1e6 / count:9.1f} us each"
        print(f"{name:22} {count / seconds:12,.0f} a second, {cpu}", flush=True)


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


def look_up(index: Index, meter: Meter, total: int, articles: int, times: int) -> None:
    """Random URLs at random times; no URL soon again, so that every SURT is made anew."""
    chosen = [random.randrange(total) for _ in range(times)]
    urls = [url_of(number % articles) for number in chosen]
    moments = [BEGIN + timedelta(seconds=random.randrange(total * 30)) for _ in chosen]
    few = urls[: times // 10]
    for name, asked, look in (
        ("closest", times, lambda: [index.closest(*one) for one in zip(urls, moments, strict=True)]),
        ("latest", times, lambda: [index.latest(url) for url in urls]),
        ("latest, not held", times, lambda: [index.latest(url + "x") for url in urls]),
        ("100 of a URL", len(few), lambda: [_some(index, url, "exact", 100) for url in few]),
        ("20 of a prefix", len(few), lambda: [_some(index, url.rpartition("/")[0] + "/", "prefix", 20) for url in few]),
        ("100 of a host", len(few), lambda: [_some(index, url, "host", 100) for url in few]),
    ):
        meter.show(name, asked, partial(timed, look))


def _some(index: Index, url: str, match: Match, limit: int) -> list[Capture]:
    return list(index.captures(url, match=match, limit=limit))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, nargs="+", default=[1_000_000], metavar="N")
    parser.add_argument("--lookups", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="where to make the index (default: a temporary folder)")
    parser.add_argument("--index", help="an empty database, postgresql://USER@HOST/DATABASE")
    parser.add_argument("--keep", action="store_true", help="leave the index where it is, for the next run")
    options = parser.parse_args()
    for total in options.captures:
        with tempfile.TemporaryDirectory() as temporary:
            address = shared_index(options.index)
            file = (options.folder or Path(temporary)) / "index.sqlite"
            place = SharedIndex(address, "file:///benchmark") if address else file
            measure(place, total, options.lookups)
            if not options.keep:
                with open_index(place) as index:
                    removing, _ = timed(lambda: index.remove(next(index.warcs()).filename))
                print(f"{'a WARC removed in':22} {removing:12.2f} s")
                discard_index(place)


def measure(place: Path | SharedIndex, total: int, lookups: int) -> None:
    random.seed(1)
    articles = total // 5
    print(f"{total:,} captures")
    with open_index(place) as index:
        meter = Meter(server_cpu(index))
        if not index.counts().captures:
            meter.show("entered", total, lambda: fill(index, total, articles))
        look_up(index, meter, total, articles, lookups)
        meter.show("counted (status)", total, partial(timed, lambda: count(index)))
        whole = partial(timed, lambda: sum(1 for _ in index.all_captures()))
        meter.show("read through", total, whole)
        print(f"{'size':22} {index.size() / total:12.1f} bytes a row")
    print(f"{'peak memory':22} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:12.0f} MB")


if __name__ == "__main__":
    main()

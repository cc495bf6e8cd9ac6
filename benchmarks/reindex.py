"""How fast the index comes back: python benchmarks/reindex.py [--captures N] [--warcs N] [--folder DIR].

Makes WARCs of made-up articles, each with its CDXJ and text part, and indexes them on a machine that knows nothing:
from CDXJ and text, and from the WARCs. A round does each once; the medians are shown.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import cdxj
from storage.archive import Archive
from storage.articles import write_part
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.model import Article, Block, Capture, Exchange, Extractor, Reason, TextSource
from storage.objects.local import LocalStore
from storage.warc import key_of, make_stem
from storage.warc_writer import WarcWriter

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(5_000)]
REQUEST = b"GET / HTTP/1.1\r\nHost: paper.example\r\n\r\n"


def article(number: int) -> tuple[Exchange, str]:
    """An exchange of about 20 KB and its text of about 3 KB."""
    chance = random.Random(number)
    text = " ".join(chance.choices(WORDS, k=400))
    body = f"<html><article><p>{text}</p></article>{' '.join(chance.choices(WORDS, k=2_000))}</html>".encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
    url = f"https://www.paper{number % 200}.example/2026/{number}/{'-'.join(chance.choices(WORDS, k=5))}"
    return Exchange(url, BEGIN + timedelta(seconds=number), REQUEST, head + body, peer="192.0.2.1"), text


def make(store: LocalStore, folder: Path, numbers: range, serial: int) -> None:
    stem = make_stem(BEGIN + timedelta(seconds=numbers.start), "benchmark", serial)
    filename = f"{stem}.warc.gz"
    writer = WarcWriter(folder / filename, filename, {})
    captures: list[Capture] = []

    def articles() -> Iterator[Article]:
        for number in numbers:
            exchange, text = article(number)
            capture = writer.append(exchange)
            assert capture is not None
            captures.append(capture)
            yield Article(
                exchange.url,
                title=text[:60],
                language="en",
                blocks=(Block(text, "p", True, Reason("made up")),),
                extractor=Extractor("benchmark", "1"),
                timestamp=exchange.started,
                warc=TextSource(filename, capture.offset, capture.length, capture.digest),
            )

    text_path = folder / f"{stem}.jsonl.gz"
    with text_path.open("wb") as out:
        for _ in write_part(out, articles()):
            pass
    writer.close()
    store.put(key_of(filename, "text"), text_path)
    store.put(key_of(filename, "cdxj"), b"".join(cdxj.lines(captures)))
    store.put(key_of(filename), folder / filename)
    text_path.unlink()
    (folder / filename).unlink()


def measure(store: LocalStore, options: ReindexOptions) -> tuple[float, float]:
    """Captures a second, by the clock and by the processor."""
    with tempfile.TemporaryDirectory() as state, Archive(store, Path(state)) as archive:
        start, busy = time.perf_counter(), time.process_time()
        done = reindex(archive, options)
        return done.captures / (time.perf_counter() - start), done.captures / (time.process_time() - busy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=20_000)
    parser.add_argument("--warcs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to make the archive (default: a temporary folder)")
    options = parser.parse_args()
    each = options.captures // options.warcs
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        store = LocalStore(str(Path(folder) / "archive"))
        for serial in range(options.warcs):
            make(store, Path(folder), range(serial * each, (serial + 1) * each), serial)
        size = sum(info.size for info in store.list("warc/"))
        print(f"{each * options.warcs:,} captures with articles in {options.warcs} WARCs of {size:,} bytes")
        found: dict[str, list[tuple[float, float]]] = {"CDXJ and text": [], "WARCs and text": []}
        for _ in range(options.rounds):
            found["CDXJ and text"].append(measure(store, ReindexOptions()))
            found["WARCs and text"].append(measure(store, ReindexOptions(from_warcs=True)))
        for part in store.list("text/"):
            store.delete(part.key)
            store.put(part.key, b"")
        found["CDXJ alone"] = [measure(store, ReindexOptions()) for _ in range(options.rounds)]
        found["WARCs alone"] = [measure(store, ReindexOptions(from_warcs=True)) for _ in range(options.rounds)]
    for name, rates in found.items():
        wall, busy = (statistics.median(rate[side] for rate in rates) for side in (0, 1))
        print(f"from {name:15} {wall:9,.0f} captures a second, {busy:9,.0f} a second of processor time")
    print(f"peak memory          {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:9.0f} MB")


if __name__ == "__main__":
    main()

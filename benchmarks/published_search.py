"""What search costs from published texts: python benchmarks/published_search.py [--articles N] [--words N] [--s3].

Makes text parts and CDXJ files of three months of articles (benchmarks/search.py), enters them and asks; publishes the
texts, has the database let them go, and asks the same again: milliseconds, processor time, and with a store that is
asked, the requests and bytes of a question. With --s3 the archive is in a bucket of moto, on this machine.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from index import timed
from published import place
from search import A_PAGE, SITES, VOCABULARY, synthetic, word

from storage import cdxj, open_archive
from storage.archive import Archive
from storage.articles import write_part
from storage.index import WarcEntry
from storage.index.articles import entries_of
from storage.index.query_parser import SearchQuery
from storage.model import Article, Block, Capture, Extractor, Reason, TextSource
from storage.publishing.publish import PublishOptions, manifests, publish
from storage.publishing.release_texts import release_texts
from storage.warc import key_of, make_stem

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MONTHS, A_WARC = 90 * 86_400, 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=50_000)
    parser.add_argument("--words", type=int, default=400, help="words of an article")
    parser.add_argument("--s3", action="store_true", help="in a bucket of moto's server instead of a folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, place(Path(name), options.s3) as uri:
        state, total = Path(name) / "state", options.articles
        with open_archive(uri, state) as archive:
            fill(archive, total, synthetic(options.words), Path(name))
            archive.index.scrub()
            before = archive.index.size()
            print("from the database")
            ask_all(archive)
            published = PublishOptions(table=False, search=True)
            taken, busy = timed(lambda: list(publish(archive, published)))
            files = [file for each in manifests(archive).values() for file in each.of("texts").values()]
            print(f"published           {taken:8.1f} s, {busy * 1000 / total:.2f} ms of CPU an article")
            print(f"texts               {sum(each.size for each in files) / total:8.0f} bytes an article")
            taken, busy = timed(lambda: [release_texts(archive, each) for each in manifests(archive).values()])
            print(f"let go              {taken:8.1f} s, {busy * 1000 / total:.2f} ms of CPU an article")
            archive.index.scrub()
            now = archive.index.size()
            print(f"the database        {before / total:8.0f} bytes an article before, {now / total:.0f} now")
        with open_archive(uri, state) as archive:
            print("from what is published")
            ask_all(archive)


def fill(archive: Archive, total: int, texts: Iterator[str], folder: Path) -> None:
    for first in range(0, total, A_WARC):
        moments = [BEGIN + timedelta(seconds=n * MONTHS // total) for n in range(first, min(first + A_WARC, total))]
        filename = make_stem(moments[0], "benchmark000", 0) + ".warc.gz"
        captures = [
            Capture(f"https://paper{n % SITES}.example/{n}", moment, 200, "text/html", None, filename, n - first, 1)
            for n, moment in enumerate(moments, start=first)
        ]
        path = folder / "part"
        with path.open("wb") as out:
            for _ in write_part(out, (_article(each, next(texts)) for each in captures)):
                pass
        archive.store.put(key_of(filename), b"1" * A_WARC)
        archive.store.put(key_of(filename, "cdxj"), b"".join(cdxj.lines(captures)))
        part = key_of(filename, "text")
        archive.store.put(part, path)
        with path.open("rb") as stream:
            archive.index.add(WarcEntry(filename, A_WARC, "", (part,)), captures, entries_of(stream, part))


def _article(capture: Capture, text: str) -> Article:
    return Article(
        url=capture.url,
        title=text[:60],
        language="en",
        blocks=(Block(text, "p", True, Reason("benchmark")),),
        extractor=Extractor("benchmark", "1"),
        timestamp=capture.timestamp,
        warc=TextSource(capture.filename, capture.offset, capture.length, capture.digest),
    )


def ask_all(archive: Archive) -> None:
    rng = random.Random(2)
    common, middle, rare = (
        [word(rng.randrange(*ranks)) for _ in range(20)] for ranks in ((0, 50), (200, 2_000), (20_000, VOCABULARY))
    )

    def first_page(wanted: SearchQuery) -> int:
        return len(list(archive.index.search(wanted, limit=A_PAGE)))

    def best(wanted: SearchQuery) -> int:
        return len(list(archive.index.search(wanted, order="relevance", limit=A_PAGE)))

    def far(wanted: SearchQuery) -> int:
        before = None
        for _ in range(10):
            hits = list(archive.index.search(wanted, before=before, limit=A_PAGE))
            before = hits[-1].key
        return len(hits)

    def count(wanted: SearchQuery) -> int:
        return archive.index.total(wanted).count

    ask(archive, "a common word", common, first_page)
    ask(archive, "a common word, ten pages", common[:5], far)
    ask(archive, "a word of the middle", middle, first_page)
    ask(archive, "a rare word", rare, first_page)
    ask(archive, "two of the middle", [f"{one} {other}" for one, other in pairwise(middle)], first_page)
    ask(archive, "a phrase of two common words", [f'"{one} {other}"' for one, other in pairwise(common)], first_page)
    ask(archive, "a word of the middle, the best", middle[:10], best)
    ask(archive, "how many of a common word", common[:5], count)
    ask(archive, "how many of a rare word", rare, count)


def ask(archive: Archive, name: str, asked: list[str], answer: Callable[[SearchQuery], int]) -> None:
    times, found = [], 0
    busy, traffic = time.process_time(), archive.store.traffic
    for each in map(SearchQuery.parse, asked):
        start = time.perf_counter()
        found += answer(each)
        times.append((time.perf_counter() - start) * 1000)
    took, n = archive.store.traffic - traffic, len(asked)
    print(
        f"{name:32} {statistics.median(times):8.1f} ms, CPU {(time.process_time() - busy) * 1000 / n:7.1f} ms,"
        f" {took.requests / n:6.1f} requests, {took.bytes_read / n / 1024:8.0f} KiB, {found / n:8.1f} found",
        flush=True,
    )


if __name__ == "__main__":
    main()

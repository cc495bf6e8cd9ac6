"""How fast and how large full-text search is: python benchmarks/search.py [--articles N] [--texts FILE] [--folder DIR].

Makes articles of 400 words (`--words`) from 60,000 made up, used as often as words of a language are (Zipf), by 200
sites over a year; with `--texts`, a JSON-lines file with a field `text`, it takes those texts in turn instead. Enters
them, a WARC of 2,000 at a time, and asks; prints the median and the worst of the first 20 hits, the processor time of
a question, ours and that of a server on this machine, and where the bytes went. The index is a SQLite file; with
`--index URI` an empty PostgreSQL database. It is emptied again, unless `--keep` leaves it in `--folder` or the
database: the next run then asks at once.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, cycle, pairwise
from pathlib import Path
from typing import TypeVar

from server_cpu import server_cpu

from storage.index import ArticleEntry, Filters, Hit, SearchOrder, SharedIndex, WarcEntry, discard_index, open_index
from storage.index.index import Index
from storage.index.query_parser import SearchQuery
from storage.places import shared_index

Asked = TypeVar("Asked")

SITES = 200
A_WARC = 2_000
A_PAGE = 20
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VOCABULARY = 60_000
HALF_A_YEAR_AGO = Filters(since=BEGIN + timedelta(150), until=BEGIN + timedelta(180))
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def word(rank: int) -> str:
    """The word of a rank: the more common, the shorter."""
    made = ""
    rank += 26
    while rank:
        rank, letter = divmod(rank, 26)
        made += LETTERS[letter]
    return made


def synthetic(length: int) -> Iterator[str]:
    rng = random.Random(1)
    vocabulary = [word(rank) for rank in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
    while True:
        yield " ".join(rng.choices(vocabulary, cum_weights=weights, k=length))


def entries(texts: Iterator[str], first: int, count: int, filename: str, total: int) -> Iterator[ArticleEntry]:
    for number in range(first, first + count):
        text = next(texts)
        yield ArticleEntry(
            url=f"https://paper{number % SITES}.example/{number}",
            timestamp=BEGIN + timedelta(seconds=number * 31_000_000 // total),
            site=f"paper{number % SITES}.example",
            title=text[:60],
            published=None,
            language="en",
            words=400,
            filename=filename,
            offset=number - first,
            part="text/part",
            part_offset=0,
            part_length=1,
            text=text,
        )


def fill(asker: Asker, texts: Iterator[str], total: int) -> None:
    busy, longest, ours, served = 0.0, 0.0, 0.0, asker.server()
    for first in range(0, total, A_WARC):
        warc = WarcEntry(f"newskeep-{20260101000000000 + first}-benchmark-00000.warc.gz", 1, "", ("text/part",))
        rows = list(entries(texts, first, min(A_WARC, total - first), warc.filename, total))
        start, cpu = time.perf_counter(), time.process_time()
        asker.index.add(warc, [], rows)
        took = time.perf_counter() - start
        ours += time.process_time() - cpu
        busy, longest = busy + took, max(longest, took)
    print(
        f"entered            {total / busy:10,.0f} articles a second; a WARC of {A_WARC:,} in {longest:.2f} s at most;"
        f" CPU {ours * 1000 / total:.2f} + {(asker.server() - served) * 1000 / total:.2f} ms an article"
    )


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one index, and prints a line for each kind of question."""

    index: Index
    server: Callable[[], float]

    def ask(
        self,
        name: str,
        asked: list[str],
        filters: Filters | None = None,
        *,
        page: int = 1,
        order: SearchOrder = "date",
    ) -> None:
        """Find the first 20 hits, or those of a further page."""

        def search(wanted: SearchQuery) -> int:
            before, found = None, list[Hit]()
            for _ in range(page):
                found = list(self.index.search(wanted, filters, order=order, before=before, limit=A_PAGE))
                before = found[-1].key if found else 0
            return len(found)

        self.time(name, list(map(SearchQuery.parse, asked)), search)

    def count(self, name: str, asked: list[str]) -> None:
        """Count all that is found."""
        wanted = list(map(SearchQuery.parse, asked))
        self.time(f"{name}: how many", wanted, lambda each: self.index.total(each).count)

    def time(self, name: str, asked: list[Asked], answer: Callable[[Asked], int]) -> None:
        """Print what it takes to answer one of these, and how much was found in the mean."""
        times, hits = [], 0
        busy, served = time.process_time(), self.server()
        for each in asked:
            start = time.perf_counter()
            hits += answer(each)
            times.append((time.perf_counter() - start) * 1000)
        ours, theirs = ((each * 1000 / len(asked)) for each in (time.process_time() - busy, self.server() - served))
        print(
            f"{name:40} {statistics.median(times):8.1f} {max(times):8.1f} ms, CPU {ours:7.1f} + {theirs:7.1f} ms,"
            f" {hits / len(asked):8.1f} found",
            flush=True,
        )


def sizes(path: Path, total: int) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()
    for name, size in rows[:8]:
        print(f"{name:34} {size / total:9.0f} bytes an article")
    print(f"{'the whole index':34} {path.stat().st_size / total:9.0f} bytes an article")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=400, help="words of an article")
    parser.add_argument("--texts", type=Path, help="JSON lines with a field `text`")
    parser.add_argument("--folder", type=Path, help="where to make the index (default: a temporary folder)")
    parser.add_argument("--index", help="an empty database, postgresql://USER@HOST/DATABASE")
    parser.add_argument("--keep", action="store_true", help="leave the index where it is, for the next run")
    options = parser.parse_args()
    texts = synthetic(options.words)
    if options.texts:
        texts = cycle([json.loads(line)["text"] for line in options.texts.open()])
    with tempfile.TemporaryDirectory() as temporary:
        path, address = (options.folder or Path(temporary)) / "index.sqlite", shared_index(options.index)
        place = SharedIndex(address, "file:///benchmark") if address else path
        with open_index(place) as index:
            asker = Asker(index, server_cpu(index))
            if not index.counts().articles:
                fill(asker, texts, options.articles)
            if not options.texts:
                questions(asker)
            lists(asker)
            total = index.counts().articles
            print(f"{'the whole index':34} {index.size() / total:9.0f} bytes an article")
        if not address:
            sizes(path, total)
        if not options.keep:
            discard_index(place)


def questions(asker: Asker) -> None:
    rng = random.Random(2)
    common, middle, rare = (
        [word(rng.randrange(*ranks)) for _ in range(50)] for ranks in ((0, 50), (200, 2_000), (20_000, VOCABULARY))
    )
    ask = asker.ask
    ask("a common word", common)
    ask("a common word, page 20", common[:10], page=20)
    ask("a word of the middle", middle)
    ask("a rare word", rare)
    ask("two common words", [f"{a} {b}" for a, b in pairwise(common)])
    ask("two of the middle", [f"{a} {b}" for a, b in pairwise(middle)])
    ask("a common and a rare word", [f"{a} {b}" for a, b in zip(common, rare, strict=True)])
    ask("three of the middle", [" ".join(middle[n : n + 3]) for n in range(20)])
    phrases = [f'"{a} {b}"' for a, b in pairwise(common)]
    ask("a phrase of two common words", phrases)
    ask("a phrase of two of the middle", [f'"{a} {b}"' for a, b in pairwise(middle)])
    ask("common, of one site", common, Filters(site="paper7.example"))
    ask("middle, of one site", middle, Filters(site="paper7.example"))
    ask("common, of a site that has none", common, Filters(site="elsewhere.example"))
    ask("common, of a month half a year ago", common, HALF_A_YEAR_AGO)
    ask("middle, of a month half a year ago", middle, HALF_A_YEAR_AGO)
    ask("common but not common", [f"{a} -{b}" for a, b in pairwise(common)])
    ask("a beginning of three letters", [f"{each[:3]}*" for each in middle[:10]])
    ask("a beginning of two letters", [f"{each[:2]}*" for each in middle[:5]])
    for kind, words in (("common", common), ("middle", middle), ("rare", rare)):
        ask(f"{kind}, the best", words[:20], order="relevance")
        asker.count(kind, words[:20])
    ask("two common words, the best", [f"{a} {b}" for a, b in pairwise(common[:21])], order="relevance")
    ask("two of the middle, the best", [f"{a} {b}" for a, b in pairwise(middle[:21])], order="relevance")
    ask("a phrase of common words, the best", phrases[:20], order="relevance")
    asker.count("two common words", [f"{a} {b}" for a, b in pairwise(common[:21])])
    asker.count("a phrase of common words", phrases[:20])


def lists(asker: Asker) -> None:
    """What the pages of the reading room ask beside searches."""
    index, sites = asker.index, [f"paper{number}.example" for number in range(0, SITES, 10)]
    asker.time("the newest 20 of a site", sites, lambda site: len(list(index.articles(site=site, limit=20))))
    asker.time("the newest 1,000", [1_000] * 5, lambda number: len(list(index.articles(limit=number))))
    asker.time(
        "20 in a language that is rare", ["da"] * 3, lambda code: len(list(index.articles(language=code, limit=20)))
    )
    asker.time("articles a day, all days", [BEGIN] * 3, lambda since: sum(index.articles_a_day(since).values()))
    asker.time("of a site", sites, lambda site: sum(index.articles_a_day(BEGIN, site).values()))
    asker.time("busiest sites", [BEGIN] * 3, lambda since: len(index.busiest_sites(since, 12)))
    asker.time("all sites", [""] * 3, lambda after: len(list(index.sites(after))))


if __name__ == "__main__":
    main()

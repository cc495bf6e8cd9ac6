"""How fast and how large full-text search is: python benchmarks/search.py [--articles N] [--texts FILE] [--folder DIR].

Makes articles of 400 words from 60,000 made-up ones, used as often as words of a language are (Zipf), by 200 sites over
a year; with `--texts`, a JSON-lines file with a field `text`, it takes those texts in turn instead. Enters them, a WARC
of 2,000 at a time, and asks; prints the 50th and 99th percentile of the first 20 hits, and where the bytes went. The
index is a SQLite file; with `--index URI` an empty PostgreSQL database, which is emptied again.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate, cycle, pairwise
from pathlib import Path

from storage.archive import shared_index
from storage.index import ArticleEntry, Filters, SharedIndex, WarcEntry, discard_index, open_index
from storage.index.index import Index
from storage.index.query_parser import SearchQuery

SITES = 200
A_WARC = 2_000
A_PAGE = 20
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VOCABULARY = 60_000
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def word(rank: int) -> str:
    """The word of a rank: the more common, the shorter."""
    made = ""
    rank += 26
    while rank:
        rank, letter = divmod(rank, 26)
        made += LETTERS[letter]
    return made


def synthetic() -> Iterator[str]:
    rng = random.Random(1)
    vocabulary = [word(rank) for rank in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
    while True:
        yield " ".join(rng.choices(vocabulary, cum_weights=weights, k=400))


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


def fill(index: Index, texts: Iterator[str], total: int) -> None:
    busy, longest = 0.0, 0.0
    for first in range(0, total, A_WARC):
        warc = WarcEntry(f"newskeep-{20260101000000000 + first}-benchmark-00000.warc.gz", 1, "", ("text/part",))
        rows = list(entries(texts, first, min(A_WARC, total - first), warc.filename, total))
        start = time.perf_counter()
        index.add(warc, [], rows)
        took = time.perf_counter() - start
        busy, longest = busy + took, max(longest, took)
    print(
        f"entered            {total / busy:10,.0f} articles a second; a WARC of {A_WARC:,} in {longest:.2f} s at most"
    )


def ask(index: Index, name: str, asked: list[str], filters: Filters | None = None, page: int = 1) -> None:
    times, hits = [], 0
    for typed in asked:
        wanted, before = SearchQuery.parse(typed), None
        for _ in range(page):
            start = time.perf_counter()
            found = list(index.search(wanted, filters, before=before, limit=A_PAGE))
            took = time.perf_counter() - start
            before = found[-1].key if found else 0
        times.append(took * 1000)
        hits += len(found)
    times.sort()
    half, most = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    print(f"{name:34} {half:9.2f} ms {most:9.2f} ms   {hits / len(asked):5.1f} hits")


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
    parser.add_argument("--texts", type=Path, help="JSON lines with a field `text`")
    parser.add_argument("--folder", type=Path, help="where to make the index (default: a temporary folder)")
    parser.add_argument("--index", help="an empty database, postgresql://USER@HOST/DATABASE")
    options = parser.parse_args()
    texts, rng = synthetic(), random.Random(2)
    if options.texts:
        texts = cycle([json.loads(line)["text"] for line in options.texts.open()])
    common, middle, rare = (
        [word(rng.randrange(*ranks)) for _ in range(50)] for ranks in ((0, 50), (200, 2_000), (20_000, VOCABULARY))
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, address = Path(folder) / "index.sqlite", shared_index(options.index)
        place = SharedIndex(address, "file:///benchmark") if address else path
        with open_index(place) as index:
            fill(index, texts, options.articles)
            if not options.texts:
                ask(index, "a common word", common)
                ask(index, "a common word, page 20", common[:10], page=20)
                ask(index, "a word of the middle", middle)
                ask(index, "a rare word", rare)
                ask(index, "two common words", [f"{a} {b}" for a, b in pairwise(common)])
                ask(index, "two of the middle", [f"{a} {b}" for a, b in pairwise(middle)])
                ask(index, "three of the middle", [" ".join(middle[n : n + 3]) for n in range(20)])
                ask(
                    index,
                    "a phrase of two common words",
                    [f'"{a} {b}"' for a, b in pairwise(common)],
                )
                ask(
                    index,
                    "a phrase of two of the middle",
                    [f'"{a} {b}"' for a, b in pairwise(middle)],
                )
                ask(index, "common, of one site", common, Filters(site="paper7.example"))
                ask(index, "common, of a site that has none", common, Filters(site="elsewhere.example"))
                ask(index, "common, of a month half a year ago", common, Filters(until=BEGIN + timedelta(days=180)))
                ask(index, "common but not common", [f"{a} -{b}" for a, b in pairwise(common)])
                ask(index, "a beginning of three letters", [f"{each[:3]}*" for each in middle[:10]])
                ask(index, "a beginning of two letters", [f"{each[:2]}*" for each in middle[:5]])
            print(f"{'the whole index':34} {index.size() / options.articles:9.0f} bytes an article")
        if address:
            discard_index(place)
        else:
            sizes(path, options.articles)


if __name__ == "__main__":
    main()

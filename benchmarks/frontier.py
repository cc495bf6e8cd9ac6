"""How fast and how large the frontier is: python benchmarks/frontier.py [--sites N] [--urls N] [--folder DIR].

Fills it as years of crawling do (each site announces its articles in rounds, nine in ten are held, one has an ETag in
two), then asks what a run asks. Prints one figure a line. Needs no network.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from base64 import b32encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path

from crawler.frontier import open_frontier
from crawler.frontier.address_state import Announcement, SiteState, Visit
from crawler.frontier.frontier import Frontier
from crawler.frontier.revisit_policy import next_article, next_run

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROUNDS = 5
WORDS = ("minister", "budget", "vote", "strike", "storm", "harbour", "verdict", "summit", "energy", "border", "museum")


def url_of(site: int, number: int) -> str:
    slug = "-".join(random.Random(number).choices(WORDS, k=6))
    return f"https://www.paper{site}.example/{WORDS[number % len(WORDS)]}/{2026_000_000 + number}/{slug}"


def articles(site: int, first: int, last: int, at: datetime) -> list[Announcement]:
    feed = f"https://www.paper{site}.example/feed.xml"
    return [
        Announcement(url_of(site, number), "article", feed, at - timedelta(minutes=7 * (number - first)))
        for number in range(first, last)
    ]


def visit(name: str, item: Announcement, at: datetime, number: int) -> Visit:
    due, interval = next_article(None, at, True, item.published)
    return Visit(
        name,
        item.url,
        "article",
        at,
        "held",
        due=due + timedelta(days=number % 300) if due else None,
        interval=interval,
        changed=True,
        status=200,
        etag=f'"{sha1(item.url.encode()).hexdigest()[:24]}"' if number % 2 else None,
        last_modified="Sun, 22 Nov 2026 10:00:00 GMT" if number % 2 else None,
        digest=f"sha1:{b32encode(sha1(item.url.encode()).digest()).decode()}",
    )


def fill(frontier: Frontier, sites: int, each: int) -> tuple[float, float]:
    """Announce and visit all; return the seconds that each of both took."""
    telling = visiting = 0.0
    a_round = max(each // ROUNDS, 1)
    for turn in range(ROUNDS):
        at = BEGIN + (NOW - BEGIN) / ROUNDS * turn
        for site in range(sites):
            name = f"paper{site}"
            items = articles(site, turn * a_round, (turn + 1) * a_round, at)
            sources = [Announcement(f"https://www.paper{site}.example/{path}", "feed") for path in ("feed.xml", "rss")]
            start = time.perf_counter()
            frontier.announce(name, sources + items, at)
            told = time.perf_counter()
            # One in ten stays waiting, in the last round only.
            visits = [visit(name, item, at + timedelta(minutes=9), number) for number, item in enumerate(items)]
            frontier.visited(visits[1:] if turn == ROUNDS - 1 else visits)
            if turn == ROUNDS - 1:
                due = next_run(name, at, at, 900) + (NOW - at) * (site % 3)
                frontier.put_site(SiteState(name, at, at, due))
            telling, visiting = telling + told - start, visiting + time.perf_counter() - told
    return telling, visiting


def show(name: str, call: Callable[[], object], times: int = 20) -> None:
    """Print the median and the longest of some calls, in milliseconds, and how many things the last one found."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        found = call()
        taken.append((time.perf_counter() - start) * 1_000)
    number = f"{len(found):,} found" if isinstance(found, list) else str(found)[:60]
    print(f"{name:34} {statistics.median(taken):9.2f} ms, at most {max(taken):9.2f} ms   {number}")


def measure(frontier: Frontier, sites: int, each: int) -> None:
    chosen = random.Random(1)

    def some() -> int:
        return chosen.randrange(sites)

    names = [f"paper{site}" for site in range(sites)]
    show("due_sites, all known", lambda: frontier.due_sites(None, NOW))
    show("due_sites, all names given", lambda: frontier.due_sites(names, NOW))
    show("due_sources", lambda: frontier.due_sources(f"paper{some()}", NOW))
    show("due_articles, limit 500", lambda: frontier.due_articles(f"paper{some()}", NOW, 500))
    show("next_due", lambda: frontier.next_due(f"paper{some()}"))
    known = {site: articles(site, 0, min(500, each), NOW) for site in {some() for _ in range(20)}}
    ready = iter([*known, *known])
    show(
        f"announce, {min(500, each)} known",
        lambda: frontier.announce(f"paper{(site := next(ready))}", known[site], NOW),
        len(known),
    )
    big = "big"
    items = [Announcement(url_of(0, number).replace("paper0", big), "article") for number in range(50_000)]
    show("announce, 50,000 new (a sitemap)", lambda: frontier.announce(big, items, NOW), 1)
    show("announce, 50,000 known", lambda: frontier.announce(big, items, NOW), 1)
    show("announce, 500 known of 50,000", lambda: frontier.announce(big, chosen.sample(items, 500), NOW))
    show("due_articles of 50,000 waiting", lambda: frontier.due_articles(big, NOW, 500))
    visits = [visit(big, item, NOW - timedelta(days=400), number) for number, item in enumerate(items)]
    show("visited, 50,000", lambda: frontier.visited(visits), 1)
    show("due_articles of 50,000 to ask again", lambda: frontier.due_articles(big, NOW, 500))
    show("visited, one", lambda: frontier.visited(visits[:1]), 100)
    show("known", lambda: frontier.known(big, chosen.choice(items).url), 100)
    show("coverage of 50,000", lambda: frontier.coverage(big, BEGIN).held, 3)
    show("articles_a_day, 30 days", lambda: frontier.articles_a_day(f"paper{some()}", 30, NOW))
    show("counts", frontier.counts, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to put the file; a temporary folder otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (given.folder or Path(folder)) / "frontier.sqlite"
        each = max(given.urls // given.sites, ROUNDS)
        with open_frontier(path) as frontier:
            telling, visiting = fill(frontier, given.sites, each)
            rows = frontier.counts()
            total = rows.sources + sum(rows.articles.values())
            print(f"{rows.sites:,} sites, {total:,} addresses")
            print(f"announce {total / telling:,.0f} a second, visited {total / visiting:,.0f} a second")
        # Closed, so that all of the log is in it.
        print(f"{path.stat().st_size / total:.0f} bytes an address, {path.stat().st_size / 1e6:,.0f} MB")
        start = time.perf_counter()
        with open_frontier(path) as frontier:
            frontier.due_sites(None, NOW)
            print(f"opened and first due_sites after {(time.perf_counter() - start) * 1_000:.0f} ms")
            measure(frontier, given.sites, each)
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024:,.0f} MiB")


if __name__ == "__main__":
    main()

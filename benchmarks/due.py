"""How soon `newskeep due` starts, and what it takes: many sites configured, many URLs known, and a few that are due.

    python benchmarks/due.py [--sites 10000] [--urls 1000000]

Makes a newskeep.toml, a frontier and an index of as many hosts in a temporary folder. Then runs the command as cron
does, as a process of its own: with nothing due, and with three sites due whose server refuses connections. Prints
seconds and the largest memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.frontier import open_frontier
from crawler.frontier.address_state import SiteState, Visit
from crawler.frontier.frontier import Frontier
from storage.index import ArticleEntry, WarcEntry, open_index

NOW = datetime.now(UTC).replace(microsecond=0)
#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9"
DUE = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--urls", type=int, default=1_000_000)
    options = parser.parse_args()
    names = [f"site-{number:05}" for number in range(options.sites)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configure(folder, names)
        (folder / "archive" / "schedule").mkdir(parents=True)
        # The daily look at all sites is measured by itself.
        looked = {"the health of all sites": NOW.isoformat()}
        (folder / "archive" / "schedule" / "told.json").write_text(json.dumps(looked))
        enter(folder / "archive" / "index.sqlite", names)
        with open_frontier(folder / "archive" / "frontier.sqlite") as frontier:
            fill(frontier, names, options.urls // options.sites)
            size = (folder / "archive" / "frontier.sqlite").stat().st_size
            print(f"{len(names):,} sites, {options.urls:,} URLs known, frontier {size / 1e6:.0f} MB")
            show("nothing due", folder, "due")
            for site in names[:DUE]:
                frontier.put_site(SiteState(site, NOW, NOW, NOW - timedelta(hours=1)))
            show(f"{DUE} due, their host dead", folder, "due", "--json")
            show("schedule next", folder, "schedule", "next")
            show("health --json", folder, "health", "--json")


def configure(folder: Path, names: list[str]) -> None:
    head = 'allow_private = true\noperator = "me@example.org"\nworkers = 1\n'
    tables = [f'[sites.{name}]\nfeeds = "{NOWHERE}/{name}/feed.xml"\nevery = "15m"\ndelay = 2\n' for name in names]
    (folder / "newskeep.toml").write_text(head + "\n".join(tables))


def enter(path: Path, names: list[str]) -> None:
    """An index with one article a site."""
    warc = WarcEntry("newskeep-20260101000000000-benchmark-00000.warc.gz", 1_000, "0" * 64, ("text/benchmark",))

    def articles() -> Iterator[ArticleEntry]:
        for at, name in enumerate(names):
            url, part = f"https://{name}.example/an-article", warc.parts[0]
            yield ArticleEntry(url, NOW, f"{name}.example", None, None, "en", 9, warc.filename, at, part, at, 1)

    with open_index(path) as index:
        index.add(warc, (), articles())


def fill(frontier: Frontier, names: list[str], each: int) -> None:
    started = time.monotonic()
    frontier.visited(visits(names, each))
    for name in names:
        frontier.put_site(SiteState(name, NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=6)))
    print(f"filled in {time.monotonic() - started:.0f} s")


def visits(names: list[str], each: int) -> Iterator[Visit]:
    for name in names:
        for number in range(each):
            url = f"https://{name}.example/2026/11/22/an-article-of-the-day-{number}"
            yield Visit(name, url, "article", NOW - timedelta(hours=number % 500), "held", NOW + timedelta(days=9), 9e5)


def show(what: str, folder: Path, *arguments: str) -> None:
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "newskeep", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read().decode().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - started
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    code = os.waitstatus_to_exitcode(status)
    print(
        f"{what:<24} {took:6.2f} s, {cpu:6.2f} s of CPU, {memory / 1024:5.0f} MiB, exit {code}, {len(said)} lines said"
    )


if __name__ == "__main__":
    main()

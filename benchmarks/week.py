"""A simulated week of news: `newskeep due` every half hour against a plain crawl at a fixed interval.

    python benchmarks/week.py [--sites 24] [--days 7] [--step 30] [--seed 1] [--plain-only] [--folder DIR]

Both go over the same world (tests/helpers/world.py), with nothing known at the start, and every figure is read from its
log. The plain crawl asks each site's front page, sections, feed and sitemaps in every round, fetches each link that
looks like an article once, and all articles of the last two days again, unconditionally, one request at a time a host.
It is given as many requests as `newskeep due` made: that fixes its interval. With --plain-every it has an interval of
its own instead.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import time
import urllib.robotparser
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urljoin, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests" / "helpers")]

from world import Line, Operator, Story, World  # noqa: E402
from world_log import articles, at_share, delays, edits_seen, gaps, got, wasted  # noqa: E402
from world_sites import common_kinds  # noqa: E402

from crawler.discovery import read_feed, read_page, read_sitemap  # noqa: E402

#: Seconds between two requests to a host, for both: the machine's seconds, of which a week has too many.
DELAY = 0.02
HTML = "text/html; charset=utf-8"
#: Sites of these kinds cannot be captured whole, whoever tries.
HOPELESS = {"dead", "mute", "unavailable", "banning", "challenge", "login"}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class PlainSite:
    """What a plain crawl knows of one site; `base` without a slash at its end."""

    base: str
    #: URL -> when it was first seen.
    known: dict[str, datetime] = field(default_factory=dict)
    robots: urllib.robotparser.RobotFileParser | None = None

    def round(self, now: datetime) -> None:
        """Ask all sources, fetch what is new, and again what is younger than two days."""
        if self.robots is None:
            rules = self._get("/robots.txt")
            self.robots = urllib.robotparser.RobotFileParser()
            self.robots.parse((rules or b"").decode("utf-8", "replace").splitlines())
        found = dict.fromkeys(url for url in self._links() if url.startswith(self.base + "/"))
        fresh = [url for url in found if url not in self.known]
        again = [url for url, seen in self.known.items() if now - seen < 2 * DAY]
        self.known |= dict.fromkeys(fresh, now)
        for url in (*fresh, *again):
            self._get(url)

    def _links(self) -> Iterator[str]:
        front = self._get("/")
        if front is None:
            return
        page = read_page(front, self.base + "/", HTML)
        yield from (link.url for link in page.articles)
        for feed in page.feeds:
            yield from (link.url for link in read_feed(self._get(feed) or b"", feed).links)
        for section in page.sections:
            yield from (link.url for link in read_page(self._get(section) or b"", section, HTML).articles)
        maps = list(self.robots.site_maps() or []) if self.robots else []
        while maps:
            sitemap = maps.pop(0)
            reading = read_sitemap(self._get(sitemap) or b"", sitemap)
            yield from (link.url for link in reading.links if link.score >= 0.5)
            # Of an index the newest three.
            maps += [each.url for each in reading.next[:3]]

    def _get(self, url: str) -> bytes | None:
        """Return the body of a page that answers 200 within five redirects."""
        for _ in range(5):
            url = urljoin(self.base, url)
            if self.robots and not self.robots.can_fetch("plain", url):
                return None
            time.sleep(DELAY)
            status, location, body = _asked(url)
            if not location:
                return body if status == 200 else None
            url = urljoin(url, location)
        return None


def _asked(url: str) -> tuple[int | None, str | None, bytes]:
    """Ask once, unconditionally; return status, the address of a redirect, and the body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        response = connection.getresponse()
        return response.status, response.headers["Location"], response.read()
    except (OSError, http.client.HTTPException):
        return None, None, b""
    finally:
        connection.close()


@dataclass(frozen=True)
class Week:
    """What one crawler did: the world's log of it, and what there was to get."""

    name: str
    lines: list[Line]
    stories: list[Story]
    kinds: dict[str, str]
    end: datetime
    #: Requests of a round of half an hour each, in order: gaps are counted within them.
    rounds: list[tuple[int, int]]

    def figures(self) -> list[tuple[str, str]]:
        """Name and value of each figure, as they are printed."""
        # What was published an hour before the end, and was there for an hour, could be got.
        due = [story for story in self.stories if story.published < self.end - HOUR and _stood(story, HOUR)]
        fair = [story for story in due if self.kinds[story.site] not in HOPELESS]
        held, late = got(self.lines), delays(fair, self.lines)
        waste, sent = wasted(self.lines), [line for line in articles(self.lines) if line.status == 200]
        unchanged = sum(line.status == 304 for line in self.lines)
        return [
            ("articles published", str(len(due))),
            ("captured", _share(sum(story.story in held for story in due), len(due))),
            ("captured, of sites that answer", _share(sum(story.story in held for story in fair), len(fair))),
            ("publication to capture", f"median {_time(median(late))}, p90 {_time(at_share(late, 0.9))}"),
            ("requests", str(len(self.lines))),
            ("requests a captured article", f"{len(self.lines) / max(1, len(held)):.1f}"),
            ("article pages sent whole", str(len(sent))),
            ("of them unchanged", _share(len(waste), len(sent))),
            ("answered 304", str(unchanged)),
            ("megabytes sent", f"{sum(line.bytes for line in self.lines) / 1e6:.0f}"),
            *self._edits(),
            *self._gaps(),
        ]

    def _edits(self) -> Iterator[tuple[str, str]]:
        found = list(edits_seen(self.stories, self.lines, self.end - HOUR))
        found = [each for each in found if self.kinds[each[0].site] not in HOPELESS]
        seen = [delay for _, _, delay in found if delay is not None]
        yield "edits caught", _share(len(seen), len(found))
        yield "edit to capture", f"median {_time(median(seen))}, p90 {_time(at_share(seen, 0.9))}" if seen else "-"

    def _gaps(self) -> Iterator[tuple[str, str]]:
        within: list[float] = []
        for first, last in self.rounds:
            lines = [line for line in self.lines if first < line.number <= last]
            within += [gap for each in gaps(lines).values() for gap in each]
        yield "between two requests to a host", f"min {min(within):.3f} s, median {median(within):.3f} s"
        hours = Counter((line.host, line.at.replace(minute=0, second=0, microsecond=0)) for line in self.lines)
        yield "requests to a host in an hour", f"median {median(hours.values()):g}, most {max(hours.values())}"

    def losses(self) -> Counter[str]:
        """Sites with the number of articles that were there for an hour and never got."""
        held = got(self.lines)
        return Counter(
            story.site
            for story in self.stories
            if story.published < self.end - HOUR and _stood(story, HOUR) and story.story not in held
        )


def _stood(story: Story, least: timedelta) -> bool:
    return story.removed is None or story.removed - story.published >= least


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / max(1, whole):.1%})"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def lived(name: str, world: World, days: float, step: timedelta, act: Callable[[datetime], None]) -> Week:
    """Let simulated days pass, `act` at every step, and return what the log tells."""
    rounds, began, steps = [], time.monotonic(), int(days * DAY / step)
    for number in range(steps + 1):
        now = world.start + number * step
        world.set(now)
        before = world.count
        act(now)
        rounds.append((before, world.count))
        if number % 16 == 0:
            passed = time.monotonic() - began
            print(f"  {name}: {now:%a %H:%M}, {world.count} requests, {passed:.0f} s", file=sys.stderr, flush=True)
    end = world.start + steps * step
    return Week(name, world.log(), world.truth(end, world.start), world.kinds, end, rounds)


def with_due(kinds: list[str], seed: int, days: float, step: timedelta, folder: Path) -> Week:
    folder.mkdir(parents=True)
    with World(kinds, folder, seed) as world:
        operator = Operator(world, folder)
        tables = (f'[sites.{name}]\nstart = "{base}/"\ndelay = {DELAY}\n' for name, base in world.bases.items())
        operator.configure("timeout = 5\n" + "".join(tables))

        def act(now: datetime) -> None:
            done = operator.run("due", timeout=900)
            if done.returncode not in (0, 4, 5):
                raise SystemExit(f"newskeep due ended with {done.returncode}:\n{done.stderr.decode()}")
            with (folder / "due.err").open("ab") as said:
                said.write(f"--- {now:%a %H:%M}\n".encode() + done.stderr)

        return lived("newskeep due", world, days, step, act)


def with_plain(kinds: list[str], seed: int, days: float, every: timedelta, folder: Path) -> Week:
    folder.mkdir(parents=True)
    with World(kinds, folder, seed) as world, ThreadPoolExecutor(len(kinds)) as pool:
        sites = [PlainSite(base) for base in world.bases.values()]

        def act(now: datetime) -> None:
            list(pool.map(lambda site: site.round(now), sites))

        return lived(f"plain, every {_time(every.total_seconds())}", world, days, every, act)


def same_budget(kinds: list[str], seed: int, days: float, requests: int, folder: Path) -> timedelta:
    """Return the interval at which a plain crawl makes about so many requests; the sixth round of a day tells."""
    tried = with_plain(kinds, seed, 1, 4 * HOUR, folder / "tried")
    first, last = tried.rounds[-1]
    return timedelta(minutes=round(days * 24 * 60 * (last - first) / requests))


def print_table(weeks: list[Week]) -> None:
    rows = [week.figures() for week in weeks]
    print(f"{'':34}" + "".join(f"{week.name:>34}" for week in weeks))
    for place, (name, _) in enumerate(rows[0]):
        print(f"{name:34}" + "".join(f"{row[place][1]:>34}" for row in rows))
    for week in weeks:
        print(f"\nnever got by {week.name}: {dict(week.losses().most_common())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=24)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--step", type=float, default=30, help="minutes between two runs of `due`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain-every", type=float, help="minutes; default: what `due` asked for, spent evenly")
    parser.add_argument("--plain-only", action="store_true")
    parser.add_argument("--folder", type=Path, help="where archive and logs are kept; default: a temporary one")
    given = parser.parse_args()
    kinds = common_kinds(given.sites)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        weeks = []
        if not given.plain_only:
            weeks.append(with_due(kinds, given.seed, given.days, timedelta(minutes=given.step), folder / "due"))
        every = timedelta(minutes=given.plain_every or given.step)
        if weeks and not given.plain_every:
            every = same_budget(kinds, given.seed, given.days, len(weeks[0].lines), folder)
        weeks.append(with_plain(kinds, given.seed, given.days, every, folder / "plain"))
        print_table(weeks)


if __name__ == "__main__":
    main()

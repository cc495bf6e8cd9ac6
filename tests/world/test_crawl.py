"""Crawls of a simulated news world: what is found, what is fetched again and when, edits and removals.

One world goes through a day; each test looks at what the server's log tells of a part of it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from world import Line, Operator, Story, World
from world_log import articles, by, edits_seen, gaps, missed, wasted

pytestmark = pytest.mark.long

#: Each finds its news by other means.
KINDS = ("daily", "json", "fronts", "newsmap", "index", "late", "twins", "short", "sessions", "editor", "remover")
#: Their feeds have other forms, or lie: tests/unit/test_discovery_sources.py has those one by one.
MORE = ("atom", "dates", "relative", "latin", "html", "rdf")
#: Seconds; the crawler may take half of it off.
DELAY = 0.02
#: What the log's clocks may be off.
BLUR = 0.005


@dataclass
class Day:
    world: World
    operator: Operator
    #: For each run: the world's log of it.
    runs: list[list[Line]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> None:
        before = self.world.count
        done = self.operator.run(*arguments)
        assert done.returncode == 0, done.stderr.decode()
        self.runs.append(self.world.log(since=before))
        self.told.append(done.stderr.decode())

    def stories(self, lines: list[Line]) -> list[Story]:
        """What could be found in a run: published before it began, there until it ended."""
        first, last = lines[0].at, lines[-1].at
        return [story for story in self.world.truth(first) if story.there(first) and story.there(last)]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(KINDS, id="some"),
        pytest.param((*KINDS, *MORE), id="all", marks=pytest.mark.exhaustive),
    ],
)
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Run 0 at 06:00, run 1 at once after it, runs 2, 3 and 4 at 07:30, 11:00 and 18:00."""
    folder: Path = tmp_path_factory.mktemp("day")
    # The seed has articles of the editor that change between two runs, and of the remover that go.
    with World(request.param, folder, seed=9, history=2) as world:
        operator = Operator(world, folder)
        # Two sites on one host: the second is the first one's culture pages.
        tables = [f'[sites.{name}]\nstart = "{base}/"\ndelay = {DELAY}\n' for name, base in world.bases.items()]
        operator.configure("".join(tables))
        made = Day(world, operator)
        made.run("crawl", *world.bases)
        made.run("due")
        for hours in (1.5, 5, 12):
            world.set(world.start + timedelta(hours=hours))
            made.run("due")
        yield made


def test_any_site_gives_its_news(day: Day) -> None:
    lines = day.runs[0]
    assert [story.url for story in missed(day.stories(lines), lines)] == []


def test_little_else_is_fetched(day: Day) -> None:
    for site, lines in by(day.runs[0], "site").items():
        kinds = Counter(line.kind for line in lines)
        assert kinds["list"] + kinds["static"] == 0, site
        # Places where a feed or sitemap may be, and pages that look like a section.
        assert kinds["missing"] + kinds["other"] <= 16, (site, [line.path for line in lines if line.kind == "missing"])
    assert not [line.path for lines in day.runs for line in lines if line.kind == "private" or "/search" in line.path]


def test_one_article_is_fetched_once_whatever_its_address(day: Day) -> None:
    # Where a short address leads to is known only when it was asked.
    plain = {site for site in by(day.runs[0], "site") if not site.startswith("short")}
    asked = Counter((line.site, line.path) for line in day.runs[0] if line.status == 200 and line.site in plain)
    assert [each for each, times in asked.items() if times > 1] == []
    # A session id or a campaign in the address makes no new article.
    plain -= {site for site in plain if site.startswith("twins")}
    stories = Counter(line.story for line in articles(day.runs[0]) if line.site in plain and line.status == 200)
    assert [story for story, times in stories.items() if times > 1] == []


def test_one_request_at_a_time_with_a_delay_that_varies(day: Day) -> None:
    for host, found in gaps(day.runs[0]).items():
        assert min(found) >= DELAY / 2 - BLUR, (host, sorted(found)[:5])
    (daily,) = gaps(by(day.runs[0], "site")[day.world.name("daily")]).values()
    assert max(daily) - min(daily) > DELAY / 10


def test_a_run_after_a_run_asks_for_nothing(day: Day) -> None:
    assert [line.path for line in day.runs[1]] == []


def test_later_runs_fetch_what_is_new(day: Day) -> None:
    for lines in day.runs[2:]:
        late = {site for site in day.world.bases if site.startswith("late")}
        fresh = [story for story in day.stories(lines) if story.published > day.world.start and story.site not in late]
        so_far = [line for run in day.runs[: day.runs.index(lines) + 1] for line in run]
        # The front pages of some change at certain hours only.
        lost = [story for story in missed(fresh, so_far) if story.published < lines[0].at - timedelta(hours=5)]
        assert [story.url for story in lost] == []


def test_what_was_fetched_is_asked_for_conditionally(day: Day) -> None:
    seen: set[tuple[str, str]] = set()
    # They give no validators with their pages, with their lists, or have no feed where they say that one is.
    dumb = {"article": ("fronts",), "feed": ("json", "html"), "front": ("fronts", "json"), "sitemap": ()}
    for lines in day.runs:
        for line in lines:
            known = (line.site, line.path) in seen
            if known and line.kind in dumb and not line.site.startswith(dumb[line.kind]):
                assert line.conditional, (line.kind, line.site, line.path)
        seen |= {(line.site, line.path) for line in lines if line.status == 200}
    again = [line for lines in day.runs[2:] for line in articles(lines) if line.conditional]
    assert {line.status for line in again} >= {200, 304}
    # Nothing that has an honest validator is sent whole a second time.
    honest = [line for line in wasted(line for lines in day.runs for line in lines) if line.conditional]
    assert [line.path for line in honest] == []


def test_articles_are_asked_for_ever_more_rarely(day: Day) -> None:
    known = {line.story for line in articles(day.runs[0])}
    asked = [len({line.story for line in articles(lines) if line.story in known}) for lines in day.runs[1:]]
    assert sum(asked) < 2 * len(known), asked


def test_edits_are_kept_with_their_difference(day: Day) -> None:
    lines = [line for run in day.runs for line in run]
    editor = day.world.name("editor")
    stories: dict[tuple[str, int | None], Story] = {
        story.story: story for story in day.world.truth(lines[-1].at) if story.site == editor
    }
    changed = {line.story for line in articles(lines) if line.site == editor and line.version and line.status == 200}
    first = {line.story: line.version for line in reversed(articles(lines)) if line.status == 200}
    chosen = next(stories[story] for story in sorted(changed) if first[story] == 0)
    told = _changes(day, chosen)
    assert len(told) >= 2 or any(told), told
    silent = [
        (story, at) for story, at, delay in edits_seen(stories.values(), lines, lines[-1].at) if delay is not None
    ]
    assert silent


def test_removals_are_kept(day: Day) -> None:
    lines = [line for run in day.runs for line in articles(run)]
    gone = {line.story for line in lines if line.status in (404, 410)}
    held = {line.story for line in lines if line.status == 200}
    chosen = next(story for story in day.world.truth(lines[-1].at) if story.story in gone & held)
    text = day.operator.run("changes", chosen.url).stdout.decode()
    assert str(chosen.gone) in text, text


def _changes(day: Day, story: Story) -> list[Any]:
    done = day.operator.run("changes", story.url, "--json")
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]

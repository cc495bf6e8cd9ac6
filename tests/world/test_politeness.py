"""Politeness over a simulated news world, as the servers' own log has it.

tests/crawl/test_politeness.py has each of these alone; of all at once, test_crawl.py has the delay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from world import Line, Operator, World
from world_log import articles, by, gaps, missed
from world_manners import LONG

pytestmark = [pytest.mark.long, pytest.mark.exhaustive]

KINDS = (
    *("daily", "atom", "busy", "busydate", "patient", "delay", "slow", "dead", "mute", "moved", "unavailable"),
    *("flapping", "noarchive"),
)
#: Seconds; the crawler may take half of it off.
DELAY = 0.06
#: What the log's clocks may be off.
BLUR = 0.005


class Visit:
    """One crawl of all sites, an hour in which nothing is asked of the patient one, and another crawl."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.operator = world, Operator(world, folder)
        tables = [f'[sites.{name}]\nstart = "{base}/"\n' for name, base in world.bases.items()]
        # Two more sites on hosts that are there already.
        tables += [f'[sites.{name}-culture]\nstart = "{base}/section/culture"\n' for name, base in _two(world)]
        self.operator.configure("timeout = 2\n" + "".join(f"{table}delay = {DELAY}\n" for table in tables))
        self.done = self.operator.run("crawl", *world.bases, *(f"{name}-culture" for name, _ in _two(world)))
        self.first = world.log()
        world.set(world.start + timedelta(minutes=10))
        self.operator.run("crawl", world.name("patient"))
        self.soon = world.log(since=len(self.first))
        world.set(world.start + timedelta(seconds=LONG + 600))
        self.operator.run("crawl", world.name("patient"))
        self.later = world.log(since=len(self.first) + len(self.soon))

    def of(self, kind: str) -> list[Line]:
        return by(self.first, "site")[self.world.name(kind)]


def _two(world: World) -> list[tuple[str, str]]:
    return list(world.bases.items())[:2]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder: Path = tmp_path_factory.mktemp("visit")
    with World(KINDS, folder, history=2) as world:
        yield Visit(world, folder)


def test_one_request_at_a_time_with_a_delay(visit: Visit) -> None:
    for host, found in gaps(visit.first).items():
        # Whichever of the sites on the host asks.
        assert min(found) >= DELAY / 2 - BLUR, (host, sorted(found)[:5])


def test_the_delay_varies(visit: Visit) -> None:
    found = sorted(gaps(visit.of("daily")).popitem()[1])
    assert found[-1] - found[0] > DELAY / 10


def test_crawl_delay_is_kept(visit: Visit) -> None:
    lines = visit.of("delay")
    # The rules hold from the answer that brought them.
    rules = next(place for place, line in enumerate(lines) if line.kind == "robots")
    assert min(gaps(lines[rules:]).popitem()[1]) >= 0.4 - BLUR


def test_what_robots_forbid_is_never_asked(visit: Visit) -> None:
    for line in visit.first:
        assert not line.path.startswith(("/private/", "/search", "/login")), line
    # Rules that cannot be had forbid everything (RFC 9309, 2.3.1.4); those that have moved hold (2.3.1.2).
    assert {line.path for line in visit.of("unavailable")} == {"/robots.txt"}
    assert {line.path for line in visit.of("moved")} >= {"/robots.txt", "/robots/real.txt", "/"}


@pytest.mark.parametrize("kind", ["busy", "busydate", "patient"])
def test_retry_after_is_kept(visit: Visit, kind: str) -> None:
    lines = visit.of(kind)
    assert [line for line in lines if line.note == "busy"]
    assert [line.path for line in lines if line.note == "early"] == []


def test_a_host_that_was_busy_is_not_given_up(visit: Visit) -> None:
    for kind in ("busy", "busydate"):
        site = visit.world.name(kind)
        stories = [story for story in visit.world.truth(visit.world.start) if story.site == site]
        got = {line.story for line in articles(visit.of(kind)) if line.status == 200}
        assert {story.story for story in stories if story.there(visit.first[-1].at)} <= got


def test_a_long_wait_outlives_the_run(visit: Visit) -> None:
    assert [line.path for line in visit.soon] == []
    assert [line for line in visit.later if line.status == 200]


def test_slow_and_dead_hosts_delay_nobody(visit: Visit) -> None:
    for kind in ("slow", "mute"):
        waits = [(line.start, line.end) for line in visit.of(kind) if line.end]
        meanwhile = {line.host for line in visit.first if any(start < line.start < end for start, end in waits)}
        assert len(meanwhile) >= 5, kind
    # All is done of those that answer, though some never did.
    for kind in ("daily", "atom", "moved"):
        stories = [each for each in visit.world.truth(visit.world.start) if each.site == visit.world.name(kind)]
        assert missed([each for each in stories if each.there(visit.first[-1].at)], visit.first) == []


def test_dead_hosts_are_named(visit: Visit) -> None:
    said = visit.done.stderr.decode()
    for kind in ("dead", "mute", "unavailable"):
        assert visit.world.name(kind) in said, said


def test_noarchive_is_kept_and_marked(visit: Visit) -> None:
    site = visit.world.name("noarchive")
    stories = [story for story in visit.world.truth(visit.world.start) if story.site == site]
    saying = {story.noarchive: story for story in stories if story.noarchive}
    assert saying.keys() == {"meta", "header"}
    for story in saying.values():
        line = json.loads(visit.operator.run("get", story.url, "--as", "json").stdout)
        assert line["noarchive"] is True, story.url

"""Crawls killed with SIGKILL again and again, at moments told by the server: nothing twice, nothing lost."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from world import Line, Operator, World
from world_log import articles

from storage import open_archive

pytestmark = pytest.mark.long

KINDS = ("daily", "atom", "twins", "index")
#: How many answers after the one before each run is killed: at the sources, within the articles, near the end.
MOMENTS = (2, 21, 32)


def test_nothing_is_lost_and_nothing_fetched_twice(tmp_path: Path) -> None:
    random = Random(5)
    with World(KINDS, tmp_path, history=3) as world:
        operator = Operator(world, tmp_path)
        operator.configure(
            "".join(f'[sites.{name}]\nstart = "{base}/"\ndelay = 0.02\n' for name, base in world.bases.items())
        )
        flights: set[tuple[str, str]] = set()
        for number in MOMENTS:
            process = operator.start("crawl", *world.bases)
            try:
                world.wait(world.count + number)
                # Somewhere between a request and what follows from it.
                time.sleep(random.uniform(0, 0.1))
            finally:
                process.kill()
                process.communicate()
            flights |= _in_flight(world)
        done = operator.run("crawl", *world.bases)
        assert done.returncode == 0, done.stderr.decode()
        _check(world, operator, flights)


def _in_flight(world: World) -> set[tuple[str, str]]:
    """The last request to each host: nobody can tell whether its answer came through."""
    last: dict[str, Line] = {}
    for line in world.log():
        last[line.host] = line
    return {(line.site, line.path) for line in last.values()}


def _check(world: World, operator: Operator, flights: set[tuple[str, str]]) -> None:
    lines = [line for line in articles(world.log()) if line.status == 200]
    times = Counter((line.site, line.path) for line in lines)
    assert {each for each, number in times.items() if number > 1} <= flights
    now = world.now
    with open_archive(str(operator.folder / "archive")) as archive:
        for story in world.truth(world.start):
            if story.there(now):
                assert archive.captures(story.url), story.url
        # Each answer that was read to its end is held as often as it was sent, but for those in flight.
        for (site, path), number in times.items():
            held = len(list(archive.captures(world.bases[site] + path)))
            assert held == number or ((site, path) in flights and 0 < held <= number), (site, path)
    assert operator.run("verify").returncode == 0

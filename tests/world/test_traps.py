"""Sites that a crawler can fall into or choke on: each costs a bounded number of requests and is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from world import Operator, World
from world_log import by, got

pytestmark = pytest.mark.long

KINDS = ("trapper", "bombs", "maze", "huge", "gone", "login", "challenge")
#: The others are tried alone: mazes in tests/crawl/test_crawl.py, walls in test_walled.py, a sitemap of 50,000 lines in
#: tests/unit/test_discovery_sources.py.
FEW = ("trapper", "bombs", "gone", "challenge")
CAP = 25

in_all = pytest.mark.parametrize(
    "trapped", [pytest.param(KINDS, id="all", marks=pytest.mark.exhaustive)], indirect=True, scope="module"
)
in_few = pytest.mark.parametrize(
    "trapped",
    [pytest.param(FEW, id="few"), pytest.param(KINDS, id="all", marks=pytest.mark.exhaustive)],
    indirect=True,
    scope="module",
)


class Trapped:
    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.operator = world, Operator(world, folder)
        tables = (f'[sites.{name}]\nstart = "{base}/"\ndelay = 0.01\n' for name, base in world.bases.items())
        self.operator.configure("timeout = 20\n" + "".join(f"{table}cap = {CAP}\n" for table in tables))
        self.done = self.operator.run("crawl", *world.bases)
        self.said = self.done.stderr.decode()
        self.lines = by(world.log(), "site")

    def said_of(self, kind: str) -> str:
        """The lines that the crawl printed about a site: its own and the indented ones below."""
        name, found, ours = self.world.name(kind), [], False
        for line in self.said.splitlines():
            ours = line.startswith(f"{name}:") or (ours and line.startswith(" "))
            if ours:
                found.append(line)
        return "\n".join(found)


@pytest.fixture(scope="module")
def trapped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    folder: Path = tmp_path_factory.mktemp("trapped")
    with World(request.param, folder, history=3) as world:
        yield Trapped(world, folder)


@in_few
def test_pages_without_end_are_bounded(trapped: Trapped) -> None:
    asked = Counter(line.form for line in trapped.lines[trapped.world.name("trapper")] if line.kind == "trap")
    assert asked["calendar"] <= 3
    assert asked["pages"] <= 3
    assert asked["loop"] <= 21
    assert asked["hops"] <= 21
    assert asked["soft"] <= CAP


def _news_is_found(trapped: Trapped, kind: str) -> None:
    lines = trapped.lines[trapped.world.name(kind)]
    stories = [each for each in trapped.world.truth(trapped.world.start) if each.site == trapped.world.name(kind)]
    there = {each.story for each in stories if each.there(lines[-1].at)}
    assert len(there & got(lines).keys()) >= min(len(there), CAP) * 0.6, trapped.said


@in_few
@pytest.mark.parametrize("kind", ["trapper", "bombs", "gone"])
def test_the_news_is_found_nevertheless(trapped: Trapped, kind: str) -> None:
    _news_is_found(trapped, kind)


@in_all
@pytest.mark.parametrize("kind", ["maze", "huge"])
def test_the_news_is_found_in_large_sitemaps(trapped: Trapped, kind: str) -> None:
    _news_is_found(trapped, kind)


@in_few
def test_redirects_without_end_are_named(trapped: Trapped) -> None:
    said = trapped.operator.run("health", trapped.world.name("trapper"), "--json").stdout.decode()
    assert "redirect" in said + trapped.said


@in_few
def test_bombs_are_named_and_cost_little(trapped: Trapped) -> None:
    said = trapped.said_of("bombs")
    assert "/feeds/latest" in said
    assert "/sitemap.xml.gz" in said


@in_all
def test_a_maze_of_sitemaps_ends(trapped: Trapped) -> None:
    maps = [line for line in trapped.lines[trapped.world.name("maze")] if line.kind == "sitemap"]
    assert len(maps) <= 200
    assert len({line.path for line in maps}) == len(maps)
    assert "sitemap" in trapped.said_of("maze")


@in_all
def test_a_huge_sitemap_is_read_once_and_within_the_cap(trapped: Trapped) -> None:
    lines = trapped.lines[trapped.world.name("huge")]
    assert len([line for line in lines if line.kind == "sitemap" and line.status == 200]) == 1
    assert len([line for line in lines if line.kind in ("old", "article")]) <= CAP + 1


@in_few
def test_a_feed_that_is_gone_is_named(trapped: Trapped) -> None:
    assert "410" in trapped.said_of("gone")


@in_few
def test_a_challenge_is_recognised_and_left_alone(trapped: Trapped) -> None:
    _is_left_alone(trapped, "challenge")


@in_all
def test_a_login_is_recognised_and_left_alone(trapped: Trapped) -> None:
    _is_left_alone(trapped, "login")


def _is_left_alone(trapped: Trapped, kind: str) -> None:
    lines = trapped.lines[trapped.world.name(kind)]
    assert len([line for line in lines if line.note]) <= 20
    assert any(word in trapped.said_of(kind) for word in ("block", "wall", "login", "challenge")), trapped.said
    before = trapped.world.count
    trapped.world.go(minutes=16)
    trapped.operator.run("crawl", trapped.world.name(kind))
    assert [line.path for line in trapped.world.log(since=before) if line.note] == []

"""Simulated days with `newskeep due`: a ban, a redesign and a silence are told apart; who bans us is left alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from world import Line, Operator, World
from world_log import articles, by

pytestmark = [pytest.mark.long, pytest.mark.exhaustive]
KINDS = ("daily", "silent", "redesign", "banning")
#: Days after the world's beginning on which `due` runs; a ban from day 2 to 5, silence and redesign from day 3 on.
RUNS = (0, 1, 1.5, 2.1, 2.5, 3.5, 4.5, 5.6)
#: Day of a last one: each time that it is refused, the crawler stays away for longer.
LAST = 8
BANNED = range(3, 7)


class Days:
    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.operator = world, Operator(world, folder)
        tables = (f'[sites.{name}]\nstart = "{base}/"\ndelay = 0.01\n' for name, base in world.bases.items())
        self.operator.configure("".join(tables))
        self.codes: list[int] = []
        self.said: list[str] = []
        for passed in RUNS:
            world.set(world.start + timedelta(days=passed))
            done = self.operator.run("due")
            self.codes.append(done.returncode)
            self.said.append(done.stderr.decode())
        self.health = self._health()
        world.set(world.start + timedelta(days=LAST))
        self.operator.run("due")
        self.lines = by(world.log(), "site")

    def of(self, kind: str) -> list[Line]:
        return self.lines[self.world.name(kind)]

    def _health(self) -> dict[str, dict[str, Any]]:
        """Site -> what health tells of it, a day after the ban ended unnoticed."""
        told = self.operator.run("health", "--json").stdout.decode()
        return {line["site"]: line for line in map(json.loads, told.splitlines())}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    folder: Path = tmp_path_factory.mktemp("days")
    with World(KINDS, folder, history=5) as world:
        yield Days(world, folder)


def test_quiet_while_all_is_well(days: Days) -> None:
    assert days.codes[:3] == [0, 0, 0], days.said[:3]
    assert days.said[:3] == ["", "", ""]


def test_a_ban_is_said_and_the_site_left_alone(days: Days) -> None:
    refused = Counter(line.at.date() for line in days.of("banning") if line.status == 403)
    # Four runs fall into the ban; one that did not notice would ask for some forty pages in each.
    assert 0 < refused.total() <= 8 * len(BANNED), refused
    assert days.codes[BANNED[0]] in (4, 5)
    assert days.world.name("banning") in days.said[BANNED[0]]


def test_a_ban_that_ends_is_noticed(days: Days) -> None:
    until = days.world.start + timedelta(days=5)
    assert [line for line in articles(days.of("banning")) if line.at > until and line.status == 200]


def test_silence_redesign_and_health_are_told_apart(days: Days) -> None:
    verdicts = {kind: str(days.health[days.world.name(kind)]["verdict"]) for kind in KINDS}
    assert verdicts["daily"] == "ok"
    # Less than two weeks are watched: too few to call it more than quiet.
    assert verdicts["silent"] in ("quiet", "silent")
    assert "redesign" in verdicts["redesign"]
    assert verdicts["banning"] not in ("ok", "silent", "redesign")
    banned = days.said[BANNED[0]]
    assert "block" in banned or "left alone" in banned, banned

"""Site memory in small sites whose every line is known: it takes what the site repeats by design, and no paragraph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_site import World
from pattern_worlds import pattern
from site_worlds import adverts, background, designs, events, few, formulaic, notices, worlds

from crawler.extraction.template.site_memory import SiteMemory
from storage.model import Article

#: Where so little is known that a template cannot be told from a text that all articles share.
TOO_FEW = {"few-2", "short-3-foot-3", "release-4-of-4"}


def cleaned(articles: Sequence[Article]) -> list[Article]:
    memory = SiteMemory().learn(articles)
    return [memory.clean(each) for each in articles]


def world_of(world: World) -> Any:
    # Of each kind there is a smaller one.
    large = world.count >= 36
    return pytest.param(world, id=world.name, marks=[pytest.mark.exhaustive] if large else [])


@pytest.mark.parametrize("world", [world_of(world) for world in worlds()])
def test_no_line_leaks_and_no_paragraph_is_lost(world: World) -> None:
    done = cleaned(world.articles)
    assert world.lost(done) == []
    assert world.leaked(done) == [] or world.name in TOO_FEW
    if world.name not in TOO_FEW:
        assert any(not line.own for page in world.pages for line in page.lines) == bool(world.leaked(world.articles))


ORDERED = [
    background(12, 3, where="end"),
    notices("en", at="end", bios=True),
    adverts(36, label=True),
    designs(16, redesign=True),
]
#: What repeats in them is learned as in those above.
ORDERED_TOO = [formulaic("weather", 10, 10), pattern("accident", 14, "foot"), events(17, 6), few(5)]


@pytest.mark.parametrize(
    "world",
    [
        *(pytest.param(world, id=world.name) for world in ORDERED),
        *(pytest.param(world, id=world.name, marks=pytest.mark.exhaustive) for world in ORDERED_TOO),
    ],
)
@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_order_in_which_articles_come_makes_no_difference(world: World, data: st.DataObject) -> None:
    articles = data.draw(st.permutations(world.articles))
    sealed = data.draw(st.integers(1, len(articles)))
    memory = SiteMemory()
    for start in range(0, len(articles), sealed):
        memory = SiteMemory.from_json(memory.learn(articles[start : start + sealed]).to_json())
    apart = [SiteMemory().learn(articles[part::2]) for part in range(2)]
    assert memory.stories == apart[0].merge(apart[1]).stories
    expected = cleaned(world.articles)
    for each in (memory, apart[1].merge(apart[0])):
        assert [each.clean(article) for article in world.articles] == expected


def test_an_archive_of_years_is_the_same_in_any_order() -> None:
    first, then = adverts(36), events(40, 12)
    old = [replace(each, timestamp=_earlier(each, 900 - 4 * n)) for n, each in enumerate(first.articles)]
    memory = SiteMemory().learn(old).learn(then.articles)
    again = SiteMemory().learn(then.articles).learn(reversed(old))
    assert memory.stories == again.stories
    # A new design takes nothing back from the pages of the old one.
    assert first.leaked([again.clean(each) for each in old]) == []
    assert first.lost([again.clean(each) for each in old]) == []
    assert then.leaked([memory.clean(each) for each in then.articles]) == []


def test_a_memory_that_knows_no_forms_is_read_and_learns_them() -> None:
    world = pattern("fire", 14, "foot")
    known = json.loads(SiteMemory().learn(world.articles).to_json())
    for story in known["stories"].values():
        story["lines"] = [" ".join(line.split(" ")[:6]) for line in story["lines"]]
    older = SiteMemory.from_json(json.dumps(known).encode())
    assert world.leaked([older.clean(each) for each in world.articles]) == []
    newer = older.learn(world.articles)
    assert newer.stories == SiteMemory().learn(world.articles).stories
    assert world.lost([newer.clean(each) for each in world.articles]) == []


def _earlier(article: Article, days: int) -> datetime:
    assert article.timestamp is not None
    return article.timestamp - timedelta(days=days)


def test_as_a_site_grows_a_line_changes_its_verdict_with_the_numbers_on_record() -> None:
    world = background(42, 7, where="end")
    told = [each for n, each in enumerate(world.articles) if n % 7 == 0]
    others = [each for n, each in enumerate(world.articles) if n % 7]
    memory = SiteMemory().learn(told[:3])
    line = next(text for _, text in memory.lines() if text not in {foot.text for foot in world.pages[1].lines})
    memory = memory.learn(others)
    ((changed, verdicts),) = memory.changes()
    assert changed == line
    assert [(each.template, each.seen, each.stories) for each in verdicts] == [(True, 3, 3), (False, 3, 39)]
    assert world.lost([memory.clean(each) for each in world.articles]) == []


def test_what_would_be_most_of_an_article_stays_and_says_so() -> None:
    page = few(2).articles[0]
    copies = [replace(page, url=f"{page.url}/{name}", title=f"Agency text, {name}") for name in ("one", "two", "three")]
    memory = SiteMemory().learn(copies)
    done = memory.clean(copies[0])
    assert done.text == copies[0].text
    assert {block.reason.detail for block in done.blocks if block.kept} == {"repeated, but most of the article"}
    assert memory.distrusted() == (3, 3)
    assert memory.clean(done) == done

"""When to ask again: within bounds, in the right direction, and the same for the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier.address_state import AddressState, Role
from crawler.frontier.revisit_policy import (
    DAY,
    DEFAULT,
    HOUR,
    jitter,
    next_article,
    next_failure,
    next_gone,
    next_run,
    next_source,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVERY = 900.0
SECONDS = st.floats(0, 3 * 365 * DAY)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def article(interval: float | None = HOUR, published: datetime = NOON, **fields: object) -> AddressState:
    made = AddressState("s", "https://example.com/a", "article", "held", NOON, published=published, interval=interval)
    return replace(made, **{"captured": NOON, "fetched": NOON, **fields})  # type: ignore[arg-type]


def source(interval: float | None, role: Role = "feed", failures: int = 0) -> AddressState:
    return AddressState("s", "u", role, "held", NOON, fetched=NOON, interval=interval, failures=failures)


def test_the_life_of_an_article() -> None:
    """Soon, then ever more rarely, then never."""
    known, at, visits = article(None, captured=None), NOON, []
    while True:
        due, interval = next_article(known, at, False)
        if due is None:
            break
        assert interval is not None
        visits.append(interval)
        known, at = article(interval), due
    assert visits[:5] == [HOUR, 3 * HOUR, 9 * HOUR, 27 * HOUR, 81 * HOUR]
    assert len(visits) < 10
    assert max(visits) <= DEFAULT.most
    assert (at - NOON).total_seconds() <= DEFAULT.settled


def test_a_change_brings_an_article_back() -> None:
    assert next_article(article(8 * HOUR), NOON, True)[1] == 4 * HOUR
    changing = article(HOUR)
    for _ in range(5):
        changing = article(next_article(changing, NOON, True)[1])
    assert changing.interval == DEFAULT.least
    # An edit that was seen long after publication keeps an article alive; publication alone does not.
    old = later(-80 * DAY)
    assert next_article(article(20 * DAY, old), NOON, False) == (None, None)
    edited = article(20 * DAY, old, captured=old, changed=later(-DAY))
    assert next_article(edited, NOON, False)[1] == 30 * DAY


@given(SECONDS, SECONDS)
def test_the_older_the_later(one: float, other: float) -> None:
    """An article of a back-fill gets no quick visits."""
    turns = [next_article(None, NOON, True, later(-age)) for age in sorted((one, other))]
    (first, low), (second, high) = turns
    assert first is not None and second is not None and low is not None and high is not None
    assert HOUR <= low <= high <= DEFAULT.most
    assert NOON < first <= second
    assert turns == [next_article(None, NOON, True, later(-age)) for age in sorted((one, other))]


def test_a_publication_in_the_future_is_now() -> None:
    assert next_article(None, NOON, True, later(DAY)) == (later(HOUR), HOUR)


@given(st.floats(1, 100 * DAY), st.floats(0, 60 * DAY))
def test_changed_is_sooner_than_unchanged(interval: float, age: float) -> None:
    known, at = article(interval), later(age)
    changed, unchanged = next_article(known, at, True), next_article(known, at, False)
    assert changed[0] is not None and changed[1] is not None
    assert DEFAULT.least <= changed[1] <= DEFAULT.most
    if unchanged[0] is not None:
        assert changed[0] <= unchanged[0] <= at + timedelta(seconds=DEFAULT.most)


def test_gone_is_asked_once_more() -> None:
    assert next_gone(article(), NOON)[0] == later(DAY)
    assert next_gone(article(state="gone"), NOON) == (None, None)


@given(
    st.none() | st.floats(1, 30 * DAY),
    st.integers(0, 60),
    st.integers(0, 60),
    st.floats(60, 2 * DAY),
    st.sampled_from(["feed", "page", "sitemap"]),
)
def test_a_source_within_its_bounds(interval: float | None, one: int, other: int, every: float, role: Role) -> None:
    few, many = sorted((one, other))
    known = source(interval, role)
    (rare, long), (often, short) = (next_source(known, NOON, links, every) for links in (few, many))
    assert rare is not None and often is not None and long is not None and short is not None
    assert every <= short <= long <= max(every, DEFAULT.source_most[role])
    # A little before the run that is to ask for it, and never at once.
    assert NOON < often <= rare <= later(long)


def test_a_busy_source_is_asked_each_run_and_a_dead_one_seldom() -> None:
    known = source(DAY)
    for _ in range(2):
        known = source(next_source(known, NOON, 20, EVERY)[1])
    due, interval = next_source(known, NOON, 20, EVERY)
    assert interval == EVERY and due is not None and due < later(EVERY)
    for role, most in (("feed", DAY), ("sitemap", 7 * DAY)):
        known = source(EVERY, role)  # type: ignore[arg-type]
        for _ in range(40):
            known = replace(known, interval=next_source(known, NOON, 0, EVERY)[1])
        assert known.interval == most
    assert next_source(known, NOON, 0, EVERY, most=2 * HOUR)[1] == 2 * HOUR


@given(st.integers(0, 10_000), st.floats(0, 3 * DAY))
def test_failures_back_off(failures: int, wait: float) -> None:
    known = source(HOUR, failures=failures)
    (due, interval), (longer, _) = (
        next_failure(each, NOON, EVERY, wait=wait) for each in (known, replace(known, failures=failures + 1))
    )
    assert due is not None and longer is not None
    assert later(max(EVERY, wait)) <= due <= longer <= later(max(DAY, wait))
    # The old rhythm goes on.
    assert interval == HOUR
    assert (next_failure(article(failures=failures), NOON)[0] is None) == (failures + 1 >= DEFAULT.retries)


@given(st.text(min_size=1), st.floats(0, 400 * DAY), st.floats(60, DAY), st.floats(0, 90 * DAY))
def test_slots(name: str, started: float, every: float, took: float) -> None:
    begun, over = later(started), later(started + took)
    due = next_run(name, begun, over, every)
    # One slot: those missed during a long run or a night without power are not piled up.
    assert (
        over - timedelta(seconds=1)
        <= due
        <= max(over, begun + timedelta(seconds=every / 2)) + timedelta(seconds=every + 1)
    )
    assert due == next_run(name, begun, over, every)
    waiting = later(started + took + 5 * HOUR)
    assert next_run(name, begun, over, every, waiting) >= max(due, waiting) - timedelta(seconds=1)


def test_sites_are_spread() -> None:
    places = sorted(jitter(f"paper{number}", EVERY) for number in range(1_000))
    assert places[0] >= 0 and places[-1] < EVERY
    assert max(after - before for before, after in pairwise(places)) < 20

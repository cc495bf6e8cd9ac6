"""Times that a wrong clock wrote, in the frontier: told from those that a right one sets, and put right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.frontier import open_frontier
from crawler.frontier.address_state import Announcement, SiteRun, SiteState, Visit
from crawler.frontier.clock import believed, run_most
from crawler.frontier.frontier import Frontier
from crawler.frontier.revisit_policy import next_run
from newskeep.health.history import History
from newskeep.health.verdicts import judge

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY, YEARS = timedelta(hours=1), timedelta(days=1), timedelta(days=3_000)
EVERY = 900.0


@pytest.fixture
def frontier(tmp_path: Path) -> Iterator[Frontier]:
    with open_frontier(tmp_path / "frontier.sqlite") as opened:
        yield opened


@pytest.mark.parametrize(
    ("state", "every", "wrong"),
    [
        (SiteState("s"), EVERY, False),
        (SiteState("s", NOW - HOUR, NOW, NOW + HOUR / 4), EVERY, False),
        # Slots at which nothing is due are passed over, up to a day.
        (SiteState("s", NOW, NOW, NOW + DAY + HOUR / 4), EVERY, False),
        (SiteState("s", NOW, NOW, NOW + 3 * DAY), EVERY, True),
        (SiteState("s", NOW, NOW, NOW + 3 * DAY), 3 * 86_400.0, False),
        (SiteState("s", NOW, NOW, NOW + YEARS), EVERY, True),
        # A clock that was put back by some minutes.
        (SiteState("s", NOW + HOUR / 10, NOW + HOUR / 10, NOW + HOUR / 4), EVERY, False),
        (SiteState("s", NOW + HOUR, None, NOW - DAY), EVERY, True),
        (SiteState("s", NOW - HOUR, NOW + HOUR, NOW + HOUR / 4), EVERY, True),
        (SiteState("s", NOW, NOW, NOW, NOW + 7 * DAY, "blocked", 6), EVERY, False),
        (SiteState("s", NOW, NOW, NOW, NOW + 8 * DAY, "blocked", 6), EVERY, True),
    ],
)
def test_what_is_believed(frontier: Frontier, state: SiteState, every: float, wrong: bool) -> None:
    assert (believed(state, NOW, every) != state or (state.due or NOW) > NOW + YEARS / 2) == wrong
    frontier.put_site(state)
    is_due = bool(frontier.due_sites(["s"], NOW, {"s": every}))
    waits = any(time is not None and time > NOW for time in (state.due, state.blocked_until))
    assert is_due == (wrong or not waits)
    verdict = judge(History("s", NOW, every, state, [SiteRun("s", "a", NOW - DAY, NOW - DAY, "finished")]))
    assert ("clock" in verdict.why) == wrong
    assert frontier.mend_times("s", NOW, every) == wrong
    assert not frontier.mend_times("s", NOW, every)
    mended = frontier.site("s")
    assert all(time is None or time <= NOW for time in (mended.started, mended.finished)) or not wrong
    assert believed(mended, NOW, every) == mended


@pytest.mark.parametrize("every", [60.0, EVERY, 86_400.0, 40 * 86_400.0])
def test_no_slot_is_further_than_is_believed(every: float) -> None:
    for name in map(str, range(50)):
        for waiting in (None, NOW - DAY, NOW + YEARS):
            due = next_run(name, NOW - timedelta(seconds=every), NOW, every, waiting)
            assert due <= NOW + run_most(every), (name, waiting)


@pytest.mark.parametrize("ahead", [YEARS, 5 * DAY])
def test_addresses_and_runs_are_put_right(frontier: Frontier, ahead: timedelta) -> None:
    then = NOW + ahead
    urls = [f"https://a.example/{number}" for number in range(4)]
    frontier.announce("s", [Announcement(urls[0], "feed"), Announcement(urls[1], "article")], NOW - DAY)
    frontier.announce("s", [Announcement(url, "article") for url in urls[2:]], then)
    for url, role in ((urls[0], "feed"), (urls[1], "article"), (urls[2], "article")):
        frontier.visited([Visit("s", url, role, then, "held", then + HOUR, 3600.0, changed=True)])  # type: ignore[arg-type]
    frontier.announce("other", [Announcement(urls[0], "article")], then)
    frontier.put_site(SiteState("s", then, then, then + HOUR))
    frontier.start_run(SiteRun("s", "wrong", then, then + HOUR, "finished"))
    frontier.start_run(SiteRun("s", "right", NOW - DAY, NOW - DAY, "finished"))

    assert frontier.mend_times("s", NOW, EVERY)
    assert {known.url for known in frontier.due_sources("s", NOW)} == {urls[0]}
    assert {known.url for known in frontier.due_articles("s", NOW, 9)} == set(urls[1:])
    for url in urls:
        known = frontier.known("s", url)
        assert known is not None
        assert all(
            time is None or time <= NOW for time in (known.announced, known.fetched, known.changed, known.captured)
        )
    assert [run.crawl for run in frontier.runs("s")] == ["wrong", "right"]
    assert all(run.started <= NOW and run.finished and run.finished <= NOW for run in frontier.runs("s"))
    assert not frontier.mend_times("s", NOW, EVERY)
    # Of others nothing is touched: their own run does it.
    assert frontier.due_articles("other", NOW, 9) == []


def test_an_article_left_alone_for_a_month_is_not_a_mistake(frontier: Frontier) -> None:
    url = "https://a.example/1"
    frontier.visited([Visit("s", url, "article", NOW, "held", NOW + 30 * DAY, 30 * 86_400.0)])
    assert not frontier.mend_times("s", NOW, EVERY)
    assert frontier.due_articles("s", NOW, 9) == []

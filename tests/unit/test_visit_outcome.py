"""What the frontier learns of requests that were not answered: nothing that is not safe, nothing that was not tried."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError

from crawler.engine.pipelines import FrontierPipeline
from crawler.frontier import open_frontier
from crawler.frontier.address_state import AddressState, Announcement, Visit
from crawler.politeness.errors import AlreadyHeld, HostUnreachable
from crawler.session.outcomes import failed_outcome
from crawler.sites.items import MissedPage
from crawler.sites.run_ledger import RunLedger
from crawler.sites.site import site_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SITE = site_at("https://town.example/")
SHORT, STORY = "https://town.example/s/1", "https://town.example/2026/11/22/the-bridge-opens"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[RunLedger]:
    with open_frontier(tmp_path / "frontier.sqlite") as frontier:
        frontier.announce(SITE.name, [Announcement(SHORT, "article"), Announcement(STORY, "article")], NOW)
        yield RunLedger(frontier, SITE, "0123456789ab")


def known(ledger: RunLedger, url: str) -> AddressState:
    found = ledger.frontier.known(SITE.name, url)
    assert found is not None
    return found


@pytest.mark.parametrize("told", [False, True])
def test_only_what_is_durable_is_noted(ledger: RunLedger, told: bool) -> None:
    outcome = failed_outcome(SHORT, Request(SHORT), OSError("no answer"))

    async def note() -> None:
        ledger.sent(SHORT)
        await FrontierPipeline(ledger).process_item(MissedPage(known(ledger, SHORT), outcome, told=told))
        await ledger.under_way.room(1)
        await ledger.flush()

    asyncio.run(note())
    assert known(ledger, SHORT).state == ("failed" if told else "waiting")
    assert ledger.counts.failed == told


def test_a_redirect_to_what_is_held_is_an_alias(ledger: RunLedger) -> None:
    async def note() -> list[str | None]:
        first = await ledger.held_at(STORY)
        # Noted, and not written yet.
        await ledger.visit([Visit(SITE.name, STORY, "article", datetime.now(UTC), "held", None)])
        second = await ledger.held_at(STORY)
        await ledger.flush()
        outcome = failed_outcome(SHORT, Request(SHORT), AlreadyHeld(STORY))
        assert (outcome.outcome, outcome.final_url, outcome.reason) == ("unchanged", STORY, f"the same as {STORY}")
        await FrontierPipeline(ledger).process_item(MissedPage(known(ledger, SHORT), outcome, STORY, told=True))
        await ledger.flush()
        return [first, second, await ledger.held_at(STORY), await ledger.held_at(SHORT)]

    assert asyncio.run(note()) == [None, STORY, STORY, STORY]
    assert (known(ledger, SHORT).state, known(ledger, SHORT).alias_of) == ("alias", STORY)


def test_the_time_that_robots_txt_was_given_is_told() -> None:
    error = HostUnreachable(DownloadTimeoutError(), 7)
    assert failed_outcome(STORY, Request(STORY), error).reason == "timed out after 7 s"

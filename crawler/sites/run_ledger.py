"""What one run over a site finds and does, kept in the frontier in batches, and summed up at its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawler.frontier import revisit_policy
from crawler.frontier.address_state import AddressState, Announcement, SiteRun, SiteState, Visit
from crawler.frontier.run_counts import RunCounts
from crawler.politeness.block_detection import backoff
from crawler.sites.nothing_found import Findings, why_nothing
from crawler.sites.time_window import Dates, Standing
from crawler.sites.under_way import UnderWay
from storage.model import Outcome, RunState

if TYPE_CHECKING:
    from crawler.frontier.frontier import Frontier, Rank
    from crawler.sites.site import Site
    from crawler.sites.time_window import Window

logger = logging.getLogger(__name__)

#: Visits that are written together, and the seconds that one waits at most.
_BATCH = 50
_SECONDS = 2.0
#: Lines on what was wrong with sources that are kept of a run.
_PROBLEMS = 50
#: Articles outside of the time wanted that are remembered, so that none is counted twice; sitemaps may name millions.
_REMEMBERED = 50_000


class RunLedger:
    """One run's account. Its methods belong to the event loop; the database is asked in threads.

    A visit is noted after its outcome is durable. What a killed run had not written yet, the next one sees in the
    archive's index.
    """

    def __init__(self, frontier: Frontier, site: Site, crawl: str) -> None:
        self.frontier = frontier
        self.site = site
        self.counts = RunCounts()
        self.problems: list[str] = []
        #: Why the run did not come to its end, where something else than a stop is the reason.
        self.verdict: RunState | None = None
        #: Why the site is to be left alone for a while.
        self.blocked: str | None = None
        #: Sources that gave something to read, and declared ones that did not.
        self.sources_read = 0
        self.sources_failed = 0
        #: Links of the sources that were read, and the start page, where it is an article itself.
        self.links = 0
        self.start_article: str | None = None
        self._crawl = crawl
        self._started = datetime.now(UTC)
        #: Why articles were not got.
        self._missed: Counter[str] = Counter()
        self._hosts: dict[str, Counter[str]] = {}
        self._waiting: list[Visit] = []
        self._written = time.monotonic()
        self._writing = asyncio.Lock()
        #: Articles that are not of the time wanted.
        self._outside: set[str] = set()
        self._asked: set[str] = set()
        self._followed: set[str] = set()
        self.under_way = UnderWay()

    async def open(self) -> None:
        """Note that the run starts."""
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        if self.frontier.mend_times(self.site.name, self._started, self.site.every):
            self.problem("times in the future, from a run with a wrong clock, were put right")
        self.frontier.put_site(replace(self.frontier.site(self.site.name), started=self._started))
        self.frontier.start_run(SiteRun(self.site.name, self._crawl, self._started))

    async def close(self, state: RunState, requests: int = 0) -> None:
        """Write what is left, the run's sum, and when the site is due again."""
        await self.flush()
        if requests:
            self.counts.requests = requests
        await asyncio.to_thread(self._finish, state)

    def _finish(self, state: RunState) -> None:
        name, now = self.site.name, datetime.now(UTC)
        self.frontier.finish_run(self.summary(state, now))
        site = self.frontier.site(name)
        due = revisit_policy.next_run(name, self._started, now, self.site.every, self.frontier.next_due(name))
        state_now = replace(site, started=self._started, finished=now, due=due)
        self.frontier.put_site(self._with_blocks(state_now, now))

    def _with_blocks(self, site: SiteState, now: datetime) -> SiteState:
        if self.blocked is not None:
            until = now + timedelta(seconds=backoff(site.blocks + 1))
            return replace(site, blocked_until=until, blocked_reason=self.blocked, blocks=site.blocks + 1)
        if self.verdict == "blocked" or not (self.counts.archived or self.counts.unchanged):
            return site
        return replace(site, blocked_until=None, blocked_reason=None, blocks=0)

    def summary(self, state: RunState, now: datetime) -> SiteRun:
        """The run as it stands."""
        return SiteRun(
            self.site.name,
            self._crawl,
            self._started,
            now,
            state,
            self.counts,
            {host: reasons.most_common(1)[0][0] for host, reasons in self._hosts.items()},
            tuple(self.problems),
        )

    async def announce(self, items: Iterable[Announcement]) -> int:
        """Make addresses known; return how many were new."""
        found = list(items)
        if not found:
            return 0
        return await asyncio.to_thread(self.frontier.announce, self.site.name, found, datetime.now(UTC))

    async def known(self, url: str) -> AddressState | None:
        return await asyncio.to_thread(self.frontier.known, self.site.name, url)

    async def due_sources(self) -> list[AddressState]:
        return await asyncio.to_thread(self.frontier.due_sources, self.site.name, datetime.now(UTC))

    async def known_among(self, urls: Iterable[str]) -> set[str]:
        return await asyncio.to_thread(self.frontier.known_among, self.site.name, urls)

    async def due_articles(self, limit: int, window: Window, surely: bool = False) -> list[AddressState]:
        """Return at most `limit` articles to ask for now, in their order: with a window those of its time.

        With `surely` without those of which nothing tells whether they are.
        """
        now = datetime.now(UTC)
        if not window:
            return await asyncio.to_thread(self.frontier.due_articles, self.site.name, now, limit)

        outside: list[str] = []

        def rank(known: AddressState) -> Rank | None:
            # Its source may have told more exactly than the frontier remembers.
            if known.url in self._outside:
                return None
            standing = window.standing(Dates.of_known(known), now)
            if standing is Standing.OUTSIDE:
                outside.append(known.url)
            return None if surely and standing is Standing.UNKNOWN else window.rank(known, now)

        found = await asyncio.to_thread(self.frontier.best_articles, self.site.name, now, limit, rank)
        self._count_outside(outside)
        return found

    async def pass_over(self, items: Sequence[Announcement], outside: Iterable[str]) -> None:
        """Note links that are not taken: their dates are learned of those that are known, and those outside counted."""
        self._count_outside(outside)
        await asyncio.to_thread(self.frontier.learn_dates, self.site.name, items, datetime.now(UTC))

    def _count_outside(self, urls: Iterable[str]) -> None:
        """Count each article once, whichever lists name it: so far as they are remembered."""
        new = set(urls) - self._outside
        self.counts.outside += len(new)
        if len(self._outside) < _REMEMBERED:
            self._outside |= new

    def problem(self, text: str) -> None:
        """Keep a line on what was wrong with a source."""
        if len(self.problems) < _PROBLEMS and text not in self.problems:
            self.problems.append(text)

    async def judge(self, asked_all: bool) -> None:
        """Say why the run failed, at its end, where it brought nothing and should have."""
        counts = self.counts
        if self.verdict is not None or counts.archived or counts.unchanged:
            return
        if self.sources_failed and not self.sources_read:
            self.verdict = "failed"
            return
        ever = datetime.fromtimestamp(0, UTC)
        coverage = await asyncio.to_thread(self.frontier.coverage, self.site.name, ever, samples=0)
        found = Findings(
            site=self.site.name,
            announced=counts.announced,
            sources=counts.sources,
            not_modified=counts.not_modified,
            links=self.links,
            dropped=counts.dropped,
            missed=self._missed,
            start_article=self.start_article,
            holds=coverage.held > 0,
            asked_all=asked_all,
        )
        if (why := why_nothing(found)) is not None:
            self.verdict = "failed"
            self.problems.insert(0, why)

    def count(self, outcome: Outcome, undated: bool = False) -> None:
        """Count an article's outcome."""
        self.counts.count(outcome.outcome)
        if outcome.status == 304:
            self.counts.not_modified += 1
        if outcome.outcome in ("refused", "failed"):
            self._missed[outcome.reason or outcome.outcome] += 1
        if outcome.outcome == "archived":
            self.counts.words += outcome.words or 0
            self.counts.undated += undated

    def failed(self, host: str, reason: str) -> None:
        """Count why a request to a host failed."""
        self._hosts.setdefault(host, Counter())[reason] += 1

    async def visit(self, visits: Iterable[Visit]) -> None:
        """Keep what fetches found; written soon."""
        self._waiting += visits
        if len(self._waiting) >= _BATCH or time.monotonic() - self._written >= _SECONDS:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        async with self._writing:
            batch, self._waiting = self._waiting, []
            self._written = time.monotonic()
            if batch:
                await asyncio.to_thread(self.frontier.visited, batch)

    async def held_at(self, target: str) -> str | None:
        """The article at the target of a redirect, if the run asks for it by its own address or it is not due yet.

        `None` for one that the redirect is to be followed to.
        """
        if target in self._asked or any(visit.url == target and visit.state == "held" for visit in self._waiting):
            return target
        known = await self.known(target)
        if known is not None and known.alias_of is not None:
            target = known.alias_of
            known = await self.known(target)
        if known is not None and _is_fresh(known):
            return target
        self._followed.add(target)
        return None

    def has_followed(self, url: str) -> bool:
        """Whether a redirect has led to an address in this run."""
        return url in self._followed

    def sent(self, url: str) -> None:
        """Count a request for an article as under way, until its visit is noted."""
        self._asked.add(url)
        self.under_way.add(url)


def _is_fresh(known: AddressState) -> bool:
    """Whether an article is held and need not be asked for now."""
    is_held = known.role == "article" and known.state == "held"
    return is_held and (known.due is None or known.due > datetime.now(UTC))

"""From the frontier to a site's history and health."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from newskeep.health.history import DAY, HABIT_WEEKS, JUDGED_DAYS, History
from newskeep.health.hosts import KnownHosts
from newskeep.health.spared import Spared, spared_by
from newskeep.health.verdicts import Verdict, judge

if TYPE_CHECKING:
    from crawler.frontier.address_state import Coverage
    from crawler.frontier.frontier import Frontier
    from crawler.session.site_memory_store import SiteMemoryStore
    from crawler.sites.site import Site
    from storage.index.index import Index

#: Days that the coverage is of.
COVERAGE_DAYS = 7
#: Days read at once of what was announced: what a verdict mostly wants.
_SPAN = 7 * (HABIT_WEEKS + 2)


@dataclass(frozen=True, slots=True)
class Health:
    """What is told of a site."""

    site: str
    verdict: Verdict
    history: History
    #: Of the articles that were announced in the last `COVERAGE_DAYS`.
    coverage: Coverage
    #: What the memories of its hosts spared; `None` where they were not asked.
    spared: Sequence[Spared] | None = None


def health_of(
    frontier: Frontier,
    sites: Iterable[Site],
    at: datetime,
    samples: int = 3,
    index: Index | None = None,
    memories: SiteMemoryStore | None = None,
) -> Iterator[Health]:
    """Yield how sites go, in their order, with so many example addresses of each kind of miss.

    Without an `index` nothing is known of how sure their texts are, nor of their hosts, whose `memories` are read if
    they are given.
    """
    known = KnownHosts(index.sites() if index else ())
    for site in sites:
        history = history_of(frontier, site.name, site.every, at)
        hosts = known.of(site)
        if index:
            history = replace(history, confidences=confidences_of(index, hosts, at))
        coverage = frontier.coverage(site.name, at - COVERAGE_DAYS * DAY, samples=samples)
        spared = list(spared_by(memories, hosts)) if memories else None
        yield Health(site.name, judge(history), history, coverage, spared)


def confidences_of(index: Index, hosts: Iterable[str], at: datetime) -> list[tuple[datetime, float]]:
    """How sure the newest articles on a site's own hosts are; newest first."""
    since = at - JUDGED_DAYS * DAY
    return sorted((each for host in hosts for each in index.confidences(host, since)), reverse=True)


def history_of(frontier: Frontier, site: str, every: float, at: datetime) -> History:
    """A site's history; how many were announced when is asked for as the verdict wants it."""

    @cache
    def by_day(span: int) -> list[int]:
        return frontier.announced_a_day(site, _SPAN, at - span * _SPAN * DAY)

    def announced(since: datetime, until: datetime) -> int:
        days = range((at - until) // DAY, (at - since) // DAY)
        return sum(by_day(day // _SPAN)[day % _SPAN] for day in days)

    return History(
        site,
        at,
        every,
        frontier.site(site),
        frontier.runs(site),
        frontier.articles_a_day(site, 7 * HABIT_WEEKS + 1, at),
        announced,
    )

"""From the frontier to a site's history and health."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newskeep.health.history import DAY, HABIT_WEEKS, JUDGED_DAYS, History
from newskeep.health.verdicts import Verdict, judge

if TYPE_CHECKING:
    from crawler.frontier.address_state import Coverage
    from crawler.frontier.frontier import Frontier
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


def health_of(
    frontier: Frontier, sites: Iterable[Site], at: datetime, samples: int = 3, index: Index | None = None
) -> Iterator[Health]:
    """Yield how sites go, in their order, with so many example addresses of each kind of miss.

    Without an `index` nothing is known of how sure their texts are.
    """
    hosts = list(index.sites()) if index else []
    for site in sites:
        history = history_of(frontier, site.name, site.every, at)
        if index:
            history = replace(history, confidences=confidences_of(index, site, hosts, at))
        coverage = frontier.coverage(site.name, at - COVERAGE_DAYS * DAY, samples=samples)
        yield Health(site.name, judge(history), history, coverage)


def confidences_of(index: Index, site: Site, hosts: Iterable[str], at: datetime) -> list[tuple[datetime, float]]:
    """How sure the newest articles on a site's own hosts are, of all `hosts` that the index knows; newest first."""
    since = at - JUDGED_DAYS * DAY
    # The index knows hosts as `site_of` has them: without a port, IPv6 addresses with hyphens.
    own = {(urlsplit(f"//{netloc}").hostname or netloc).replace(":", "-") for netloc in site.netlocs}
    below = tuple(f".{host}" for host in own)
    names = [host for host in hosts if host in own or host.endswith(below)]
    return sorted((each for host in names for each in index.confidences(host, since)), reverse=True)


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

"""When each site ran and will run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.frontier import frontier_of
from crawler.frontier.clock import believed
from newskeep.times import local
from storage.errors import AlreadyRunning
from storage.locking import held

if TYPE_CHECKING:
    from crawler.frontier.address_state import SiteState
    from crawler.sites.site import Site
    from storage.archive import Archive


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One site in the schedule."""

    site: str
    #: Seconds.
    every: float
    #: When its last run began, and how it ended; `None`: never, and not at all.
    last: datetime | None
    ended: str | None
    #: From when on it is due; `None`: at once.
    due: datetime | None
    #: "never run", "running", "blocked until …", "due", "waiting".
    state: str


def rows(archive: Archive, sites: Mapping[str, Site], at: datetime) -> Iterator[ScheduleRow]:
    """Yield the sites in their order."""
    known = _known(archive, sites, at)
    for site in sites.values():
        yield _row(archive, site, known.get(site.name), at)


def next_rows(archive: Archive, sites: Mapping[str, Site], at: datetime, number: int) -> Iterator[ScheduleRow]:
    """Yield so many sites, those that are never run and the most overdue first, in the order in which they will run."""
    known = _known(archive, sites, at)
    first = datetime.min.replace(tzinfo=UTC)
    order = sorted(sites, key=lambda name: (_due(known.get(name)) or first, name))
    for name in order[:number]:
        yield _row(archive, sites[name], known.get(name), at)


def _known(archive: Archive, sites: Mapping[str, Site], at: datetime) -> dict[str, SiteState]:
    found = (state for state in frontier_of(archive).sites() if state.site in sites)
    return {state.site: believed(state, at, sites[state.site].every) for state in found}


def _due(state: SiteState | None) -> datetime | None:
    return max(filter(None, (state.due, state.blocked_until)), default=None) if state else None


def _row(archive: Archive, site: Site, state: SiteState | None, at: datetime) -> ScheduleRow:
    if state is None or state.started is None:
        return ScheduleRow(site.name, site.every, None, None, None, "never run")
    last = next(iter(frontier_of(archive).runs(site.name, 1)), None)
    due = _due(state)
    return ScheduleRow(
        site.name, site.every, state.started, last.state if last else None, due, _state(archive, state, due, at)
    )


def _state(archive: Archive, state: SiteState, due: datetime | None, at: datetime) -> str:
    if state.started and (state.finished is None or state.finished < state.started) and _runs(archive, state.site):
        return "running"
    if state.blocked_until is not None and state.blocked_until > at:
        return f"blocked until {local(state.blocked_until)}"
    return "due" if due is None or due <= at else "waiting"


def _runs(archive: Archive, site: str) -> bool:
    """Whether a process has the site's lock."""
    from crawler.engine.extensions import site_lock

    try:
        with held(site_lock(archive.state, site), site):
            return False
    except AlreadyRunning:
        return True

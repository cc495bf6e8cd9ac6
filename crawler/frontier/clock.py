"""What a wrong clock wrote: times further ahead than anything that is set are not believed. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from crawler.frontier.address_state import SiteState

#: By so much a clock may have been put back since, without having been wrong.
SLACK = timedelta(minutes=10)
#: The longest that an address waits to be asked again, and the longest that a site is left alone.
ADDRESS_MOST = timedelta(days=31)
BLOCKED_MOST = timedelta(days=7)

_DAY = 86_400.0
_YEARS = 10 * 365 * _DAY


def is_ahead(moment: datetime | None, at: datetime, most: timedelta = timedelta(0)) -> bool:
    """Whether a time is further ahead than `most`, which is the most that was ever added to the clock for it."""
    return moment is not None and moment > at + most + SLACK


def run_most(every: float | None) -> timedelta:
    """The longest that a site waits for its next run (see `revisit_policy.next_run`); `None`: of any site."""
    return timedelta(seconds=_YEARS if every is None else min(max(every, _DAY) + every, _YEARS))


def is_wrong(state: SiteState, at: datetime, every: float | None = None) -> bool:
    """Whether a wrong clock wrote something of a site's state."""
    ran = is_ahead(state.started, at) or is_ahead(state.finished, at)
    return ran or is_ahead(state.due, at, run_most(every)) or is_ahead(state.blocked_until, at, BLOCKED_MOST)


def believed(state: SiteState, at: datetime, every: float | None = None) -> SiteState:
    """The state of a site without the times that a wrong clock set: due at once, not left alone."""
    if not is_wrong(state, at, every):
        return state
    state = replace(state, due=None)
    if is_ahead(state.blocked_until, at, BLOCKED_MOST):
        state = replace(state, blocked_until=None, blocked_reason=None, blocks=0)
    return state


def earlier(moment: datetime | None, at: datetime) -> datetime | None:
    """A time that is over, which is now at the latest."""
    return None if moment is None else min(moment, at)

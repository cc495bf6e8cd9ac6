"""What becomes of a job after an attempt, by how that ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newskeep.queue.membership import LOST_MOST
from newskeep.worker.request import JobEnd
from storage.errors import AlreadyRunning, StoreUnavailable

#: Seconds until a job whose process died is tried again; each further time twice as long.
_AGAIN, _AGAIN_MOST = 30.0, 3600.0
#: The same for one that got nothing as its store was away, though the machine reaches it by now, and how often that may
#: be: an outage is over then, or what is wrong is the job's alone.
_AWAY, _AWAY_LONGEST, _AWAY_MOST = 1.0, 600.0, 16
#: The same for one whose site the machine does not know; how often that may be where no other worker is there, and the
#: longest that it is put off where one is.
_ELSEWHERE, _ELSEWHERE_MOST, _ELSEWHERE_SECONDS = 5.0, 8, 60.0
#: Seconds behind that: the worker that put it off looks for jobs every five seconds from then on, and would always be
#: the first.
_BEHIND = 1.0
#: Seconds until it is tried again what another process on the machine is at.
_BUSY = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a job."""

    what: Literal["done", "failed", "cancelled", "again"]
    state: str
    reason: str | None = None
    #: For `again`: not before.
    seconds: float = 0.0


def may_be_the_machines(end: JobEnd | None) -> bool:
    """Whether every other job might have ended so as well: over the store, the configuration, the installation."""
    return end is None or (end.code in (1, 2, StoreUnavailable.exit_code) and end.state != "elsewhere")


def exit_in_words(code: int | None) -> str:
    """How a process ended; below zero: the signal that ended it, `None`: nobody can tell."""
    if code is None:
        return "nobody can tell how"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def judge(
    end: JobEnd | None,
    code: int | None,
    lost: int,
    away: int,
    elsewhere: int = 0,
    *,
    cancelled: bool,
    draining: bool,
    has_fetched: bool = False,
    given_up: bool = False,
    unable: str | None = None,
    untried: int = 0,
) -> Verdict:
    """`end`: how it says that it ended; `None`: its process ended with `code` before it could.

    `lost`, `away`, `elsewhere`: earlier attempts that ended so; those that were put back in good order do not count.
    `has_fetched`: whether it archived something that it did not hold before.
    `unable`: why the machine can do no job, if it cannot; then the job is not to blame, and another machine may do it
    at once. `untried`: how many workers there are that have not said yet that they do not know its site. `given_up`:
    whether its process was ended because it did not stop in time.
    Where a worker is stopped, its job is put back for others; a crawl goes on where it was. A crawl that failed is not
    tried again by itself: its site is due again in its time.
    """
    if cancelled:
        return Verdict("cancelled", "cancelled", end.reason if end else None)
    if unable is not None and may_be_the_machines(end):
        return Verdict("again", "unable", unable)
    if end is None:
        return _died(code, lost, draining, given_up)
    if draining and end.code == StoreUnavailable.exit_code:
        # It was stopped, and what it had fetched waits: whether its store is away for long nobody knows.
        return Verdict("again", "stopped", end.reason)
    if end.state == "stopped":
        return Verdict("again", "stopped", end.reason or ("the worker was stopped" if draining else None))
    if end.state == "elsewhere":
        return _unknown(end, elsewhere, untried)
    if end.code == AlreadyRunning.exit_code:
        return Verdict("again", "busy", end.reason, _BUSY)
    if end.code == StoreUnavailable.exit_code:
        return _away(end, away, has_fetched)
    if end.state in ("failed", "blocked") or end.code in (1, 2):
        return Verdict("failed", end.state, end.reason)
    return Verdict("done", end.state, end.reason)


def _away(end: JobEnd, away: int, has_fetched: bool) -> Verdict:
    """The machine was tried since: its store is back, and what the job had fetched is delivered."""
    if has_fetched:
        return Verdict("again", "unable", end.reason)
    if away + 1 < _AWAY_MOST:
        return Verdict("again", "away", end.reason, min(_AWAY * 2.0 ** min(away, 16), _AWAY_LONGEST))
    return Verdict("failed", "away", f"{end.reason}, {_AWAY_MOST} times, though the machine reaches its archive")


def _unknown(end: JobEnd, elsewhere: int, untried: int) -> Verdict:
    left = f"{end.reason}; left to other machines"
    seconds = _ELSEWHERE * 2.0 ** min(elsewhere, 16)
    if untried:
        # It may be taken again by those that do not know it, before one that does has room for it.
        return Verdict("again", "elsewhere", left, min(seconds, _ELSEWHERE_SECONDS) + _BEHIND)
    if elsewhere + 1 < _ELSEWHERE_MOST:
        return Verdict("again", "elsewhere", left, seconds + _BEHIND)
    return Verdict("failed", "failed", f"{end.reason}, on any machine that took it")


def _died(code: int | None, lost: int, draining: bool, given_up: bool) -> Verdict:
    early = "it did not stop in time" if given_up else f"its process ended early ({exit_in_words(code)})"
    reason = f"{early}; what it had fetched is kept"
    if draining:
        # It was asked to end, and did.
        return Verdict("again", "stopped", reason)
    return Verdict("failed" if lost + 1 >= LOST_MOST else "again", "lost", reason, _wait(lost))


def _wait(times: int) -> float:
    return min(_AGAIN * 2.0 ** min(times, 16), _AGAIN_MOST)

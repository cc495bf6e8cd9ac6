"""When a host may be asked: one gate for all requests of a process, whichever crawler they come from.

A host gets one request at a time, and a pause from the end of one to the beginning of the next. The pause is the
longest of what the configuration says, what its robots.txt asks for, and how long the host takes to answer once that
is slow. A host that says 429 or 503 gets the time it asks for (RFC 9110, 10.2.3), or ever more where it names none; one
that asks for too much, says so too often or gives no answer is left alone.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol

from crawler import defaults
from crawler.frontier.address_state import HostState
from crawler.politeness.errors import HostLeftAlone, LeaseLost
from storage.counts import counted

logger = logging.getLogger(__name__)

#: What a host says when it is asked too much, or can do no more (RFC 6585, 4; RFC 9110, 15.6.4).
WAIT_STATUSES = (429, 503)
#: Hosts that are remembered; a list of a hundred thousand must not fill the memory.
_KEPT = 10_000
#: Seconds of the first wait after a 429 or 503 that names none; each further one is twice as long.
_FIRST_WAIT = 5.0
#: Seconds of the pause after the first request without an answer; each further one is twice as long, up to the bound.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
#: Seconds that a host without an answer is left alone before it is tried again.
_SILENCE = 300.0
#: Seconds to the first byte from which a host counts as slow.
_SLOW = 1.0
#: Seconds between two looks whether a host that somebody else has is free.
_TAKEN = 1.0
#: A pause is up to this share longer, at random, so that many crawlers do not keep step; never shorter.
_JITTER = 0.25


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Bounds of patience; times in seconds."""

    #: Requests at a time to one host.
    at_once: int = 1
    #: Longest wait that is waited for; a host that asks for more is left alone for the rest of the run.
    max_wait: float = defaults.RETRY_AFTER_MAX
    #: Longest pause that slow answers of a host lead to.
    max_slow: float = defaults.SLOW_HOST_DELAY_MAX
    #: So many 429 or 503 in a row, or requests without an answer in a row, and a host is left alone.
    refusals: int = defaults.HOST_REFUSALS_MAX
    silences: int = defaults.HOST_SILENCES_MAX


#: Seconds of a wait that are noted for later runs at most.
_NOTED_MOST = 30 * 86_400.0


class HostMemory(Protocol):
    """Where waits outlive a run; a Frontier is one."""

    def host(self, host: str) -> HostState | None: ...

    def put_host(self, state: HostState) -> None: ...


class HostLeases(HostMemory, Protocol):
    """Who may ask a host, where crawls of several machines share them: one at a time, for as long as it says so again.

    Waits that a host asked for are kept with its lease, so that they hold for all.
    """

    #: Why no host is ours any more; `None` while all is well.
    failure: Exception | None

    def enter(self, host: str, pause: float) -> bool:
        """Begin a request, if the host is leased and others know its `pause`; asks nobody. Ends with `leave`."""

    def leave(self, host: str) -> None: ...

    def holds(self, host: str) -> bool:
        """Whether others still keep away from a host; asks nobody. For a request that has begun and is not sent yet."""

    def take(self, host: str, pause: float) -> float | None:
        """Lease a host; return the seconds until its first request may begin, `None` while somebody else has it.

        Waits for a server: not for the event loop.
        """


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After field asks for, in seconds or as a date; `None` where it says nothing that counts."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - now).total_seconds())


def refusal_reason(status: int, wait: float | None) -> str:
    """What a person is told of a 429 or 503: "429 Too Many Requests, asked to wait 120 s"."""
    asked = "" if wait is None else f", asked to wait {wait:.0f} s"
    return f"{status} {HTTPStatus(status).phrase}{asked}"


@dataclass(slots=True, eq=False)
class _Host:
    """What is known of one host in this run; times on the monotonic clock."""

    turns: asyncio.Semaphore
    #: No request begins before.
    next_at: float = 0.0
    #: The longest that any site asking this host has configured, and what robots.txt says.
    delay: float = 0.0
    crawl_delay: float = 0.0
    #: Seconds to the first byte: rises at once, falls by halves, as AutoThrottle has it.
    latency: float = 0.0
    #: In a row.
    refusals: int = 0
    silences: int = 0
    #: Why nothing is asked of it until then.
    reason: str = ""
    alone_until: float = 0.0
    #: Requests that wait for their turn or have it.
    users: int = field(default=0)


class HostGate:
    """All requests to a host pass here; shared by the crawlers of a run, for use in one event loop."""

    def __init__(
        self,
        options: GateOptions | None = None,
        memory: HostMemory | None = None,
        leases: HostLeases | None = None,
    ) -> None:
        self._options = options or GateOptions()
        self._leases = leases
        self._memory = leases or memory
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._failure: Exception | None = None
        self._waiting: set[Callable[[], None]] = set()

    def remember_in(self, memory: HostMemory) -> None:
        """Keep waits in `memory` from now on, and keep to those that are there; not where leases keep them."""
        self._memory = self._leases or memory

    def close(self, failure: Exception) -> None:
        """Let no further request through; one that comes all the same is told `failure`."""
        self._failure = failure

    def ready_in(self, host: str) -> float:
        """Seconds until a request to a host could begin; infinite while it has its requests under way, or never."""
        state = self._host(host)
        if self._failure is not None:
            return math.inf
        if self._is_alone(state):
            return 0.0  # it will be told so at once
        return math.inf if state.turns.locked() else max(0.0, state.next_at - time.monotonic())

    def when_free(self, call: Callable[[], None]) -> None:
        """Call once, as soon as any host has ended a request."""
        self._waiting.add(call)

    def left_alone(self, host: str) -> str | None:
        """Why nothing is asked of a host now, `None` where it may be asked, maybe after a wait."""
        state = self._host(host)
        return state.reason if self._is_alone(state) else None

    def crawl_delay(self, host: str, seconds: float) -> None:
        """Keep to what a host's robots.txt asks for."""
        state = self._host(host)
        state.crawl_delay = seconds
        if state.next_at:
            state.next_at = max(state.next_at, time.monotonic() + self._jittered(seconds))

    @asynccontextmanager
    async def turn(self, host: str, delay: float = 0.0) -> AsyncIterator[Turn]:
        """Wait until a host may be asked, and hold its turn for the block.

        `delay` is the pause that the asking site has configured. Raises `HostLeftAlone`, and what `close` was given.
        """
        state = self._host(host)
        state.delay = max(state.delay, delay)
        state.users += 1
        try:
            async with state.turns:
                while True:
                    self._check(state)
                    wait = state.next_at - time.monotonic()
                    if wait <= 0 and await self._entered(host, state):
                        break
                    # In pieces, so that a failure is noticed.
                    await asyncio.sleep(min(max(wait, 0.0), 1.0))
                try:
                    yield Turn(self, host, state)
                finally:
                    if self._leases is not None:
                        self._leases.leave(host)
                    # From the end of the answer: a host that takes long is not asked again at once.
                    pause = max(state.delay, state.crawl_delay, self._slowness(state))
                    state.next_at = max(state.next_at, time.monotonic() + self._jittered(pause))
        finally:
            state.users -= 1
            self._tell_free()

    async def _entered(self, host: str, state: _Host) -> bool:
        """Whether a request may begin now; where it may not, `next_at` says when to look again."""
        pause = max(state.delay, state.crawl_delay)
        if self._leases is None or self._leases.enter(host, pause):
            return True
        wait = await asyncio.to_thread(self._leases.take, host, pause)
        state.next_at = max(state.next_at, time.monotonic() + (_TAKEN if wait is None else wait))
        return False

    def _check(self, state: _Host) -> None:
        failure = self._failure or (self._leases and self._leases.failure)
        if failure:
            raise failure
        if self._is_alone(state):
            raise HostLeftAlone(state.reason)

    def _host(self, host: str) -> _Host:
        state = self._hosts.get(host)
        if state is None:
            state = self._hosts[host] = _Host(asyncio.Semaphore(self._options.at_once))
            self._recall(host, state)
            self._forget()
        self._hosts.move_to_end(host)
        return state

    def _forget(self) -> None:
        """Forget hosts that were not asked for longest, but for those with something to wait for."""
        if len(self._hosts) <= _KEPT:
            return
        now = time.monotonic()
        for host in list(self._hosts)[: _KEPT // 10]:
            state = self._hosts[host]
            if not state.users and max(state.next_at, state.alone_until) < now:
                del self._hosts[host]

    def _recall(self, host: str, state: _Host) -> None:
        known = self._memory.host(host) if self._memory else None
        if known is None or known.wait_until is None:
            return
        seconds = (known.wait_until - datetime.now(UTC)).total_seconds()
        # Further ahead than any wait that is noted: a clock was wrong.
        if 0 < seconds <= _NOTED_MOST + 600:
            self._wait(state, seconds, known.reason or "asked to wait")

    @staticmethod
    def _is_alone(state: _Host) -> bool:
        return state.alone_until > time.monotonic()

    def _slowness(self, state: _Host) -> float:
        return min(state.latency, self._options.max_slow) if state.latency >= _SLOW else 0.0

    @staticmethod
    def _jittered(seconds: float) -> float:
        return seconds * (1 + random.random() * _JITTER)

    def _wait(self, state: _Host, seconds: float, reason: str) -> None:
        if seconds > self._options.max_wait:
            state.reason, state.alone_until = reason, math.inf
        else:
            state.next_at = max(state.next_at, time.monotonic() + seconds)

    def _refused(self, host: str, state: _Host, status: int, field: str | None) -> None:
        now = datetime.now(UTC)
        asked = retry_after(field, now)
        state.refusals += 1
        reason = refusal_reason(status, asked)
        wait = _FIRST_WAIT * 2.0 ** (state.refusals - 1) if asked is None else asked
        logger.info("%s: %s", host, reason)
        self._wait(state, wait, reason)
        if state.refusals >= self._options.refusals:
            state.reason = f"{reason}, {counted(state.refusals, 'time')} in a row"
            state.alone_until = math.inf
        if self._memory is not None:
            until = now + timedelta(seconds=min(wait, _NOTED_MOST))
            self._memory.put_host(HostState(host, until, state.reason or reason))

    def _silent(self, host: str, state: _Host, began: float, reason: str) -> None:
        state.silences += 1
        pause = min(_FIRST_PAUSE * 2.0 ** (state.silences - 1), _LONGEST_PAUSE)
        # From the beginning: while it did not answer, it was not asked for anything else.
        state.next_at = max(state.next_at, began + self._jittered(pause))
        if state.silences >= self._options.silences:
            logger.info("%s: left alone: %s", host, reason)
            state.reason = f"the host did not answer {counted(state.silences, 'time')} in a row ({reason})"
            state.alone_until = time.monotonic() + _SILENCE

    def _tell_free(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for call in waiting:
            call()


class Turn:
    """One request's time with a host; tell it how the request ended."""

    def __init__(self, gate: HostGate, host: str, state: _Host) -> None:
        self._gate = gate
        self._host = host
        self._state = state
        self._began = time.monotonic()

    def check(self) -> None:
        """Raise `LeaseLost` where others may ask the host by now: the process may have stood still since it began.

        To be asked when there is a connection, right before the first byte of the request.
        """
        leases = self._gate._leases
        if leases is not None and not leases.holds(self._host):
            raise leases.failure or LeaseLost(f"{self._host} may be another worker's by now")

    def answered(self, status: int, field: str | None, latency: float) -> None:
        """An answer came: its status, its Retry-After field, seconds to its first byte."""
        state = self._state
        state.silences = 0
        state.latency = max(latency, (state.latency + latency) / 2)
        if status in WAIT_STATUSES:
            self._gate._refused(self._host, state, status, field)
        else:
            state.refusals = 0

    def silent(self, reason: str) -> None:
        """No answer came: no connection, or nothing within the time allowed."""
        self._gate._silent(self._host, self._state, self._began, reason)

"""Which attempt at a job may ask a host: leases that all workers share, whatever their jobs are.

Locks of jobs keep the hosts of sites apart; leases also those that nobody names before: redirects, pictures, lists. A
lease is renewed every few seconds. Who cannot do so asks no more, well before others may. Who takes over a host that
was not given back waits until its lease has ended, and its pause after that: the last request may have been then.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import LiteralString, Self

from crawler.frontier.address_state import HostState
from crawler.politeness.errors import LeaseLost
from newskeep.queue.database import QueueDatabase
from newskeep.queue.membership import Taken, ticks
from storage.errors import StoreUnavailable

logger = logging.getLogger(__name__)

#: Shares of a lease: between two renewals; after which no request begins; after which none is sent or under way.
_RENEW, _LAST_BEGIN, _LAST_END = 1 / 6, 0.6, 0.85
#: Seconds after which a host that is not asked is given back.
_IDLE = 15.0
#: What the process ends with whose requests must not go on: as for a lock that another has.
LOST_CODE = 75


@dataclass(slots=True)
class _Leased:
    pause: float
    #: When the lease was last asked for, and the host last used; on the clock of `ticks`.
    renewed: float
    used: float
    under_way: int = 0


class HostLeases:
    """The hosts of one attempt at a job, for the time of the block; see `crawler.politeness.host_gate.HostLeases`.

    `on_lost` is called once, from a thread, when they are no longer ours: the job is another's, or the queue out of
    reach. A request that goes on all the same, into the time of others, is ended with the process.
    """

    def __init__(self, database: QueueDatabase, taken: Taken, lease: float) -> None:
        self.failure: Exception | None = None
        self.on_lost: Callable[[], None] = lambda: None
        self._database = database
        self._taken = taken
        self._lease = lease
        self._hosts: dict[str, _Leased] = {}
        self._lock = threading.Lock()
        #: A host is not taken while it is given back.
        self._moving = threading.Lock()
        self._alive = ticks()
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("leases", self._renew_often), ("fence", self._watch))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._threads[0].join(self._lease)
        try:
            self._database.run(_GIVE_BACK_ALL, **self._ours)
        except StoreUnavailable as unreachable:
            logger.info("hosts are left to their leases: %s", unreachable)

    def enter(self, host: str, pause: float) -> bool:
        with self._lock:
            leased = self._hosts.get(host)
            if leased is None or leased.pause < pause or self._is_over(leased, _LAST_BEGIN):
                return False
            leased.under_way += 1
            return True

    def leave(self, host: str) -> None:
        with self._lock:
            if (leased := self._hosts.get(host)) is not None:
                leased.under_way -= 1
                leased.used = ticks()

    def holds(self, host: str) -> bool:
        with self._lock:
            leased = self._hosts.get(host)
            return leased is not None and not self._is_over(leased, _LAST_END)

    def take(self, host: str, pause: float) -> float | None:
        if self.failure is not None:
            return None
        try:
            with self._moving:
                return self._take(host, pause)
        except StoreUnavailable as error:
            logger.info("%s", error)
            return None

    def _take(self, host: str, pause: float) -> float | None:
        asked = ticks()
        row = self._database.one(_TAKE, **self._ours, host=host, pause=pause)
        if row is None:
            self._database.run(_WANT, host=host)
            return None
        with self._lock:
            known = self._hosts.get(host)
            self._hosts[host] = _Leased(pause, asked, ticks(), known.under_way if known else 0)
        return max(0.0, float(row["wait"] or 0.0))

    def host(self, host: str) -> HostState | None:
        try:
            row = self._database.one(_WAIT, host=host)
        except StoreUnavailable as error:
            # Without it nothing is leased either.
            logger.info("%s", error)
            return None
        if row is None or row["seconds"] is None:
            return None
        return HostState(host, datetime.now(UTC) + timedelta(seconds=float(row["seconds"])), row["reason"])

    def put_host(self, state: HostState) -> None:
        # By the server's clock: those of machines differ.
        seconds = (state.wait_until - datetime.now(UTC)).total_seconds() if state.wait_until else 0.0
        try:
            self._database.run(_PUT_WAIT, host=state.host, seconds=seconds, reason=(state.reason or "")[:300])
        except StoreUnavailable as error:
            logger.info("%s", error)

    @property
    def _ours(self) -> dict[str, object]:
        taken = self._taken
        return {
            "job": taken.job,
            "attempt": taken.attempt,
            "worker": taken.worker,
            "holder": taken.holder,
            "lease": self._lease,
        }

    def _is_over(self, leased: _Leased, share: float) -> bool:
        return ticks() - min(leased.renewed, self._alive) > share * self._lease or self.failure is not None

    def _renew_often(self) -> None:
        while not self._ending.wait(_RENEW * self._lease) and self.failure is None:
            try:
                self._renew()
            except StoreUnavailable as error:
                logger.info("leases are not renewed: %s", error)

    def _renew(self) -> None:
        asked = ticks()
        if self._database.one(_IS_OURS, **self._ours) is None:
            self._lose(f"job {self._taken.job} is another worker's by now")
            return
        found = {row["host"]: row["wanted"] for row in self._database.all(_RENEW_ALL, **self._ours)}
        with self._lock:
            self._alive = asked
            for host, leased in self._hosts.items():
                if host in found:
                    leased.renewed = asked
        self._give_back({host for host, wanted in found.items() if wanted}, asked)

    def _give_back(self, wanted: set[str], now: float) -> None:
        """Give back what others want, or what has been idle, between two requests."""
        with self._moving:
            with self._lock:
                idle = {host for host, leased in self._hosts.items() if not leased.under_way}
                free = [host for host in idle if host in wanted or now - self._hosts[host].used > _IDLE]
                for host in free:
                    del self._hosts[host]
            if free:
                self._database.run(_GIVE_BACK, **self._ours, hosts=free)

    def _watch(self) -> None:
        """Stop the job in good order when nothing was renewed for too long; end the process where that is too slow."""
        while not self._ending.wait(min(1.0, 0.05 * self._lease)):
            silent = ticks() - self._alive
            if silent > _LAST_BEGIN * self._lease and self.failure is None:
                self._lose("the queue has been out of reach for too long")
            with self._lock:
                under_way = any(leased.under_way for leased in self._hosts.values())
            if self.failure is not None and under_way and silent > _LAST_END * self._lease:
                # What was told is safe in the spool, and the next run delivers it.
                os._exit(LOST_CODE)

    def _lose(self, why: str) -> None:
        self.failure = LeaseLost(why)
        logger.warning("stopping: %s", why)
        self.on_lost()


# Only while the job is ours: a statement that comes late leases nothing.
_OURS_SQL: LiteralString = """
EXISTS (SELECT FROM procrastinate_jobs
         WHERE id = %(job)s AND attempts = %(attempt)s AND worker_id = %(worker)s AND status = 'doing')
"""
_IS_OURS: LiteralString = "SELECT 1 AS ours WHERE " + _OURS_SQL
_TAKE: LiteralString = (
    """
INSERT INTO newskeep_hosts AS host (host, holder, until, pause)
SELECT %(host)s, %(holder)s, now() + make_interval(secs => %(lease)s), %(pause)s WHERE """
    + _OURS_SQL
    + """
ON CONFLICT (host) DO UPDATE SET
    holder = excluded.holder,
    until = excluded.until,
    pause = CASE WHEN host.holder = excluded.holder THEN greatest(host.pause, excluded.pause) ELSE excluded.pause END,
    wanted = NULL,
    next_at = CASE WHEN host.holder <> excluded.holder
                   THEN greatest(host.next_at, host.until + make_interval(secs => host.pause)) ELSE host.next_at END
 WHERE host.holder IS NULL OR host.holder = excluded.holder OR host.until < now()
RETURNING extract(epoch FROM host.next_at - now())::float8 AS wait
"""
)
_WANT: LiteralString = "UPDATE newskeep_hosts SET wanted = now() WHERE host = %(host)s AND holder IS NOT NULL"
_RENEW_ALL: LiteralString = (
    """
UPDATE newskeep_hosts SET until = now() + make_interval(secs => %(lease)s)
 WHERE holder = %(holder)s AND """
    + _OURS_SQL
    + " RETURNING host, wanted IS NOT NULL AS wanted"
)
# Not by one that was given up: its last request may be later than it knows, and its lease says for how long.
_GIVE_BACK_ALL: LiteralString = (
    """
UPDATE newskeep_hosts SET holder = NULL, until = NULL, wanted = NULL,
       next_at = greatest(next_at, now() + make_interval(secs => pause))
 WHERE holder = %(holder)s AND """
    + _OURS_SQL
)
_GIVE_BACK: LiteralString = _GIVE_BACK_ALL + " AND host = ANY(%(hosts)s)"
_WAIT: LiteralString = """
SELECT reason, extract(epoch FROM wait_until - now())::float8 AS seconds FROM newskeep_hosts WHERE host = %(host)s
"""
_PUT_WAIT: LiteralString = """
INSERT INTO newskeep_hosts AS host (host, wait_until, reason)
VALUES (%(host)s, now() + make_interval(secs => %(seconds)s), %(reason)s)
ON CONFLICT (host) DO UPDATE SET wait_until = excluded.wait_until, reason = excluded.reason
"""

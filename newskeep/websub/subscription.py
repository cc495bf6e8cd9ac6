"""One subscription at a hub. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

#: What a subscription is: asked for, or asked for again; verified; refused by the hub; on its way out.
State = Literal["asked", "active", "denied", "leaving"]

#: What we ask for, and what we take a hub's word for.
LEASE = timedelta(days=10)
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=90)
#: A lease is renewed when this share of it is left.
_LEFT = 0.25
#: How long a hub may take to verify, which it may do after a review.
VERIFYING = timedelta(days=1)
#: When to ask again: a hub that failed, one that has not verified, one that refused.
_FIRST, _MOST, _UNVERIFIED, _REFUSED = timedelta(minutes=1), timedelta(hours=6), timedelta(hours=1), timedelta(days=1)
#: So often a hub is asked to stop; the lease ends it then.
LEAVING_MOST = 5


@dataclass(frozen=True, slots=True)
class Subscription:
    #: In the address that the hub calls, which nobody else can guess.
    id: str = field(repr=False)
    site: str
    #: The feed as we know it, and as the hub does.
    feed: str
    topic: str
    hub: str
    #: Scheme and host of the address that the hub calls.
    origin: str
    #: The key of the hub's signatures.
    secret: str = field(repr=False)
    state: State = "asked"
    #: When the hub was asked last, and when not to ask before.
    asked: datetime | None = None
    not_before: datetime | None = None
    lease: timedelta = LEASE
    until: datetime | None = None
    #: Requests in a row that failed, and why the last one did, or the hub refused.
    failures: int = 0
    problem: str | None = None

    @classmethod
    def new(cls, site: str, feed: str, topic: str, hub: str, origin: str) -> Subscription:
        return cls(secrets.token_hex(24), site, feed, topic, hub, origin, secrets.token_hex(32))

    @property
    def callback(self) -> str:
        return f"{self.origin}/websub/{self.id}"

    def is_due(self, now: datetime) -> bool:
        """Whether the hub is to be asked now."""
        if self.not_before is not None and now < self.not_before:
            return False
        if self.state == "active" and self.until is not None:
            return now >= self.until - self.lease * _LEFT
        return True

    def being_asked(self, now: datetime) -> Subscription:
        """Before the request: a hub may verify before it answers."""
        return replace(self, asked=now, not_before=now + _UNVERIFIED)

    def failed(self, now: datetime, problem: str) -> Subscription:
        wait = min(_FIRST * 2 ** min(self.failures, 20), _MOST)
        return replace(self, failures=self.failures + 1, problem=problem, not_before=now + wait)

    def is_pending(self, now: datetime) -> bool:
        """Whether a hub may verify that we want it: it was asked, and not too long ago."""
        is_wanted = self.state in ("asked", "active", "denied")
        return is_wanted and self.asked is not None and now <= self.asked + VERIFYING

    def verified(self, now: datetime, seconds: int | None) -> Subscription:
        """The hub has it, for so many seconds."""
        asked = LEASE if seconds is None else timedelta(seconds=min(max(seconds, 0), 10**9))
        lease = min(max(asked, _SHORTEST), _LONGEST)
        return replace(self, state="active", lease=lease, until=now + lease, not_before=None, failures=0, problem=None)

    def refused(self, now: datetime, reason: str) -> Subscription:
        return replace(self, state="denied", until=None, not_before=now + _REFUSED, problem=reason)

    def leaving(self) -> Subscription:
        return self if self.state == "leaving" else replace(self, state="leaving", not_before=None, failures=0)

    def takes(self, now: datetime) -> bool:
        """Whether what a hub sends is taken: also just before it has verified, and once a lease has ended."""
        return self.state != "leaving" and (self.until is not None or self.is_pending(now))

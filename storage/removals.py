"""What was taken out of the archive: hidden, given back, purged. `removals/<yyyy>/<mm>/<id>.json`, written once each.

An object says what happened, when, why and by whom; none is ever changed or removed. What is hidden follows from all of
them together (`in_force`), so that any machine comes to the same from the store alone.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

from storage.errors import Corrupt, UsageError
from storage.urls import Match, parse_moment, parse_timestamp, surt, surt_ranges, timestamp14

FOLDER = "removals/"
KEY = re.compile(r"removals/\d{4}/\d\d/(\d{20}-[0-9a-f]{8})\.json")

Action = Literal["hide", "restore", "purge"]


@dataclass(frozen=True, slots=True)
class Removal:
    """One decision. `of` is the id of the hiding that a "restore" or "purge" is about; its other fields say of what."""

    #: When it was decided, to the microsecond, and eight random digits: later ones sort behind.
    id: str
    action: Action
    #: As it was given, in the form of `storage.urls.normalize`; a host has no scheme.
    url: str
    match: Match
    reason: str
    by: str
    moment: datetime
    of: str | None = None
    #: Only the captures of these seconds; all up to `moment` where there are none.
    times: tuple[datetime, ...] = ()
    #: When an embargo ends; `None` for no end.
    until: datetime | None = None
    #: Captures that come later too.
    also_future: bool = False

    @property
    def key(self) -> str:
        return f"{FOLDER}{self.id[:4]}/{self.id[4:6]}/{self.id}.json"

    @property
    def ranges(self) -> tuple[tuple[str, str], ...]:
        """Half-open ranges of SURT keys; a host without a port is that host on every port."""
        return surt_ranges(self.url, self.match)

    def about(self, action: Action, reason: str, by: str) -> Removal:
        """Return the decision to give back, or to purge, what this one hides."""
        moment = datetime.now(UTC)
        return replace(self, id=new_id(moment), action=action, of=self.id, reason=reason, by=by, moment=moment)

    def to_json(self) -> bytes:
        fields = {
            **asdict(self),
            "moment": self.moment.isoformat(timespec="microseconds"),
            "times": [timestamp14(time) for time in self.times],
            "until": self.until and self.until.isoformat(timespec="seconds"),
        }
        return json.dumps(fields, indent=1).encode() + b"\n"

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], key: str) -> Self:
        """Raises `Corrupt`."""
        try:
            until = fields.get("until")
            made = cls(
                id=str(fields["id"]),
                action=fields["action"],
                url=str(fields["url"]),
                match=fields["match"],
                reason=str(fields["reason"]),
                by=str(fields["by"]),
                moment=parse_moment(fields["moment"]),
                of=fields.get("of"),
                times=tuple(parse_timestamp(str(time)) for time in fields.get("times", ())),
                until=None if until is None else parse_moment(until),
                also_future=bool(fields.get("also_future", False)),
            )
            if made.action not in get_args(Action) or made.match not in get_args(Match):
                raise ValueError(f"{made.action} of {made.match}")
            if made.key != key or (made.of is None) != (made.action == "hide"):
                raise ValueError("it belongs under another key, or to nothing")
            assert made.ranges
        except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
            raise Corrupt(f"{key}: not a removal as this version writes it ({error})") from error
        return made


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is hidden now: the decision to hide it, and the one to purge it, if there is one."""

    hide: Removal
    purge: Removal | None = None

    @property
    def until(self) -> datetime | None:
        """When it is shown again; what is purged never is, and what of it comes back from elsewhere neither."""
        return self.hide.until if self.purge is None else None

    @property
    def newest(self) -> datetime | None:
        """Captures up to this moment are hidden, `None`: those that come later too."""
        return None if self.hide.also_future else self.hide.moment

    def covers(self, url: str, moment: datetime) -> bool:
        """Whether a capture of a URL at a moment is hidden, now. Raises `InvalidURL`."""
        if self.until is not None and self.until <= datetime.now(UTC):
            return False
        times, key = self.hide.times, surt(url)
        is_then = moment in times if times else self.newest is None or moment <= self.newest
        return is_then and any(first <= key < end for first, end in self.hide.ranges)

    @property
    def state(self) -> str:
        if self.purge is not None:
            return "purged"
        return "hidden" if self.until is None else "embargo"


def hide(
    url: str,
    match: Match,
    reason: str,
    by: str,
    *,
    times: Iterable[datetime] = (),
    until: datetime | None = None,
    also_future: bool = False,
) -> Removal:
    """Return the decision to hide what is held of a URL, prefix, host or domain."""
    moment = datetime.now(UTC)
    return Removal(new_id(moment), "hide", url, match, reason, by, moment, None, tuple(times), until, also_future)


def new_id(moment: datetime) -> str:
    return f"{timestamp14(moment)}{moment.microsecond:06}-{secrets.token_hex(4)}"


def in_force(removals: Iterable[Removal]) -> list[Hiding]:
    """Return what is hidden by all these decisions together, in order of time.

    What was purged stays hidden, though somebody gives it back later.
    """
    ordered = sorted(removals, key=lambda each: each.id)
    purged = {each.of: each for each in reversed(ordered) if each.action == "purge"}
    restored = {each.of for each in ordered if each.action == "restore"}
    hidings = (Hiding(each, purged.get(each.id)) for each in ordered if each.action == "hide")
    return [each for each in hidings if each.purge is not None or each.hide.id not in restored]

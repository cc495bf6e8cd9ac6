"""Retention by S3 Object Lock: what is put under it, for how long, and what of it is still kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from storage.errors import ConfigError

Mode = Literal["GOVERNANCE", "COMPLIANCE"]
#: What is put under it: the captures, their index and the signed log. The rest can be made again, or has to change.
PREFIXES = ("warc/", "cdxj/", "logs/")
#: A hundred years, which servers have as their bound.
DAYS_MOST = 36_500


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """The retention that new objects get. Raises `ConfigError` for days that make no retention."""

    #: Under COMPLIANCE nobody can end it, the owner of the bucket neither.
    mode: Mode
    days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= DAYS_MOST:
            raise ConfigError(f"object_lock: object_lock_days must be 1 to {DAYS_MOST:,}, not {self.days}")

    def until(self, moment: datetime) -> datetime:
        """When the retention of what is put at a moment ends."""
        return moment.replace(microsecond=0) + timedelta(days=self.days)


@dataclass(slots=True)
class Released:
    """What became of objects that were deleted while something kept them."""

    #: Versions that are gone for good now, and those that are still there.
    gone: int = 0
    kept: int = 0
    #: When the last of these may go; `None` where no end is known.
    until: datetime | None = None


def is_locked(key: str) -> bool:
    """Whether an object is of those that are put under retention."""
    return key.startswith(PREFIXES)

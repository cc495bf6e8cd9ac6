"""Hours in which nobody is told anything, in a time zone of their own. Pure: no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day until another, over midnight where that is earlier; the end does not belong to it."""

    begin: time
    end: time
    #: `None`: the zone of this machine.
    zone: ZoneInfo | None = None

    @classmethod
    def parse(cls, text: str, zone: str | None = None) -> QuietHours:
        """Read "22:00-07:00" and a zone's name, such as "Europe/Copenhagen". Raises `ValueError` with what is wrong."""
        match = _HOURS.fullmatch(text.strip())
        if match is None:
            raise ValueError('must be hours, such as "22:00-07:00"')
        first, minute, last, last_minute = map(int, match.groups())
        begin, end = time(first, minute), time(last, last_minute)
        if begin == end:
            raise ValueError("begins and ends at the same time")
        return cls(begin, end, None if zone is None else zone_of(zone))

    def holds(self, at: datetime) -> bool:
        """Whether it is quiet at a moment, by the clock on the wall there: through both of an hour that comes twice."""
        now = at.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}" + (f" {self.zone.key}" if self.zone else "")


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name. Raises `ValueError` for none that is known."""
    try:
        return ZoneInfo(name)
    # What the name of a zone may not be (a path, a folder) raises one of many errors.
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}; known are Europe/Copenhagen, America/New_York, UTC …") from None

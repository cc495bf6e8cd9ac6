"""Times and durations as people read them: the user's zone outside, UTC inside."""

from __future__ import annotations

from datetime import datetime

from crawler.durations import duration


def local(moment: datetime) -> str:
    """A moment in the user's zone (TZ, or the system's), with the zone's name: one hour of the year comes twice."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def distance(moment: datetime, at: datetime) -> str:
    """How far a moment is from `at`: "in 12m", "2h 5m ago", "now"."""
    seconds = (moment - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"in {duration(seconds)}" if seconds > 0 else f"{duration(seconds)} ago"


def iso(moment: datetime | None) -> str | None:
    """A moment for programs: ISO 8601 in UTC."""
    return moment.isoformat(timespec="seconds") if moment else None

"""Times and durations as people read them: the user's zone outside, UTC inside."""

from __future__ import annotations

from datetime import datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def duration(seconds: float) -> str:
    """The largest two units that say it: "45s", "15m", "1h 30m", "3d"."""
    rest = round(abs(seconds))
    if rest >= 3_600:
        # Nobody plans an hour ahead by the second.
        rest = round(rest / 60) * 60
    parts = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0s"


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

"""Dates of `unavailable_after`, in the forms that sites write: RFC 822, RFC 850, asctime, ISO 8601, and plain days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone
from email.utils import parsedate_tz

_LENGTH_MOST = 100
_DAY = timedelta(days=1)
#: Hours east of Greenwich of zones that RFC 822 does not know; those that it does are read as it says.
_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "wet": 0,
    "west": 1,
    "bst": 1,
    "cet": 1,
    "cest": 2,
    "mez": 1,
    "mesz": 2,
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "jst": 9,
    "kst": 9,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
}
_ZONE = re.compile(r"\s*\b([a-z]{1,4})$", re.IGNORECASE)
#: Year first, or day first with dots; "12/31/2030" too, where only one reading is a date.
_NUMBERS = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?)?", re.ASCII
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}", re.ASCII)
_HALF_DAY = re.compile(r"\b(\d{1,2}):(\d{2}(?::\d{2})?)\s*([ap])\.?m\b\.?", re.IGNORECASE | re.ASCII)
_SECONDS = re.compile(r"\d{9,10}", re.ASCII)
#: As `date` writes it, the zone before the year; as JavaScript does, "GMT+0200 (CEST)"; "June 25, 2030".
_ZONE_FIRST = re.compile(r"(\d{1,2}:\d{2}(?::\d{2})?) ([a-z]{1,4}) (\d{4})$", re.IGNORECASE)
_GMT_OFFSET = re.compile(r"\b(?:GMT|UTC)([+-])(\d{2}):?(\d{2})\b(?: \([^()]*\))?", re.IGNORECASE)
_OFFSET = re.compile(r"\s[+-]\d{4}\b", re.ASCII)
_MONTH_FIRST = re.compile(r"^(?:[a-z]+,?\s+)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b", re.IGNORECASE)


def read_date(text: str) -> datetime | None:
    """The moment that a text names, aware; `None` for what is no date.

    Without a zone it is UTC. A day without a time ends with that day: "after" it is the day behind. Where two readings
    of plain numbers are dates, the earlier one counts: what is closed too early can be shown, not the other way round.
    """
    text = _HALF_DAY.sub(_whole_day, " ".join(text[:_LENGTH_MOST].split()).strip("\"'"))
    for read in (_seconds, _iso, _numbers, _named):
        try:
            if found := read(text):
                return found.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
    return None


def _whole_day(found: re.Match[str]) -> str:
    return f"{int(found[1]) % 12 + (12 if found[3].lower() == 'p' else 0)}:{found[2]}"


def _end_of(day: datetime) -> datetime:
    """Where a day ends; the last one that there is does not."""
    try:
        return day + _DAY
    except OverflowError:
        return day


def _seconds(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if _SECONDS.fullmatch(text) else None


def _iso(text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    if len(text) <= len("2030-06-25"):
        return _end_of(moment.replace(tzinfo=UTC))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _numbers(text: str) -> datetime | None:
    zone, bare = _zone(text)
    found = _NUMBERS.fullmatch(bare)
    if found is None:
        return None
    first, sign, second, third = found[1], found[2], found[3], found[4]
    if len(first) == 4:
        readings = [(int(first), int(second), int(third))]
    elif len(third) != 4:
        return None
    else:
        readings = [(int(third), int(second), int(first))]
        if sign != ".":
            readings.append((int(third), int(first), int(second)))
    clock = time(int(found[5]), int(found[6]), int(found[7] or 0)) if found[5] else None
    moments = []
    for year, month, day in readings:
        try:
            moment = datetime.combine(datetime(year, month, day, tzinfo=zone), clock or time(), zone)
        except ValueError:
            continue
        moments.append(moment if clock else _end_of(moment))
    return min(moments, default=None)


def _named(text: str) -> datetime | None:
    text = _MONTH_FIRST.sub(lambda found: f"{found[2]} {found[1]} {found[3]}", text)
    text = _GMT_OFFSET.sub(r"\1\2\3", _ZONE_FIRST.sub(r"\3 \1 \2", text))
    zone, bare = _zone(text)
    has_clock = _CLOCK.search(bare) is not None
    # parsedate_tz takes dates with hyphens with a zone alone.
    parsed = parsedate_tz(f"{bare}{'' if has_clock else ' 00:00:00'}{'' if _OFFSET.search(bare) else ' +0000'}")
    if parsed is None:
        return None
    offset = timezone(timedelta(seconds=parsed[9])) if parsed[9] else zone
    moment = datetime(*parsed[:6], tzinfo=offset)
    return moment if has_clock else _end_of(moment)


def _zone(text: str) -> tuple[timezone, str]:
    """The zone that a text ends in, UTC where there is none, and the text without it."""
    found = _ZONE.search(text)
    if found is None or found[1].lower() not in _ZONES:
        return UTC, text
    return timezone(timedelta(hours=_ZONES[found[1].lower()])), text[: found.start()]

"""Times of day as people write them: "14:05", "14h05", "2:05 p.m. ET", "下午2:05", "14.05 Uhr"."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from crawler.html.month_names import folded, halves, primary
from crawler.html.time_zones import zone_of

#: What a zone looks like behind a clock.
ZONE = r"(?P<zone>(?:UTC|GMT|UT|Z)?\s?[+-]\d{1,2}(?::?\d{2})?(?!\d)|(?:[Zz]|(?![AP]M)[A-ZА-Я]{2,5}|мск)(?![^\W\d_]))"
_MARK = r"\s?[.:hH時时點点시]\s?"
#: A clock of 24 hours; an hour alone only where a word says that it is one.
CLOCK = (
    rf"(?<![\d.:,/])(?P<hour>\d{{1,2}})(?:{_MARK}(?P<minute>\d{{2}})(?!\d)"
    r"(?:\s?[:.分분]\s?(?P<second>\d{2})(?!\d)[秒초]?(?:[.,](?P<part>\d{1,9}))?)?[分분]?"
    r"|(?=\s?(?:h\b|Uhr\b|uur\b|[時时點点시])))"
    rf"(?![.:/]\d)(?:\s?(?:Uhr|uur|hrs|hod|h|ч)\b\.?|\s?[時时點点시])?(?:\s*\(?{ZONE}\)?)?"
)
# A clock of twelve hours: "9:05 PM", "9 p. m.", "2:05 μ.μ.", "下午9:05".
_HALF_AFTER = re.compile(
    r"(?<![\d.:])(\d{1,2})((?:[:.]\d{2}){0,2}(?:\.\d+)?)\s?([^\W\d_]{1,12}\.?(?:\s?[^\W\d_]{1,2}\.|\s[mM]\b)?)(?![^\W\d_])"
)
_HALF_BEFORE = re.compile(r"(오전|오후|上午|下午|午前|午後|凌晨|早上|晚上)\s?(\d{1,2})(?=\s?[:.時时點点시])")
_AFTER_NOON = frozenset({"오후", "下午", "午後", "晚上"})


def in_24_hours(text: str, language: str = "") -> str:
    """Return a text with its clocks of twelve hours made such of twenty-four."""
    known = halves(primary(language))

    def after(found: re.Match[str]) -> str:
        half = known.get(folded(found[3]).replace(" ", ""))
        return found[0] if half is None else f"{_hour(found[1], half):02}{found[2] or ':00'}"

    text = _HALF_BEFORE.sub(lambda found: str(_hour(found[2], found[1] in _AFTER_NOON)), text)
    return _HALF_AFTER.sub(after, text)


def _hour(digits: str, afternoon: bool) -> int:
    hour = int(digits)
    # "13:05 PM" is written too, and has no other meaning.
    return hour if hour > 12 else hour % 12 + 12 * afternoon


def at_clock(day: date, clock: re.Match[str], country: str = "") -> datetime:
    """Return a day at the time of a match of `CLOCK`; `country` is that of the zone's name.

    Raises `ValueError` for what is no time of day, `UnknownZone` among it.
    """
    hour, minute, second = (int(clock[name] or 0) for name in ("hour", "minute", "second"))
    part = int((clock["part"] or "0")[:6].ljust(6, "0"))
    # ISO 8601 has a midnight at the end of a day, and minutes of 61 seconds.
    midnight = timedelta(days=(hour, minute, second) == (24, 0, 0))
    moment = datetime.combine(day, time(0 if midnight else hour, minute, 59 if second == 60 else second, part))
    return moment.replace(tzinfo=zone_of(clock["zone"], moment, country)) + midnight

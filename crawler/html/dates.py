"""Dates as pages and feeds write them, made ISO 8601: with time and zone where given, never made up."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from crawler.html.month_names import month_of

#: News before newspapers; what lies before is a mistake.
_EARLIEST = 1600
#: Clocks are wrong and zones are left out: a day's grace.
_GRACE = timedelta(days=1)

# "+02", "+0200", "GMT+2", "CEST", "Z".
_ZONE = r"(?P<zone>(?:UTC|GMT|UT|Z)?\s*[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]{1,5})"
_CLOCK = (
    r"(?P<hour>\d{1,2})\s?[:.h時时시]\s?(?P<minute>\d{2})[分분]?"
    r"(?:\s?[:.]?(?P<second>\d{2})[秒초]?)?(?:[.,](?P<part>\d{1,9}))?"
    rf"(?:\s*(?:Uhr|uur|hrs|h))?(?:\s*{_ZONE})?"
)
# What stands between day and clock: "2026-11-27T09:00", "27 November 2026 at 09:00", "27.11.2026, kl. 09.00".
_BETWEEN = r"(?:[Tt]|[\s,;|·–-]+(?:(?:at|um|à|a las|às|alle|ore|ora|kl\.?|klo|om|o godz\.|o|в|om)\s+)?)"
_REST = r"(?:\s*\([^()]*\)|\s*\[[\w/]+\])?"
_TIME = rf"(?:{_BETWEEN}{_CLOCK})?{_REST}"

_ISO = re.compile(
    r"(?P<year>\d{4})[-/.]?(?P<month>\d{2})[-/.]?(?P<day>\d{2})"
    r"(?:(?:[Tt\s]\s*|\s+-\s+)(?P<hour>\d{1,2})[:.]?(?P<minute>\d{2})"
    rf"(?:[:.]?(?P<second>\d{{2}}))?(?:[.,](?P<part>\d{{1,9}}))?\s*{_ZONE}?)?{_REST}"
)
# 28.04.2023, 28/04/2023 14:05, 2023. 4. 28.
_DAY_FIRST = re.compile(
    rf"(?:[^\W\d]{{2,12}}\.?,?\s+)?(?P<day>\d{{1,2}})[./-](?P<month>\d{{1,2}})[./-](?P<year>\d{{4}}){_TIME}"
)
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})[./-]\s?(?P<month>\d{{1,2}})[./-]\s?(?P<day>\d{{1,2}})\.?{_TIME}")
_CJK = re.compile(
    r"(?P<year>\d{4})\s?[年년]\s*(?P<month>\d{1,2})\s?[月월]\s*(?P<day>\d{1,2})\s?[日일]"
    rf"(?:\s*[(（][^()（）]{{1,4}}[)）])?(?:\s*{_CLOCK})?"
)
_UNIX = re.compile(r"(?:/Date\()?(\d{10}|\d{13})(?:[+-]\d{4})?(?:\)/)?")
# "Fri Apr 28 19:20:36 CEST 2023", as C, Java and JavaScript print dates.
_JAVA = re.compile(
    rf"[A-Z][a-z]{{2}},? (?P<name>[A-Z][a-z]{{2}}) (?P<day>\d{{1,2}}) (?:(?P<year1>\d{{4}}) )?{_CLOCK}"
    rf"(?: (?P<year2>\d{{4}}))?(?: \(.*\))?"
)
_WEEKDAY = r"(?:[^\W\d][^\d,]{0,19}(?:,\s*|\s+))?"
# RFC 5322, the form of HTTP and RSS, and what people write: "Di, 03 Nov 26 10:00 CET", "27 de noviembre de 2026".
_DAY_AND_NAME = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|°)?[\s.-]+(?:(?:de|of)\s+|d')?(?P<name>[^\W\d]{{3,12}})"
    rf"\.?,?[\s./-]*(?:(?:de|del)\s+)?(?P<year>\d{{4}}|\d\d(?!\d))(?:\s?г\.?|\s?р\.?)?{_TIME}"
)
_NAME_AND_DAY = re.compile(
    rf"{_WEEKDAY}(?P<name>[^\W\d]{{3,12}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}"
)

# "09:05, 27 November 2026": the clock first.
_CLOCK_FIRST = re.compile(r"(\d{1,2}[:.]\d{2})(?:,\s*|\s+[|·–-]?\s*)(.*\d{4})")
# A clock of twelve hours: "9:05 PM", "9 p. m.", "下午9:05".
_HALF_AFTER = re.compile(r"(?<![\d.:])(\d{1,2})((?:[:.]\d{2}){0,2}(?:\.\d+)?)\s?([AaPp])\.?\s?[Mm](?![^\W\d])\.?")
_HALF_BEFORE = re.compile(r"(오전|오후|上午|下午|午前|午後)\s?(\d{1,2})(?=\s?[:.時时시])")
_AFTER_NOON = ("p", "오후", "下午", "午後")
# Zones of countries whose dates begin with the month.
_AMERICAN = re.compile(r"\b[ECMP][SD]?T$")

# Hours east of Greenwich. Names of zones are ambiguous; these are the ones news pages print.
_ZONES = {
    name: hours
    for hours, zone_names in {
        0: "Z UT UTC GMT WET",
        1: "BST WEST CET MEZ",
        2: "CEST MESZ EET SAST",
        3: "EEST MSK EAT",
        5.5: "IST",
        7: "WIB",
        8: "HKT SGT",
        9: "JST KST",
        10: "AEST",
        11: "AEDT",
        12: "NZST",
        13: "NZDT",
        -3: "ADT BRT",
        -4: "AST EDT",
        -5: "EST CDT",
        -6: "CST MDT",
        -7: "MST PDT",
        -8: "PST",
    }.items()
    for name in zone_names.split()
}


def iso(text: str, now: datetime) -> str | None:
    """Return a date as ISO 8601, such as "2026-11-21", "2026-11-21T20:01:00" or "2026-11-21T20:01:00+01:00".

    `None` for what is no date, has a time that is not understood, lies more than a day after `now`, or cannot be the
    date of an article: before 1600, or the first day of Unix time, which stands for "missing". 11/03/2026 is in March,
    with a clock of twelve hours or an American zone in November.
    """
    text = " ".join(text.split())
    if not 6 <= len(text) <= 80:
        return None
    try:
        value = _parse(text)
    except (ValueError, OverflowError):
        return None
    if value is None:
        return None
    day = value.date() if isinstance(value, datetime) else value
    if day.year < _EARLIEST or day in (date(1970, 1, 1), date(1969, 12, 31)) or _future(value, now):
        return None
    return value.isoformat()


def detail(text: str) -> int:
    """Return how much an ISO 8601 date says: 0 a day (or its midnight), 1 a time as well, 2 a time and its zone."""
    if "T" not in text or "T00:00:00" in text:
        return 0
    return 2 if re.search(r"[+-]\d\d:\d\d$", text) else 1


def _future(value: date, now: datetime) -> bool:
    if not isinstance(value, datetime):
        return value > (now + _GRACE).date()
    if value.tzinfo is None:
        value = value.replace(tzinfo=now.tzinfo)
    return value > now + _GRACE


def _parse(text: str) -> date | None:
    """The date in the first of the known forms; a `datetime` where the text has a time."""
    if match := _UNIX.fullmatch(text):
        seconds = int(match[1]) / (1000 if len(match[1]) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    text = text.replace("\u2212", "-")
    whole = _in_24_hours(text)
    american = whole != text or bool(_AMERICAN.search(text))
    whole = _CLOCK_FIRST.sub(r"\2 \1", whole) if _CLOCK_FIRST.fullmatch(whole) else whole
    for form in (_ISO, _CJK, _YEAR_FIRST, _DAY_FIRST):
        if match := form.fullmatch(whole):
            month, day = int(match["month"]), int(match["day"])
            if form is _DAY_FIRST and american:
                month, day = day, month
            if month > 12 >= day:
                month, day = day, month
            return _moment(match, int(match["year"]), month, day)
    if match := _JAVA.fullmatch(whole):
        year = match["year1"] or match["year2"]
        month_named = month_of(match["name"])
        return _moment(match, int(year), month_named, int(match["day"])) if year and month_named else None
    if match := _DAY_AND_NAME.fullmatch(whole) or _NAME_AND_DAY.fullmatch(whole):
        named = month_of(match["name"])
        return _moment(match, _full_year(match["year"]), named, int(match["day"])) if named else None
    return None


def _full_year(digits: str) -> int:
    """A year, also of two digits: from 1970 to 2069."""
    year = int(digits)
    return year + (2000 if year < 70 else 1900) if len(digits) == 2 else year


def _moment(match: re.Match[str], year: int, month: int, day: int) -> date:
    """The day, with its time where the match has one."""
    if match["hour"] is None:
        return date(year, month, day)
    part = int((match["part"] or "0")[:6].ljust(6, "0"))
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    # ISO 8601 has a midnight at the end of a day, and minutes of 61 seconds.
    midnight = timedelta(days=(hour, minute, second) == (24, 0, 0))
    clock = (0 if midnight else hour, minute, min(second, 59) if second == 60 else second, part)
    return datetime(year, month, day, *clock, tzinfo=_zone(match["zone"])) + midnight


def _in_24_hours(text: str) -> str:
    """The text with a clock of twelve hours made one of twenty-four."""
    text = _HALF_BEFORE.sub(lambda found: str(_hour(found[2], found[1])), text)
    return _HALF_AFTER.sub(lambda found: f"{_hour(found[1], found[3].lower()):02}{found[2] or ':00'}", text)


def _hour(digits: str, half: str) -> int:
    hour = int(digits)
    # "13:05 PM" is written too, and has no other meaning.
    return hour if hour > 12 else hour % 12 + (12 if half in _AFTER_NOON else 0)


def _zone(name: str | None) -> timezone | None:
    """The zone of "Z", "+0200", "+02:00", "+02", "GMT+2:00" or "CEST"; `None` if it is not known."""
    if not name:
        return None
    name = name.upper().strip()
    if match := re.fullmatch(r"(?:UTC|GMT|UT|Z)?\s*([+-])(\d{1,2}):?(\d{2})?", name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-offset if match[1] == "-" else offset)
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else None

"""Dates as pages write them, made ISO 8601: with time and zone where given, never made up."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

#: News before newspapers; what lies before is a mistake.
_EARLIEST = 1600
#: Clocks are wrong and zones are left out: a day's grace.
_GRACE = timedelta(days=1)

_ISO = re.compile(
    r"(?P<year>\d{4})[-/.]?(?P<month>\d{2})[-/.]?(?P<day>\d{2})"
    r"(?:(?:[Tt\s]\s*|\s+-\s+)(?P<hour>\d{1,2})[:.]?(?P<minute>\d{2})"
    r"(?:[:.]?(?P<second>\d{2}))?(?:[.,](?P<part>\d{1,9}))?"
    r"\s*(?P<zone>[Zz]|(?:UTC|GMT)?\s*[+-]\d{1,2}:?\d{2}|[+-]\d{2}|[A-Z]{3,5})?)?"
    r"(?:\s*\[[\w/]+\])?"
)
# 28.04.2023, 28/04/2023 14:05: the day first, unless the second number is no month.
_DAY_FIRST = re.compile(
    r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})"
    r"(?:,?\s+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?::(?P<second>\d{2}))?(?P<part>)(?P<zone>)(?:\s*\w{1,4})?)?"
)
_CJK = re.compile(
    r"(?P<year>\d{4})[年년]\s*(?P<month>\d{1,2})[月월]\s*(?P<day>\d{1,2})[日일]"
    r"(?:\s*(?P<hour>\d{1,2})[:：时時시]\s*(?P<minute>\d{2})(?:[:：]?(?P<second>\d{2}))?(?P<part>)(?P<zone>)[分분]?)?"
)
_UNIX = re.compile(r"(?:/Date\()?(\d{10}|\d{13})(?:\)/)?")
# "Fri Apr 28 19:20:36 CEST 2023", as Java and JavaScript print dates.
_JAVA = re.compile(
    r"[A-Z][a-z]{2},? (?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2}) (?:(?P<year1>\d{4}) )?(?P<time>\d\d:\d\d:\d\d)"
    r"(?: (?P<zone>[A-Z]{2,5}(?:[+-]\d{4})?|[+-]\d{4}))?(?: (?P<year2>\d{4}))?(?: \(.*\))?"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ENGLISH = re.compile(
    r"(?:[A-Z][a-z]{2,8},? )?(?:(?P<m1>[A-Z][a-z]{2,8})\.? (?P<d1>\d{1,2})(?:st|nd|rd|th)?|"
    r"(?P<d2>\d{1,2})(?:st|nd|rd|th)? (?P<m2>[A-Z][a-z]{2,8})\.?),? (?P<year>\d{4})"
    r"(?:,?(?: at| -)? (?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))? ?(?P<half>[AaPp]\.?[Mm]\.?)?"
    r" ?(?P<zone>[A-Z]{2,5})?)?"
)
# Hours east of Greenwich. Names of zones are ambiguous; these are the ones news pages print.
_ZONES = {
    name: hours
    for hours, zone_names in {
        0: "Z UTC GMT WET",
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

    `None` for what is no date, lies more than a day after `now`, or cannot be the date of an article: before 1600, or
    the first day of Unix time, which stands for "missing".
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
    for form in (_ISO, _CJK, _DAY_FIRST):
        if match := form.fullmatch(text):
            return _numbers(match)
    if match := _UNIX.fullmatch(text):
        seconds = int(match[1]) / (1000 if len(match[1]) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    if match := _JAVA.fullmatch(text):
        return _java(match)
    if match := _ENGLISH.fullmatch(text):
        return _english(match)
    if "," in text[:4] or text.count(":") == 2:
        # RFC 5322, the form of HTTP and RSS.
        return parsedate_to_datetime(text)
    return None


def _numbers(match: re.Match[str]) -> date:
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    if month > 12 >= day:
        month, day = day, month
    if match["hour"] is None:
        return date(year, month, day)
    part = int((match["part"] or "0")[:6].ljust(6, "0"))
    clock = (int(match["hour"]) % 24, int(match["minute"]), int(match["second"] or 0), part)
    return datetime(year, month, day, *clock, tzinfo=_zone(match["zone"]))


def _java(match: re.Match[str]) -> date | None:
    year = match["year1"] or match["year2"]
    if year is None or match["month"].lower() not in _MONTHS:
        return None
    hour, minute, second = map(int, match["time"].split(":"))
    month = _MONTHS[match["month"].lower()]
    return datetime(int(year), month, int(match["day"]), hour, minute, second, tzinfo=_zone(match["zone"]))


def _english(match: re.Match[str]) -> date | None:
    month = _MONTHS.get((match["m1"] or match["m2"])[:3].lower())
    if month is None:
        return None
    year, day = int(match["year"]), int(match["d1"] or match["d2"])
    if match["hour"] is None:
        return date(year, month, day)
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    clock = (hour, int(match["minute"]), int(match["second"] or 0))
    return datetime(year, month, day, *clock, tzinfo=_zone(match["zone"]))


def _zone(name: str | None) -> timezone | None:
    """The zone of "Z", "+0200", "+02:00", "+02", "GMT+2:00" or "CEST"; `None` if it is not known."""
    if not name:
        return None
    name = name.upper().strip()
    if match := re.fullmatch(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?", name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-offset if match[1] == "-" else offset)
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else None

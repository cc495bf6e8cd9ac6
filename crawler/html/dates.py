"""Dates as pages and feeds write them, made ISO 8601: with time and zone where given, never made up."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import partial

from crawler.html.clocks import ZONE, at_clock
from crawler.html.month_names import month_of
from crawler.html.printed_dates import Printed, normal, printed_dates
from crawler.html.time_zones import UnknownZone

#: News before newspapers; what lies before is a mistake.
_EARLIEST = 1600
#: Clocks are wrong and zones are left out: a day's grace.
_GRACE = timedelta(days=1)
#: Words before a date that is all a field says: a weekday, "Published".
_MOST_BEFORE = 3
#: Beside a date: that it is one of a change.
CHANGED = re.compile(
    r"updat|modif|revis|opdater|oppdater|uppdater|aktuali[sz]|ge[äa]ndert|mis.{1,3}jour|actualiz|aggiorn|atualiz"
    r"|bijgewerkt|gewijzigd|p[äa]ivitetty|обновл|измен|оновл|zaktuali[sz]|frissít|edited|amended|corrected|korrigiert"
    r"|güncelle|ενημερ|diperbarui|cập nhật|更新|修改|修訂|修订|업데이트|수정|تحديث|עודכן|अपडेट|อัปเดต|aktuálni",
    re.IGNORECASE,
)

_ISO = re.compile(
    r"(?P<year>\d{4})[-/.]?(?P<month>\d{2})[-/.]?(?P<day>\d{2})"
    r"(?:(?:[Tt\s]\s*|\s+-\s+|(?<=\d{8})(?=\d{6}$))(?P<hour>\d{1,2})[:.]?(?P<minute>\d{2})"
    rf"(?:[:.]?(?P<second>\d{{2}}))?(?:[.,](?P<part>\d{{1,9}}))?\s*{ZONE}?)?"
    r"(?:\s*\([^()]*\)|\s*\[[\w/]+\])?"
)
_UNIX = re.compile(r"(?:/Date\()?(\d{10}|\d{13})(?:[+-]\d{4})?(?:\)/)?")
# "Fri Apr 28 19:20:36 CEST 2023", as C and Java print dates.
_JAVA = re.compile(
    r"[A-Z][a-z]{2},? (?P<name>[A-Z][a-z]{2}) (?P<day>\d{1,2}) (?P<hour>\d{1,2}):(?P<minute>\d{2})"
    rf"(?::(?P<second>\d{{2}}))?(?P<part>)(?: {ZONE})? (?P<year>\d{{4}})"
)


def iso(text: str, now: datetime, locale: str = "") -> str | None:
    """Return a date as ISO 8601, such as "2026-11-21", "2026-11-21T20:01:00" or "2026-11-21T20:01:00+01:00".

    `None` for what is no date, has a time that is not understood, lies more than a day after `now`, or cannot be the
    date of an article: before 1600, or the first day of Unix time, which stands for "missing". What 11/03/2026 is
    decides `locale`, a BCP 47 tag; where it says nothing, it is in March, and with a clock of twelve hours or an
    American zone in November. A time in a zone that is not known is left out.
    """
    text = normal(text)
    if not 6 <= len(text) <= 80:
        return None
    try:
        value = _for_machines(text)
    except (ValueError, OverflowError):
        return None
    if value is not None:
        return value.isoformat() if _is_possible(now, value) else None
    found = printed(text, now, locale)
    return found[0].value if len(found) == 1 and _is_all(found[0]) else None


def printed(text: str, now: datetime, locale: str = "") -> list[Printed]:
    """Return the dates in a line of text that an article may have, in its order; of a long text, of its beginning."""
    return [
        each
        for each in printed_dates(text, locale, partial(_is_possible, now), CHANGED)
        if _is_possible(now, datetime.fromisoformat(each.value))
    ]


def detail(text: str) -> int:
    """Return how much an ISO 8601 date says: 0 a day (or its midnight), 1 a time as well, 2 a time and its zone."""
    if "T" not in text or "T00:00:00" in text:
        return 0
    return 2 if re.search(r"[+-]\d\d:\d\d$", text) else 1


def _is_all(found: Printed) -> bool:
    """Whether a text says next to nothing but its date: a time in words behind it would be lost."""
    if re.search(r"\d", found.before + found.after):
        return False
    after = re.findall(r"[^\W_]+", re.sub(r"\(.*?\)", " ", found.after))
    return len(found.before.split()) <= _MOST_BEFORE and all(len(word) == 1 for word in after)


def _is_possible(now: datetime, value: date) -> bool:
    """Whether an article may be of this date."""
    day = value.date() if isinstance(value, datetime) else value
    if day.year < _EARLIEST or day in (date(1970, 1, 1), date(1969, 12, 31)):
        return False
    if not isinstance(value, datetime):
        return value <= (now + _GRACE).date()
    if value.tzinfo is None:
        value = value.replace(tzinfo=now.tzinfo)
    return value <= now + _GRACE


def _for_machines(text: str) -> date | None:
    """The date in one of the forms that programs write; a `datetime` where the text has a time."""
    if match := _UNIX.fullmatch(text):
        seconds = int(match[1]) / (1000 if len(match[1]) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    if match := _ISO.fullmatch(text):
        year, month, day = (int(match[name]) for name in ("year", "month", "day"))
        return _moment(match, date(year, day, month) if month > 12 >= day else date(year, month, day))
    if (match := _JAVA.fullmatch(text)) and (named := month_of(match["name"], "en")):
        return _moment(match, date(int(match["year"]), named, int(match["day"])))
    return None


def _moment(match: re.Match[str], day: date) -> date:
    """The day, with its time where the match has one."""
    if match["hour"] is None:
        return day
    try:
        return at_clock(day, match)
    except UnknownZone:
        return day

"""The day or month that an address names: of an article mostly that of its publication."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from crawler.html.month_names import month_of

_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH, _DAY = r"(?P<month>\d\d?)", r"(?P<day>\d\d?)"
_MM, _DD = r"(?P<month>\d\d)", r"(?P<day>\d\d)"
_NAME = r"(?P<name>[^\W\d_]{3,12})"
_CUT = "[_.-]"
# A date in the middle of a headline is what that is about: it stands at the beginning or at the end of a segment.
_BEGIN, _END = r"(?<=/)", r"(?=/|\.\w+$|$)"
_BEHIND_LETTERS = rf"(?:{_BEGIN}|(?<=/[A-Za-z])|(?<=/[A-Za-z]{{2}})|(?<=/[A-Za-z]{{3}}))"
_IN_SLUG = r"(?<=[_.,-])"

#: Forms of days in a path, the surest first.
_DAYS = tuple(
    re.compile(form)
    for form in (
        # /2026/11/18/slug, /2026-11/18/slug. Of "/2026/11/5-things-to-know" the 5 is no day.
        rf"{_BEGIN}{_YEAR}[/_.-]{_MONTH}/{_DAY}{_END}",
        # /2026-11-18-slug, /2026_11_18/slug, /2026/11-18/slug
        rf"{_BEGIN}{_YEAR}[/_.-]{_MM}{_CUT}{_DD}(?!\d)",
        # /2026/nov/18/slug, /2026-nov-18-slug, /26_novembre_18/slug
        rf"{_BEGIN}{_YEAR}(?P<cut>[/_.-]){_NAME}(?P=cut){_DAY}(?!\d)",
        rf"{_BEGIN}(?P<short>\d\d)_{_NAME}_{_DD}(?!\d)",
        # /2026/1118/slug, /202611/18/slug
        rf"{_BEGIN}{_YEAR}/{_MM}{_DD}{_END}",
        rf"{_BEGIN}{_YEAR}{_MM}/{_DD}{_END}",
        # /18/11/2026/slug, /18-11-2026-slug, /18-nov-2026/slug
        rf"{_BEGIN}(?P<one>\d\d?)(?P<cut>[/_.-])(?P<other>\d\d?)(?P=cut){_YEAR}(?!\d)",
        rf"{_BEGIN}{_DAY}(?P<cut>[/_.-]){_NAME}(?P=cut){_YEAR}(?!\d)",
        # /20261118/slug, /t20261118_1234.html, /20261118104512.html: also with a clock or a number of that day behind.
        rf"{_BEHIND_LETTERS}{_YEAR}{_MM}{_DD}(?:(?!\d)|(?=\d\d))",
        # /slug-2026-11-18/, /slug-18-11-2026.html, /slug-20261118.html, /slug-20261118_ABC/, /slug-20261118104512.html
        rf"{_IN_SLUG}{_YEAR}(?P<cut>{_CUT}){_MM}(?P=cut){_DD}{_END}",
        rf"{_IN_SLUG}(?P<one>\d\d)(?P<cut>{_CUT})(?P<other>\d\d)(?P=cut){_YEAR}{_END}",
        rf"{_IN_SLUG}{_YEAR}{_MM}{_DD}(?:\d{{2,}})?(?:[-_][A-Za-z\d]{{1,12}})?{_END}",
    )
)
#: /2026/11/slug, /2026-11/slug, /2026/nov/slug, /archive/2026-1.html
_MONTHS = (
    re.compile(rf"{_BEGIN}{_YEAR}[/_-]{_MONTH}{_END}"),
    re.compile(rf"{_BEGIN}{_YEAR}[/_-](?P<name>[A-Za-z]{{3}}){_END}"),
)
#: ?date=2026-11-18, ?k=2026111800123
_VALUE = re.compile(rf"{_YEAR}(?:-{_MM}-{_DD}|(?P<month2>\d\d)(?P<day2>\d\d)\d{{2,}})")
#: What every date has; a sitemap has 50,000 addresses, mostly without.
_YEARS = re.compile(r"(?:19|20)\d\d|/\d\d_")
#: Numbers that would be earlier dates are those of something else.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until before `end`, in the time of the site, which nobody knows: written as if it were UTC."""

    start: datetime
    end: datetime


def dates_in_address(url: str, now: datetime) -> tuple[Span, ...]:
    """Return the day or month that an address names, mostly one; none where it names none, or one after tomorrow.

    Two where nobody knows which number is the month ("/03-11-2026/"), the day first. Never raises.
    """
    return tuple(span for span in _named(url) if _EARLIEST <= span.start <= now + _GRACE)


@lru_cache(maxsize=8192)
def _named(url: str) -> tuple[Span, ...]:
    if not _YEARS.search(url):
        return ()
    try:
        parts = urlsplit(url)
        path = unquote(parts.path)
        query = parse_qsl(parts.query, max_num_fields=50) if len(parts.query) <= 1000 else []
    except ValueError:
        return ()
    for forms in (_DAYS, _MONTHS):
        for form in forms:
            if spans := tuple(span for match in form.finditer(path) for span in _spans(match)):
                return spans
    return tuple(span for _, value in query if (match := _VALUE.fullmatch(value)) for span in _spans(match))


def _spans(match: re.Match[str]) -> Iterator[Span]:
    """The readings of a date that was found; none of one that is none."""
    found = match.groupdict()
    year = int(found.get("year") or f"20{found.get('short')}")
    if one := found.get("one"):
        first, second = int(one), int(found["other"])
        # The day first, as nearly everywhere.
        readings = dict.fromkeys([(second, first), (first, second)])
        yield from (span for month, day in readings if (span := _day(year, month, day)))
        return
    name = found.get("name")
    month_found = month_of(name) if name else int(found.get("month") or found["month2"])
    day_found = found.get("day") or found.get("day2")
    if month_found is None:
        return
    span = _day(year, month_found, int(day_found)) if day_found else _month(year, month_found)
    if span is not None:
        yield span


def _day(year: int, month: int, day: int) -> Span | None:
    try:
        start = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return Span(start, start + timedelta(days=1))


def _month(year: int, month: int) -> Span | None:
    if not 1 <= month <= 12:
        return None
    start = datetime(year, month, 1, tzinfo=UTC)
    return Span(start, (start + timedelta(days=31)).replace(day=1))

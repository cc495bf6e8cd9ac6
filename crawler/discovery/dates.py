"""The dates of feeds and sitemaps as aware times in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from crawler.html.dates import iso

#: Dates of the first years of the web and before are a clock at its beginning or a template's placeholder.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# RFC 822 as feeds write it: any weekday or none, years of two digits, months of other languages.
_RFC822 = re.compile(
    r"(?:[^\d,]{1,20},?\s*)?(?P<day>\d{1,2})[\s.-]+(?P<month>[^\W\d]{3,12})\.?[\s-]+(?P<year>\d{4}|\d\d)"
    r"(?:,?\s+(?P<clock>\d{1,2}:\d\d(?::\d\d)?)(?:\.\d+)?\s*(?P<zone>[A-Za-z]{1,5}|(?:GMT|UTC)?[+-]\d\d?:?\d\d)?)?(?:\s*\(.*\))?"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen янв",
            "feb fev fév fév. фев",
            "mar mär maa mrt мар",
            "apr avr abr апр",
            "may mai mag maj mei мая май",
            "jun juin giu июн",
            "jul juil lug июл",
            "aug aoû aou ago авг",
            "sep set сен",
            "oct okt out ott окт",
            "nov ноя",
            "dec dez déc dic дек",
        ),
        start=1,
    )
    for name in names.split()
}
# The military letters stand for no zone that anybody means; "Z" and those of RFC 822 are in `dates`.
_ZULU = re.compile(r"[A-Za-z]")


def moment(text: str, now: datetime) -> datetime | None:
    """Return the time a feed or sitemap means; what names no zone, or one that is not known, is in UTC.

    A date without a time is its midnight. `None` for what is no date, lies more than a day after `now`, or before 1990.
    """
    text = " ".join(text.split())
    if not 6 <= len(text) <= 80:
        return None
    if match := _RFC822.fullmatch(text):
        text = _as_iso(match) or text
    found = iso(text, now) or _partial(text, now)
    if found is None:
        return None
    try:
        time = datetime.fromisoformat(found)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return time if time >= _EARLIEST else None


def _as_iso(match: re.Match[str]) -> str | None:
    name = match["month"].lower()
    month = _MONTHS.get(name[:3]) or _MONTHS.get(name[:4])
    if name.startswith("jui"):
        month = 6 if name.startswith("juin") else 7
    if month is None:
        return None
    year = int(match["year"])
    year += (2000 if year < 70 else 1900) if len(match["year"]) == 2 else 0
    day = f"{year}-{month:02}-{int(match['day']):02}"
    if match["clock"] is None:
        return day
    zone = match["zone"] or ""
    if _ZULU.fullmatch(zone):
        zone = "Z"
    elif re.fullmatch(r"[+-]\d:?\d\d", zone):
        zone = f"{zone[0]}0{zone[1:]}"
    return f"{day} {match['clock'].zfill(5)} {zone}".strip()


def _partial(text: str, now: datetime) -> str | None:
    """W3C's month, "2026-11", and what begins with a whole ISO date but ends oddly."""
    if match := re.match(r"\d{4}-\d\d(?=$)|\d{4}-\d\d-\d\d(?=[T ])", text):
        return iso(match[0] if len(match[0]) > 7 else f"{match[0]}-01", now)
    return None

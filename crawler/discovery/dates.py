"""The dates of feeds and sitemaps as aware times in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from crawler.html.dates import detail, iso

#: Dates of the first years of the web and before are a clock at its beginning or a template's placeholder.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# W3C's month, "2026-11", and a day behind which stands no time.
_MONTH = re.compile(r"\d{4}-\d\d")
_DAY_ONLY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\D*)")


class Stated(NamedTuple):
    """A date as it was told."""

    at: datetime
    #: Whether it was told with a time and a zone; else it may be off by a day.
    exact: bool


def stated(text: str, now: datetime) -> Stated | None:
    """Return the time a feed or sitemap means; what names no zone, or one that is not known, is in UTC.

    A date without a time is its midnight. `None` for what is no date, has a time that is not understood, lies more than
    a day after `now`, or before 1990.
    """
    text = " ".join(text.split())
    if _MONTH.fullmatch(text):
        text = f"{text}-01"
    elif match := _DAY_ONLY.fullmatch(text):
        text = match[1]
    found = iso(text, now)
    if found is None:
        return None
    try:
        time = datetime.fromisoformat(found)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return Stated(time, detail(found) == 2) if time >= _EARLIEST else None


def moment(text: str, now: datetime) -> datetime | None:
    """Return the time of `stated`."""
    found = stated(text, now)
    return found.at if found else None

"""Archive pages of a site: lists of a day's or a month's articles, at addresses that end in a date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

# …/2026/11/21, …/2026-11, …/2026/11/21.html; no name or number may stand behind it.
_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<cut>[/-])(?P<month>\d\d?)(?:(?P=cut)(?P<day>\d\d?))?(?=/?$|\.html?$)"
)
#: Forms of archive addresses that are followed; a site has one or two.
_MOST_FORMS = 3


def archive_pages(links: Iterable[str], since: datetime, until: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield the archive pages of a time, the newest first, with the end of what each lists.

    Made after the links of a site's front page that have the form of one; those that lead elsewhere are not found and
    cost a request each.
    """
    forms: dict[str, tuple[bool, str]] = {}
    for link in links:
        parts = urlsplit(link)
        if found := _DATE.search(parts.path):
            path = parts.path[: found.start()] + "\0" + parts.path[found.end() :]
            form = f"{parts.scheme}://{parts.netloc}{path}"
            padded = len(found["month"]) == 2
            by_day = found["day"] is not None
            cut = found["cut"]
            pattern = cut.join(["%Y", "%m" if padded else "%-m", *(["%d" if padded else "%-d"] if by_day else [])])
            forms.setdefault(form, (by_day, pattern))
    for form, (by_day, pattern) in list(forms.items())[:_MOST_FORMS]:
        for first, end in _periods(by_day, since, until):
            yield form.replace("\0", first.strftime(pattern)), end


def _periods(by_day: bool, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Days or months from the last to the first, each with its end."""
    first = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if not by_day:
        first = first.replace(day=1)
    while True:
        end = first + timedelta(days=1) if by_day else (first + timedelta(days=32)).replace(day=1)
        if end <= since:
            return
        yield first, end
        first = first - timedelta(days=1) if by_day else (first - timedelta(days=1)).replace(day=1)

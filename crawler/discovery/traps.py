"""Addresses that lead into endless ones: calendars, sessions, deep pagination, paths and queries that grow."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qsl, unquote, urlsplit

from crawler.discovery.vocabulary import ACTIONS, CALENDAR_NAMES, ELSEWHERE, PAGE_NAMES, SORT_NAMES

_MAX_QUERY = 400
_MAX_PARAMETERS = 12
_MAX_DEPTH = 14
#: Lists go on behind it, but no news.
_MAX_PAGE = 50

_CALENDAR = re.compile(
    r"(?:event-?)?calendar|kalender|calendario|calendrier|agenda|kalendarz|takvim|events?", re.IGNORECASE
)
_DAY = re.compile(r"(?:19|20)\d\d(?:-?(?:0?[1-9]|1[0-2]))?(?:-?\d\d?)?|(?:week|month|day)", re.IGNORECASE)
_PAGE_PATH = re.compile(r"/(?:page|pagina|seite|strona|sayfa|sida)[/-]?(\d{1,9})(?=/|\.|$)", re.IGNORECASE)
_SESSION_NAMES = re.compile(
    r"(?:php|j)?sess(?:ion)?[-_]?(?:id|key|token)?|sid|s|token|csrf\w*|aspsession\w*", re.IGNORECASE
)
_SESSION = re.compile(r"(?=.*\d)[0-9a-z_-]{20,}", re.IGNORECASE)
_SESSION_PATH = re.compile(r";[a-z]*(?:session|sess|s)id=|/\([A-Z]\([a-z0-9]{24}\)", re.IGNORECASE)


def trap_reason(url: str) -> str | None:
    """Return why an address leads into endless ones, for a person; `None` if it does not. Never raises."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "not an address"
    segments = [segment for segment in unquote(parts.path).lower().split("/") if segment]
    return _of_path(parts.path, segments) or (_of_query(parts.query, segments) if parts.query else None)


def _of_path(path: str, segments: list[str]) -> str | None:
    if len(segments) > _MAX_DEPTH:
        return f"{len(segments)} levels deep"
    if again := _repeated(segments):
        return f"{again!r} again and again in its path"
    if _SESSION_PATH.search(path):
        return "a session id"
    # "/calendar/2031/04": each month leads to the next. An article of a section has more behind its date.
    for place, segment in enumerate(segments[:-1]):
        if _CALENDAR.fullmatch(segment) and all(
            _DAY.fullmatch(each) or each.isdigit() for each in segments[place + 1 :]
        ):
            return "a calendar"
    if (page := _PAGE_PATH.search(path)) and int(page[1]) > _MAX_PAGE:
        return f"page {int(page[1]):,} of a list"
    return None


def _repeated(segments: list[str]) -> str | None:
    """A segment that stands there three times, or a pair that follows itself: a relative link gone wrong."""
    words = [segment for segment in segments if not segment.isdigit()]
    for word, times in Counter(words).items():
        if times >= 3:
            return word
    for place in range(len(words) - 3):
        if words[place : place + 2] == words[place + 2 : place + 4]:
            return "/".join(words[place : place + 2])
    return None


def _of_query(query: str, segments: list[str]) -> str | None:
    if len(query) > _MAX_QUERY:
        return f"a query of {len(query):,} characters"
    try:
        fields = [(name.lower(), value) for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=200)]
    except ValueError:
        return "a very long query"
    if len(fields) > _MAX_PARAMETERS:
        return f"a query of {len(fields)} parameters"
    names = {name.removesuffix("[]") for name, _ in fields}
    for name, value in fields:
        if _SESSION_NAMES.fullmatch(name) and _SESSION.fullmatch(value):
            return "a session id"
        if name in PAGE_NAMES and value.isascii() and value.isdigit() and len(value) < 10:
            # Offsets count entries, not pages.
            limit = _MAX_PAGE * (20 if name in ("offset", "start", "from", "skip") else 1)
            if int(value) > limit:
                return f"page {int(value):,} of a list"
        if name in ELSEWHERE and ("://" in value or value.startswith("/")):
            return "a link that leads on to another address"
    if names & ACTIONS:
        return "an action, not a page"
    if len(names & SORT_NAMES) >= 2:
        return "a sorted or filtered list"
    on_calendar = any(_CALENDAR.fullmatch(segment) for segment in segments)
    if len(names & CALENDAR_NAMES) >= 2 or names & {"tribe-bar-date", "eventdisplay", "ical"}:
        return "a calendar"
    return "a calendar" if on_calendar and names & (CALENDAR_NAMES | {"date", "day", "d"}) else None

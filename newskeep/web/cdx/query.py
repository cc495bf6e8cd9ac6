"""What a CDX client asks, in the words of pywb or of the Internet Archive, as one value."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from starlette.requests import Request

from newskeep.web.addresses import archived_url
from newskeep.web.cdx.fields import FIELDS, field_name
from newskeep.web.cdx.filters import Filter, parse_filter
from newskeep.web.params import Params
from storage.errors import UsageError
from storage.model import Capture
from storage.urls import Match

Dialect = Literal["pywb", "ia"]

#: Captures in one answer where nothing else is asked; pywb has the same.
LIMIT = 100_000
#: The most that may be asked for, and the most that is held in memory to be sorted.
LIMIT_MAX, SORTED_MAX = 10_000_000, 10_000
#: Lines of a block and blocks of a page, as in the indexes that others page through.
BLOCK, PAGE_BLOCKS = 3_000, 5
_MATCHES = ("exact", "prefix", "host", "domain")
_FILTERS_MAX, _FILTER_CHARS = 10, 300
_OUTPUTS = {"pywb": ("cdxj", "json", "text"), "ia": ("text", "json", "cdxj")}


@dataclass(frozen=True, slots=True)
class CdxQuery:
    """One question; times are included, `limit` is never negative."""

    dialect: Dialect
    url: str
    match: Match
    since: datetime | None
    until: datetime | None
    limit: int
    #: Whether the last captures are wanted: newest first with `reverse`, else in order.
    last: bool
    reverse: bool
    closest: datetime | None
    filters: tuple[Filter, ...]
    #: Field and how many characters of it; of neighbours that agree, the first is kept.
    collapse: tuple[tuple[str, int | None], ...]
    fields: tuple[str, ...] | None
    output: str
    resolve_revisits: bool
    offset: int
    page: int | None
    #: Captures of a page.
    page_size: int
    count_pages: bool
    show_resume_key: bool
    resume: Capture | None


def parse_query(request: Request, dialect: Dialect) -> CdxQuery:
    """Read the parameters; unknown ones are passed over, as both servers do. Raises `UsageError`."""
    params = Params(request)
    url, match = _url(params)
    limit = params.integer("limit", -LIMIT_MAX, LIMIT_MAX)
    # pywb asks its index for sort=closest with an empty closest when any order will do.
    sort = params.choice("sort", ("reverse", "closest", "default", "regular"))
    reverse = params.flag("reverse") or sort == "reverse"
    closest = _closest(params)
    last = reverse or (limit is not None and limit < 0)
    most = SORTED_MAX if last or closest else LIMIT
    if limit is not None and abs(limit) > most == SORTED_MAX:
        raise UsageError(f"limit is at most {SORTED_MAX:,} for what has to be sorted")
    resume = params.text("resumeKey", most=12_000)
    return CdxQuery(
        dialect=dialect,
        url=url,
        match=match,
        since=params.time("from", "from_ts", pad="start"),
        until=params.time("to", "to_ts", pad="end"),
        limit=most if limit is None else abs(limit),
        last=last,
        reverse=reverse,
        closest=closest,
        filters=_filters(params, dialect),
        collapse=_collapse(params),
        fields=_fields(params),
        output=params.choice("output", _OUTPUTS[dialect]) or _OUTPUTS[dialect][0],
        resolve_revisits=params.flag("resolveRevisits"),
        offset=params.integer("offset", 0, LIMIT_MAX) or 0,
        page=params.integer("page", 0, LIMIT_MAX),
        page_size=BLOCK * (params.integer("pageSize", 1, 50) or PAGE_BLOCKS),
        count_pages=params.flag("showNumPages"),
        show_resume_key=params.flag("showResumeKey"),
        resume=parse_resume_key(resume) if resume else None,
    )


def _url(params: Params) -> tuple[str, Match]:
    text = params.required("url").strip()
    match = params.choice("matchType", _MATCHES)
    found: str = "exact"
    if text.startswith("*."):
        text, found = text[2:], "domain"
    elif text.endswith("*"):
        text, found = text[:-1], "prefix"
    url = archived_url(text)
    # It may end in the middle of a query that is not there yet.
    if text.endswith("?"):
        url += "?"
    return url, cast(Match, match or found)


def _closest(params: Params) -> datetime | None:
    if params.text("closest") == "now":
        return datetime.now(UTC)
    return params.time("closest", pad="end")


def _filters(params: Params, dialect: Dialect) -> tuple[Filter, ...]:
    texts = params.every("filter", _FILTER_CHARS)
    if len(texts) > _FILTERS_MAX:
        raise UsageError(f"at most {_FILTERS_MAX} filters")
    return tuple(parse_filter(text, whole=dialect == "ia") for text in texts)


def _collapse(params: Params) -> tuple[tuple[str, int | None], ...]:
    found: list[tuple[str, int | None]] = []
    for text in params.every("collapse", 100):
        name, colon, digits = text.partition(":")
        if colon and not (digits.isascii() and digits.isdigit() and len(digits) < 6):
            raise UsageError(f"collapse={text[:100]}: write a field, or a field and a number, such as timestamp:8")
        found.append((field_name(name), int(digits) if colon else None))
    if (digit := params.integer("collapseTime", 1, 14)) is not None:
        found += [("timestamp", digit), ("status", None)]
    return tuple(found)


def _fields(params: Params) -> tuple[str, ...] | None:
    text = params.text("fl", "fields", most=1_000)
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(names) > len(FIELDS):
        raise UsageError(f"fl is a list of fields: {', '.join(FIELDS)}")
    for name in names:
        field_name(name)
    return names


def resume_key(capture: Capture) -> str:
    """Return what names the place behind a capture, to go on there."""
    place = [capture.url, capture.timestamp.timestamp(), capture.filename, capture.offset]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def parse_resume_key(key: str) -> Capture:
    """Return a capture that stands for a place; nothing but the place is true of it. Raises `UsageError`."""
    try:
        url, time, filename, offset = json.loads(base64.b64decode(key.encode("ascii"), b"-_", validate=True))
        moment = datetime.fromtimestamp(time, UTC)
        if not (isinstance(url, str) and isinstance(filename, str) and isinstance(offset, int)) or offset >= 1 << 62:
            raise TypeError(key)
        return Capture(url, moment, None, None, None, filename, offset, 0)
    except (ValueError, TypeError, OverflowError, OSError, RecursionError):
        raise UsageError("resumeKey is not one that was given out here") from None

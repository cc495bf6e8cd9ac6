"""What is held of one address: a time line of its captures."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.addresses import target
from newskeep.web.reading_room import humanize
from newskeep.web.reading_room.charts import TimeLine, time_line
from newskeep.web.reading_room.common import address, archive_of, missing, show
from storage.errors import NotArchived
from storage.model import Capture
from storage.urls import parse_timestamp

#: Captures of a page.
SIZE = 100
_ADDRESS = address("captures")
_SECOND = timedelta(seconds=1)


def page(request: Request) -> Response:
    match, url = target(request, _ADDRESS)
    archive = archive_of(request)
    since = parse_timestamp(match[1], "start") if match[1] else None
    found = list(archive.index.captures(url, since=since, limit=SIZE + 1))
    if not found:
        try:
            # Says whether nothing is held, or only nothing so late.
            archive.find(url)
        except NotArchived as error:
            return missing(request, url, error)
    listed = found[:SIZE]
    return show(
        request,
        "captures.html",
        url=url,
        captures=listed,
        since=since,
        following=_following(listed, found[SIZE]) if found[SIZE:] else None,
        line=_line(listed),
        article=archive.index.article(url),
        others=sorted({capture.url for capture in listed} - {url}),
    )


def _following(listed: list[Capture], first: Capture) -> datetime:
    """Where the next page begins: by whole seconds, and always further on."""
    begin = first.timestamp.replace(microsecond=0)
    return begin if begin > listed[0].timestamp.replace(microsecond=0) else begin + _SECOND


def _line(captures: list[Capture]) -> TimeLine | None:
    return time_line(
        [(each.timestamp, kind_of(each), f"{humanize.when(each.timestamp)}, {each.status}") for each in captures]
    )


def kind_of(capture: Capture) -> str:
    """What a capture is for a time line: "same", "version" (a page), "moved" or "gone" (also a wall in its place)."""
    if capture.wall is not None:
        return "gone"
    if capture.is_revisit:
        return "same"
    if capture.status is None or capture.status >= 400:
        return "gone"
    return "moved" if capture.status >= 300 else "version"

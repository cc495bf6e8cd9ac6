"""Memento (RFC 7089): TimeGates and TimeMaps. The mementos themselves are originals, on the other origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newskeep.web.addresses import Origins, sent_target, target
from newskeep.web.errors import error_response, status_of
from newskeep.web.memento_lookup import mementos, nearest, neighbours
from newskeep.web.withheld import Withheld, mind
from storage.archive import Archive
from storage.errors import NotArchived, UsageError
from storage.model import Capture
from storage.urls import parse_timestamp, timestamp14

#: Mementos in one TimeMap; further ones are in TimeMaps that it links to.
PAGE = 5_000
LINK_FORMAT = "application/link-format"

_TIMEGATE = re.compile(r"/timegate/")
_TIMEMAP = re.compile(r"/timemap/(link|json)/(?:(\d{1,14})/)?")
# RFC 1123, as RFC 7089 wants it. The day of the week is not held against the date.
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) "
    r"(\d\d):(\d\d):(\d\d) GMT"
)
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def routes() -> list[BaseRoute]:
    return [
        Route("/timegate/{url:path}", _timegate),
        Route("/timemap/{url:path}", _timemap),
        Route("/web/{url:path}", _to_originals),
    ]


def http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(text: str) -> datetime:
    """Return the time of an Accept-Datetime field. Raises `UsageError`."""
    match = _HTTP_DATE.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError(text)
        day, month, year, hour, minute, second = match.groups()
        number = _MONTHS.index(month) // 3 + 1
        return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        raise UsageError(
            "Accept-Datetime is not a time as RFC 7089 has it, such as Thu, 31 May 2007 20:35:00 GMT"
        ) from None


def links(origins: Origins, capture: Capture, archive: Archive, modifier: str = "") -> str:
    """The Link field of a memento, and of the TimeGate that leads to it: first, last, before and behind."""
    around = neighbours(archive.index, capture)
    fields = [
        f'<{capture.url}>; rel="original"',
        f'<{origins.timegate(capture.url)}>; rel="timegate"',
        f'<{origins.timemap(capture.url)}>; rel="timemap"; type="{LINK_FORMAT}"',
    ]
    # One link a relation, though several may lead to one place: clients look them up by "first memento".
    for relation, other in (
        ("first memento", around.first),
        ("prev memento", around.before),
        ("memento", capture),
        ("next memento", around.after),
        ("last memento", around.last),
    ):
        if other is not None:
            moment = http_date(other.timestamp)
            fields.append(f'<{origins.memento(other, modifier)}>; rel="{relation}"; datetime="{moment}"')
    return ", ".join(fields)


def _timegate(request: Request) -> Response:
    _, url = target(request, _TIMEGATE)
    archive: Archive = request.app.state.archive
    origins = Origins.of(request)
    vary = {"Vary": "accept-datetime"}
    asked = request.headers.get("accept-datetime")
    try:
        capture = nearest(archive, url, parse_http_date(asked) if asked is not None else None)
        mind(request, capture)
    except Withheld as error:
        return error_response(request, status_of(error), str(error), vary)
    except UsageError as error:
        return error_response(request, 400, str(error), vary)
    except NotArchived as error:
        return error_response(request, 404, str(error), {**vary, "Link": f'<{url}>; rel="original"'})
    path = origins.memento(capture).removeprefix(origins.originals)
    return Response(
        status_code=302, headers={**vary, "Location": origins.open(path), "Link": links(origins, capture, archive)}
    )


def _to_originals(request: Request) -> Response:
    return RedirectResponse(Origins.of(request).open(sent_target(request)), 302)


def _timemap(request: Request) -> Response:
    match, url = target(request, _TIMEMAP)
    since = parse_timestamp(match[2], "start") if match[2] else None
    found = time_map(request.app.state.archive, Origins.of(request), url, since)
    if match[1] == "json":
        return JSONResponse(found.json())
    return PlainTextResponse(found.link_format(), media_type=LINK_FORMAT)


def time_map(archive: Archive, origins: Origins, url: str, since: datetime | None = None) -> TimeMap:
    """Return the TimeMap of a URL, from a time on. Raises `NotArchived`."""
    found = list(islice(mementos(archive, url, since), PAGE + 1))
    begin = timestamp14(since) if since else ""
    return TimeMap(origins, found[0].url if found else url, found[:PAGE], found[PAGE:], begin)


class TimeMap:
    """One TimeMap: mementos, and the first of the next TimeMap if there is one."""

    def __init__(self, origins: Origins, url: str, found: list[Capture], rest: list[Capture], since: str) -> None:
        self._origins = origins
        self._url = url
        self._found = found
        self._next = timestamp14(rest[0].timestamp) if rest else None
        self._since = since

    def link_format(self) -> str:
        return ",\n".join(self._links()) + "\n"

    def _links(self) -> Iterator[str]:
        yield f'<{self._url}>; rel="original"'
        period = ""
        if self._found:
            first, last = (http_date(self._found[place].timestamp) for place in (0, -1))
            period = f'; from="{first}"; until="{last}"'
        yield f'<{self._address("link")}>; rel="self"; type="{LINK_FORMAT}"{period}'
        if self._next:
            begin = http_date(parse_timestamp(self._next))
            yield f'<{self._address("link", self._next)}>; rel="timemap"; type="{LINK_FORMAT}"; from="{begin}"'
        yield f'<{self._origins.timegate(self._url)}>; rel="timegate"'
        for number, capture in enumerate(self._found):
            relation = "memento"
            # Of all mementos, not of this page.
            if number == len(self._found) - 1 and not self._next:
                relation = f"last {relation}"
            if number == 0 and not self._since:
                relation = f"first {relation}"
            yield f'<{self._origins.memento(capture)}>; rel="{relation}"; datetime="{http_date(capture.timestamp)}"'

    def json(self) -> dict[str, object]:
        """The form of the Time Travel service (timetravel.mementoweb.org/guide/api), and `next` beside it."""
        listed = [
            {"datetime": capture.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ"), "uri": self._origins.memento(capture)}
            for capture in self._found
        ]
        held: dict[str, object] = {"list": listed}
        if listed and not self._since:
            held["first"] = listed[0]
        if listed and not self._next:
            held["last"] = listed[-1]
        return {
            "original_uri": self._url,
            "self": self._address("json"),
            "timegate_uri": self._origins.timegate(self._url),
            "timemap_uri": {"link_format": self._address("link"), "json_format": self._address("json")},
            "next": self._address("json", self._next) if self._next else None,
            "mementos": held,
        }

    def _address(self, form: Literal["link", "json"], since: str | None = None) -> str:
        return self._origins.timemap(self._url, form, self._since if since is None else since)

"""What every page of the room is given, and what the handlers have in common."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from newskeep.web.addresses import Origins, target
from newskeep.web.memento_lookup import nearest
from newskeep.web.options import ServeOptions
from newskeep.web.reading_room import humanize
from newskeep.web.reading_room.citations import cited, in_all_styles
from newskeep.web.reading_room.links import Links
from newskeep.web.templating import render
from storage.archive import Archive
from storage.errors import NotArchived
from storage.model import Article, Capture
from storage.urls import parse_timestamp


def show(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page; its template has `links` and `humanize` beside what is given."""
    page = render(request, template, status, links=Links(request), humanize=humanize, **context)
    # The forms that are posted must say where they come from; nothing else ever learns an address.
    page.headers["Referrer-Policy"] = "same-origin"
    return page


def archive_of(request: Request) -> Archive:
    archive: Archive = request.app.state.archive
    return archive


def citations_of(request: Request, capture: Capture, article: Article | None) -> list[tuple[str, str]]:
    """A capture cited in every style: the name of each, and the text."""
    return list(in_all_styles(cited(capture, Origins.of(request).memento(capture), article)))


def may_correct(request: Request) -> bool:
    """Whether who asks may correct articles."""
    options: ServeOptions = request.app.state.options
    return options.may_correct


def address(page: str) -> re.Pattern[str]:
    """What stands before an archived URL in a page's address: its name and perhaps 14 digits or fewer."""
    return re.compile(rf"/{page}/(?:(\d{{1,14}})/)?")


def capture_asked(request: Request, prefix: re.Pattern[str]) -> Capture:
    """Return the capture nearest to what an address names. Raises `UsageError` and `NotArchived`."""
    match, url = target(request, prefix)
    return nearest(archive_of(request), url, parse_timestamp(match[1]) if match[1] else None)


def missing(request: Request, url: str, error: NotArchived) -> HTMLResponse:
    """Return the page for what is not held: what is held of this address, or of its host."""
    archive = archive_of(request)
    held = list(archive.index.captures(url, limit=8))
    near = [] if held else list(archive.index.captures(url, match="host", limit=8))
    return show(request, "missing.html", 404, url=url, why=str(error), held=held, near=near)


def is_ours(request: Request) -> bool:
    """Whether a page of ours sent this: by Sec-Fetch-Site, or by Origin where a browser does not send that."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == Origins.of(request).app

"""Two versions of an article, word by word."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newskeep.web.addresses import target
from newskeep.web.params import Params
from newskeep.web.reading_room.article import number_of, versions_of
from newskeep.web.reading_room.common import archive_of, missing, show
from newskeep.web.reading_room.links import Links
from newskeep.web.withheld import mind
from storage.archive import Archive
from storage.errors import NotArchived, UsageError
from storage.index import ArticleEntry
from storage.urls import normalize, parse_timestamp, timestamp14
from storage.versions import changed_text, changed_title

_ADDRESS = re.compile(r"/compare/(\d{1,14})-(\d{1,14})/")


def chosen(request: Request) -> Response:
    """Lead from the form, where two versions are chosen, to their comparison."""
    params = Params(request)
    url = normalize(params.required("url"))
    before, after = params.time("before", pad="end"), params.time("after", pad="end")
    if before is None or after is None:
        raise UsageError("before and after are the times of two versions")
    return RedirectResponse(Links(request).compare(url, before, after), 303)


def page(request: Request) -> Response:
    match, url = target(request, _ADDRESS)
    archive = archive_of(request)
    try:
        before, after = (_entry(archive, url, text) for text in match.groups())
    except NotArchived as error:
        return missing(request, url, error)
    mind(request, before, after)
    old, new = archive.read_article(before), archive.read_article(after)
    versions = versions_of(archive, url)
    return show(
        request,
        "compare.html",
        url=url,
        before=before,
        after=after,
        old=old,
        new=new,
        title=changed_title(old, new),
        passages=list(changed_text(old, new)),
        versions=versions,
        numbers=[number_of(versions, entry) for entry in (before, after)],
        stamps=[timestamp14(entry.timestamp) for entry in (before, after)],
    )


def _entry(archive: Archive, url: str, text: str) -> ArticleEntry:
    entry = archive.index.article(url, parse_timestamp(text))
    if entry is None:
        raise NotArchived(f"no article text of {url} is held")
    return entry

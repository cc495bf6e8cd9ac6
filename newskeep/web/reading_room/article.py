"""An article: its text, what was removed from the page, what it says of itself, its versions, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newskeep.rights import SiteTerms
from newskeep.web.addresses import target
from newskeep.web.language import gettext
from newskeep.web.payload import SMALL
from newskeep.web.reading_room import humanize, screenshot
from newskeep.web.reading_room.charts import TimeLine, time_line
from newskeep.web.reading_room.common import address, archive_of, citations_of, may_correct, missing, show
from newskeep.web.reading_room.links import Links
from newskeep.web.reading_room.text import fields, parts
from newskeep.web.withheld import mind
from storage.archive import Archive
from storage.errors import NewskeepError, NotArchived
from storage.index import ArticleEntry, Duplicate
from storage.urls import parse_timestamp, timestamp14
from storage.versions import Removal

#: Versions that are read to see which of them a reader would find changed; of more, every other text counts.
READ = 30
#: Versions and copies that are listed.
LISTED, COPIES = 200, 10
_ADDRESS = address("article")


@dataclass(frozen=True, slots=True)
class State:
    """A version of an article, as the time line has it."""

    entry: ArticleEntry
    removals: tuple[Removal, ...] = ()
    captures: int | None = None
    last: datetime | None = None


def page(request: Request) -> Response:
    match, url = target(request, _ADDRESS)
    archive, links = archive_of(request), Links(request)
    at = parse_timestamp(match[1]) if match[1] else None
    try:
        entry = archive.index.article(url, at) or _elsewhere(archive, url, at)
    except NotArchived as error:
        return missing(request, url, error)
    mind(request, entry)
    if timestamp14(entry.timestamp) != match[1]:
        return RedirectResponse(links.article(entry), 302)
    article = archive.read_article(entry)
    capture = archive.index.find(entry.url, entry.timestamp)
    versions = versions_of(archive, entry.url)
    capture = archive.index.find(entry.url, entry.timestamp)
    return show(
        request,
        "article.html",
        article=article,
        entry=entry,
        capture=capture,
        citations=citations_of(request, capture, article) if capture else None,
        pictured=screenshot.is_held(archive, capture, article),
        parts=list(parts(article)),
        removed=len(article.removed),
        rights=(*article.rights, *SiteTerms(archive).of(entry.url, entry.timestamp)),
        tags=archive.index.tags_of(entry.url, entry.timestamp),
        notes=archive.index.notes(entry.url, entry.timestamp),
        corrected=sum(block.overruled is not None for block in article.blocks),
        may_correct=may_correct(request),
        correcting=None,
        fields=fields(article),
        versions=versions,
        number=number_of(versions, entry),
        line=line_of(versions),
        copies=_copies(archive, entry),
    )


def _elsewhere(archive: Archive, url: str, at: datetime | None) -> ArticleEntry:
    """The article that a redirect leads to, or that a revisit repeats. Raises `NotArchived`."""
    capture = archive.find(url, at)
    if capture.length <= SMALL:
        original = archive.get(url, at, follow=True).original
        entry = archive.index.article(original.url, original.timestamp)
        if entry is not None:
            return entry
    raise NotArchived(f"no article text of {url} is held")


def versions_of(archive: Archive, url: str) -> list[State]:
    """The versions of a URL's article in order of time."""
    found = list(islice(archive.index.versions(url), LISTED))
    if len(found) <= READ:
        try:
            return [State(each.entry, tuple(each.removals), each.captures, each.last) for each in archive.versions(url)]
        except NewskeepError:
            # One that cannot be read must not hide the article.
            pass
    return [State(entry) for entry in found]


def number_of(versions: list[State], entry: ArticleEntry) -> int | None:
    """Which version an article is, from 1: the last that began no later."""
    before = [number for number, state in enumerate(versions, 1) if state.entry.timestamp <= entry.timestamp]
    return before[-1] if before else None


def line_of(versions: list[State]) -> TimeLine | None:
    moments = []
    for number, state in enumerate(versions, 1):
        at = state.entry.timestamp
        moments.append((at, "version", gettext("version %(number)s") % {"number": number} + f", {humanize.when(at)}"))
        for removal in state.removals:
            label = gettext("gone (%(status)s)") % {"status": removal.status}
            moments.append((removal.timestamp, "gone", f"{label}, {humanize.when(removal.timestamp)}"))
            if removal.until:
                moments.append((removal.until, "back", gettext("back") + f", {humanize.when(removal.until)}"))
    return time_line(sorted(moments))


def _copies(archive: Archive, entry: ArticleEntry) -> list[Duplicate]:
    return list(archive.index.duplicates(entry, COPIES)) if entry.fingerprint else []

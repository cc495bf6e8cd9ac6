"""Atom feeds of articles that are new in the archive, of those that were changed after they came, and of any search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newskeep.web.addresses import Origins
from newskeep.web.atom import MEDIA_TYPE, FeedEntry, feed
from newskeep.web.conditions import has_it
from newskeep.web.params import Params
from newskeep.web.reading_room.search import SearchForm, find
from newskeep.web.withheld import is_withheld, shown
from storage.archive import Archive
from storage.errors import NewskeepError, UsageError
from storage.index import ArticleEntry
from storage.index.index import Index
from storage.model import Article
from storage.urls import timestamp14
from storage.versions import is_edited

#: Entries of a feed, and articles that are gone through to find as many.
SIZE, SIZE_MAX, SCANNED = 30, 100, 1_000
#: Pages of a search that are gone through: without words, articles that were fetched again stand on several.
_PAGES = 8
_TITLES = {"new": "New articles", "changed": "Changed articles"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which articles a feed is of."""

    site: str | None = None
    tag: str | None = None

    @property
    def asked(self) -> dict[str, str]:
        given = {"site": self.site, "tag": self.tag}
        return {name: value for name, value in given.items() if value}


def routes() -> list[BaseRoute]:
    return [
        Route("/feeds/new.atom", _feed("new")),
        Route("/feeds/changed.atom", _feed("changed")),
        Route("/feeds/search.atom", _search_feed),
    ]


def _feed(kind: str) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        params = Params(request)
        archive: Archive = request.app.state.archive
        chosen = Chosen(params.site(), params.tag())
        origins = Origins.of(request)
        address = f"{origins.app}/feeds/{kind}.atom" + (f"?{urlencode(chosen.asked)}" if chosen.asked else "")
        # The newest article says whether anything can be new, for one look at the index.
        newest = next(archive.index.articles(site=chosen.site, tag=chosen.tag, limit=1), None)

        def entries() -> Iterator[FeedEntry]:
            for entry, article in shown(request, _FINDERS[kind](archive, chosen)):
                # A change is news of its own; an article stays one, whatever capture it was first seen in.
                name = entry.url if kind == "new" else f"{entry.url} {timestamp14(entry.timestamp)}"
                yield _entry(origins, name, entry, entry.timestamp, article)

        title = " ".join([_TITLES[kind], *(f"of {each}" for each in chosen.asked.values())])
        return _answer(request, newest, address, title, f"{origins.app}/", entries())

    return answer


def _search_feed(request: Request) -> Response:
    """What a search of the reading room finds, with the same parameters."""
    asked = replace(SearchForm.of(request), after=None)
    if asked.problem is not None:
        raise UsageError(asked.problem)
    archive: Archive = request.app.state.archive
    origins = Origins.of(request)
    query = f"?{urlencode(asked.asked)}" if asked.asked else ""
    newest = next(archive.index.articles(limit=1), None)

    def entries() -> Iterator[FeedEntry]:
        for entry in _found(request, archive, asked):
            if not is_withheld(request, entry) and (article := _read(archive, entry)):
                # One that was only fetched again is as it was.
                yield _entry(origins, entry.url, entry, _since(archive.index, entry), article)

    title = f"Articles: {', '.join(asked.asked.values())}" if asked.asked else "All articles"
    return _answer(
        request, newest, f"{origins.app}/feeds/search.atom{query}", title, f"{origins.app}/search{query}", entries()
    )


def _found(request: Request, archive: Archive, asked: SearchForm) -> Iterator[ArticleEntry]:
    """Yield the articles of as many pages of a search as a feed may need, each URL once, the newest first."""
    seen: set[str] = set()
    for _ in range(_PAGES):
        page = find(archive, asked, lambda entry: is_withheld(request, entry))
        for line in page.lines:
            if line.entry.url not in seen:
                seen.add(line.entry.url)
                yield line.entry
        if page.after is None:
            return
        asked = replace(asked, after=page.after)


def _since(index: Index, entry: ArticleEntry) -> datetime:
    """When the version of an article that a capture shows was first captured."""
    older = (each.timestamp for each in index.versions(entry.url) if each.timestamp <= entry.timestamp)
    return max(older, default=entry.timestamp)


def _answer(
    request: Request,
    newest: ArticleEntry | None,
    address: str,
    title: str,
    page: str,
    entries: Iterator[FeedEntry],
) -> Response:
    """Return a feed, or 304 to who has it; `newest` is the newest article that can be in it."""
    size = Params(request).integer("limit", 1, SIZE_MAX) or SIZE
    index: Index = request.app.state.archive.index
    # What was hidden or tagged makes another feed.
    changed = "-".join(map(str, [*index.hidden_version(), index.annotation_count()]))
    etag = f'"{newest.id or 0}-{timestamp14(newest.timestamp)}-{size}-{changed}"' if newest else '"empty"'
    if has_it(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    body = feed(address, title, page, newest.timestamp if newest else None, islice(entries, size))
    return Response(body, media_type=MEDIA_TYPE, headers={"ETag": etag})


def _entry(origins: Origins, name: str, entry: ArticleEntry, updated: datetime, article: Article) -> FeedEntry:
    return FeedEntry(
        name,
        article.title or entry.url,
        updated,
        article.authors,
        origins.article(entry.url, entry.timestamp),
        entry.url,
        article.description or article.text,
    )


def new_articles(archive: Archive, chosen: Chosen) -> Iterator[tuple[ArticleEntry, Article]]:
    """Yield the articles whose first capture with text this is, newest first."""
    for entry, versions in _recent(archive.index, chosen):
        if _same(entry, versions[0]) and (article := _read(archive, entry)):
            yield entry, article


def changed_articles(archive: Archive, chosen: Chosen) -> Iterator[tuple[ArticleEntry, Article]]:
    """Yield the articles that a reader would find changed since the version before, newest first."""
    for entry, versions in _recent(archive.index, chosen):
        place = next((number for number, each in enumerate(versions) if _same(entry, each)), 0)
        if not place:
            continue
        before, article = _read(archive, versions[place - 1]), _read(archive, entry)
        if before and article and is_edited(before, article):
            yield entry, article


_FINDERS = {"new": new_articles, "changed": changed_articles}


def _recent(index: Index, chosen: Chosen) -> Iterator[tuple[ArticleEntry, list[ArticleEntry]]]:
    """Yield the newest articles that have text, each with the versions of its URL."""
    known: dict[str, list[ArticleEntry]] = {}
    for entry in index.articles(site=chosen.site, tag=chosen.tag, limit=SCANNED):
        if entry.fingerprint is None:
            continue
        if entry.url not in known:
            known[entry.url] = list(index.versions(entry.url))
        if known[entry.url]:
            yield entry, known[entry.url]


def _same(one: ArticleEntry, other: ArticleEntry) -> bool:
    return (one.filename, one.offset) == (other.filename, other.offset)


def _read(archive: Archive, entry: ArticleEntry) -> Article | None:
    try:
        return archive.read_article(entry)
    except NewskeepError:
        # One that cannot be read must not keep the others out of the feed.
        return None

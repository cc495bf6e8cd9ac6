"""Atom feeds (RFC 4287) of articles that are new in the archive, and of those that were changed after they came."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newskeep.web.addresses import Origins
from newskeep.web.params import Params
from newskeep.web.withheld import shown
from storage.archive import Archive
from storage.errors import NewskeepError
from storage.index import ArticleEntry
from storage.index.index import Index
from storage.model import Article
from storage.urls import timestamp14
from storage.versions import is_edited

#: Entries of a feed, and articles that are gone through to find as many.
SIZE, SIZE_MAX, SCANNED = 30, 100, 1_000
_ATOM = "http://www.w3.org/2005/Atom"
_TITLES = {"new": "New articles", "changed": "Changed articles"}
_SUMMARY_CHARS = 400
# What XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    return [Route("/feeds/new.atom", _feed("new")), Route("/feeds/changed.atom", _feed("changed"))]


def _feed(kind: str) -> Callable[[Request], Response]:
    def feed(request: Request) -> Response:
        params = Params(request)
        archive: Archive = request.app.state.archive
        chosen = Chosen(params.text("site", most=300), params.tag())
        size = params.integer("limit", 1, SIZE_MAX) or SIZE
        # The newest article says whether anything can be new, for one look at the index; what was hidden or tagged,
        # another.
        newest = next(archive.index.articles(site=chosen.site, tag=chosen.tag, limit=1), None)
        changes = [*archive.index.hidden_version(), archive.index.annotation_count() if chosen.tag else 0]
        changed = "-".join(map(str, changes))
        etag = f'"{newest.id or 0}-{timestamp14(newest.timestamp)}-{size}-{changed}"' if newest else '"empty"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        found = shown(request, _FINDERS[kind](archive, chosen))
        root = _document(Origins.of(request), kind, chosen, newest, islice(found, size))
        body = b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="utf-8")
        return Response(body, media_type="application/atom+xml", headers={"ETag": etag})

    return feed


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


def _document(
    origins: Origins,
    kind: str,
    chosen: Chosen,
    newest: ArticleEntry | None,
    found: Iterable[tuple[ArticleEntry, Article]],
) -> ElementTree.Element:
    ElementTree.register_namespace("", _ATOM)
    address = f"{origins.app}/feeds/{kind}.atom" + (f"?{urlencode(chosen.asked)}" if chosen.asked else "")
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    _text(root, "id", _urn(address))
    _text(root, "title", " ".join([_TITLES[kind], *(f"of {each}" for each in chosen.asked.values())]))
    _text(root, "updated", _rfc3339(newest.timestamp if newest else datetime(1970, 1, 1, tzinfo=UTC)))
    _text(_text(root, "author"), "name", "Newskeep")
    _text(root, "generator", "Newskeep")
    _link(root, "self", address, "application/atom+xml")
    _link(root, "alternate", f"{origins.app}/", "text/html")
    for entry, article in found:
        _entry(root, origins, kind, entry, article)
    return root


def _entry(root: ElementTree.Element, origins: Origins, kind: str, entry: ArticleEntry, article: Article) -> None:
    element = _text(root, "entry")
    # A change is news of its own; an article stays one, whatever capture it was first seen in.
    _text(element, "id", _urn(entry.url if kind == "new" else f"{entry.url} {timestamp14(entry.timestamp)}"))
    _text(element, "title", article.title or entry.url)
    _text(element, "updated", _rfc3339(entry.timestamp))
    for name in article.authors:
        _text(_text(element, "author"), "name", name)
    _link(element, "alternate", origins.article(entry.url, entry.timestamp), "text/html")
    _link(element, "via", entry.url)
    summary = article.description or article.text
    _text(element, "summary", summary if len(summary) <= _SUMMARY_CHARS else f"{summary[:_SUMMARY_CHARS]}…")


def _text(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    element.text = None if text is None else _NOT_XML.sub("", text)
    return element


def _link(parent: ElementTree.Element, relation: str, address: str, kind: str | None = None) -> None:
    _text(parent, "link").attrib.update({"rel": relation, "href": address} | ({"type": kind} if kind else {}))


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

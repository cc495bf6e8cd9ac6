"""The article in a page's data, where the page itself is a shell that scripts fill.

The data of a page holds more than its article: teasers, other articles, menus, texts of the interface. So only an
object counts that names this page, by its title or its address, and of it only where its running text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from lxml.etree import _Element

from crawler.extraction.embedded.rendering import as_html, is_elsewhere, is_other, prose, shown
from crawler.extraction.embedded.said import said
from crawler.extraction.embedded.scripts import Data, data
from crawler.html import jsonld
from crawler.html.words import Shingles, tokens

__all__ = ["Embedded", "find", "titles"]

#: Characters of running text from which a body is one.
_LEAST = 300
#: Characters; a shorter title may be of anything.
_TITLE = 12
#: Objects looked at.
_MOST_NODES = 60_000
_DEPTH = 50
#: From this share of an object's text on, the text is in one part of it.
_MOST_OF_IT = 0.6
#: A text of which so much stands in another is the same once more.
_SAME = 0.75
_ARTICLE = re.compile(r"(?:Article|(?<!Job)Posting|Report|Review|Story|Blog)$")
_NAMED = ("title", "headline", "heading", "name", "seoTitle", "displayTitle", "shortTitle", "titel", "label")
_WRAPPED = re.compile(r"(?:seo|display|short)?_?(?:title|headline|heading|slug|url|link|address)s?$", re.I)
_ADDRESSED = (
    *("url", "href", "link", "slug", "path", "permalink", "canonical", "canonicalUrl", "canonical_url", "webUrl"),
    *("shareUrl", "websiteUrl", "website_url", "uri", "route", "pathname", "fullUrl", "publicUrl"),
)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A body found in a page's data: as HTML, and where it was."""

    html: str
    #: "__NEXT_DATA__", "JSON-LD".
    source: str
    #: What the data says of the article, as an object of JSON-LD.
    node: jsonld.Node = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    node: dict[str, Any]
    weight: int
    #: What names this page: 2 its address and its title, 1 one of them.
    rank: int


def find(tree: _Element, url: str, titles: Iterable[str], nodes: Sequence[jsonld.Node] = ()) -> Embedded | None:
    """Return the body of the page's article in the data of its scripts, or in its JSON-LD (`nodes`).

    The longest of them; `None` where no object with running text names this page by its address or one of its titles.
    """
    page = _Page(url, titles)
    found = [body for part in data(tree) if (body := _of(part, page)) is not None]
    told = jsonld.article_node(nodes, [url], titles)
    if told and jsonld.is_type(told, _ARTICLE) and prose(text := jsonld.article_body([told])) >= _LEAST:
        found.append(Embedded(as_html(text), "JSON-LD"))
    return max(found, key=lambda body: prose(shown(body.html)), default=None)


def titles(tree: _Element, *known: str | None) -> list[str]:
    """Return what a page is called: titles `known`, its <title>, that for people who share it, its first heading."""
    shared = tree.xpath("//meta[@property='og:title' or @name='twitter:title']/@content")
    headings = ["".join(map(str, heading.itertext())) for heading in tree.iterfind(".//h1")][:1]
    found = [*known, tree.findtext(".//title"), *map(str, cast(list[Any], shared)), *headings]
    return [title for title in found if title and title.strip()]


def _of(part: Data, page: _Page) -> Embedded | None:
    candidates = _Walk(page).candidates(part.value)
    if not candidates:
        return None
    rank = max(found.rank for found in candidates)
    candidates = [found for found in candidates if found.rank == rank]
    most = max(found.weight for found in candidates)
    # Of an object in another that names the page too, such as the article in the page, the inner one.
    chosen = min((found for found in candidates if found.weight >= _MOST_OF_IT * most), key=lambda found: found.weight)
    body = as_html(_Body(page).of(chosen.node))
    return Embedded(body, part.name, said(chosen.node)) if prose(shown(body)) >= _LEAST else None


class _Page:
    """What names a page: its address, its titles."""

    def __init__(self, url: str, titles: Iterable[str]) -> None:
        self._path = _path(url)
        self._titles = {flat for title in titles if len(flat := _flat(title)) >= _TITLE}

    def rank(self, node: dict[str, Any]) -> int:
        """Return how well an object names this page: 0 not at all, to 2."""
        texts = [text for text in _direct(node) if len(text) <= 2_000]
        titled = any(_TITLE <= len(flat := _flat(text)) <= 400 and self._is_title(flat) for text in texts)
        return titled + any(self.is_address(text) for text in texts)

    def is_address(self, text: str) -> bool:
        """Whether a text is the page's address, as a whole, a path or its last part."""
        path = _path(text)
        if len(path) < 2 or " " in path or not self._path:
            return False
        return path == self._path or (len(path) >= _TITLE and self._path.endswith(f"/{path}"))

    def _is_title(self, text: str) -> bool:
        """Whether a text is one of the titles, or what is left of one without the site's name."""
        return text in self._titles or (
            len(text) >= 2 * _TITLE and any(title.startswith(text) or text.startswith(title) for title in self._titles)
        )

    def names_another(self, node: dict[str, Any]) -> bool:
        """Whether an object has an address and a title, and neither is this page's."""
        address = next((node[key] for key in _ADDRESSED if isinstance(node.get(key), str)), None)
        if address is None or not any(node.get(key) for key in _NAMED) or len(_path(address)) < 2:
            return False
        return self.rank(node) == 0


class _Walk:
    """The objects of a value, with the running text in each."""

    def __init__(self, page: _Page) -> None:
        self._page = page
        self._found: list[_Found] = []
        self._left = _MOST_NODES

    def candidates(self, value: Any) -> list[_Found]:
        """Return the objects that name the page and hold enough text."""
        self._weight(value, 0)
        return self._found

    def _weight(self, value: Any, depth: int) -> int:
        if isinstance(value, str):
            return prose(value)
        if depth > _DEPTH or self._left <= 0:
            return 0
        self._left -= 1
        if isinstance(value, list):
            return sum(self._weight(inner, depth + 1) for inner in value)
        if not isinstance(value, dict):
            return 0
        weight = sum(self._weight(inner, depth + 1) for inner in value.values())
        if weight >= _LEAST and (rank := self._page.rank(value)):
            self._found.append(_Found(value, weight, rank))
        return weight


class _Body:
    """The part of an object that its running text stands in."""

    def __init__(self, page: _Page) -> None:
        self._page = page

    def of(self, value: Any, depth: int = 0) -> Any:
        """Return the string, list or object that is the body; parts that repeat another are left out."""
        if depth > _DEPTH or not isinstance(value, (dict, list)):
            return value
        parts = self._parts(value)
        total = sum(weight for weight, _, _ in parts)
        for weight, _, inner in parts:
            if weight >= _MOST_OF_IT * total and (isinstance(value, dict) or weight >= 0.9 * total):
                return self.of(inner, depth + 1)
        if isinstance(value, list):
            return [inner for inner in value if not self._is_other(inner)]
        kept = {key for _, key, _ in parts}
        return {key: inner for key, inner in value.items() if key in kept or isinstance(inner, str)}

    def _parts(self, value: dict[str, Any] | list[Any]) -> list[tuple[int, Any, Any]]:
        """The parts with running text, longest first, without those that say what a longer one says."""
        items = value.items() if isinstance(value, dict) else enumerate(value)
        weighed = [
            (self._weight(inner), key, inner)
            for key, inner in items
            if not (isinstance(key, str) and is_elsewhere(key)) and not self._is_other(inner)
        ]
        if isinstance(value, list):
            return [part for part in weighed if part[0]]
        parts: list[tuple[int, Any, Any]] = []
        said: list[Shingles] = []
        for part in sorted((part for part in weighed if part[0]), key=lambda part: -part[0]):
            words = tokens(_text(part[2]))
            if not any(shingles.share(words) >= _SAME for shingles in said):
                parts.append(part)
                said.append(Shingles(" ".join(words)))
        return parts

    def _weight(self, value: Any) -> int:
        return sum(map(prose, self._strings(value, 0)))

    def _strings(self, value: Any, depth: int) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif depth <= _DEPTH and isinstance(value, list):
            for inner in value:
                yield from self._strings(inner, depth + 1)
        elif depth <= _DEPTH and isinstance(value, dict) and not self._is_other(value):
            for key, inner in value.items():
                if not is_elsewhere(key):
                    yield from self._strings(inner, depth + 1)

    def _is_other(self, value: Any) -> bool:
        return isinstance(value, dict) and (is_other(value) or self._page.names_another(value))


def _text(value: Any) -> str:
    return shown(as_html(value))


def _direct(node: dict[str, Any]) -> Iterator[str]:
    """The strings of an object, and those that only lie in a wrapper: `{"title": {"rendered": "…"}}`."""
    for key, value in node.items():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict) and _WRAPPED.match(key):
            yield from (inner for inner in value.values() if isinstance(inner, str))


def _flat(text: str) -> str:
    return " ".join(shown(text).split()).casefold()


def _path(address: str) -> str:
    """The path of an address, without slashes around it and an ending such as ".html"."""
    try:
        path = urlsplit(address.strip()).path if len(address) <= 2_000 else ""
    except ValueError:
        return ""
    return re.sub(r"\.\w{2,5}$", "", unquote(path).strip("/"))

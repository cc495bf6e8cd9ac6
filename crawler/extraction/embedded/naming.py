"""What names a page: its address and its titles; and what in its data is named so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from lxml.etree import _Element

from crawler.extraction.embedded.rendering import prose, shown
from crawler.html.words import tokens

#: Characters; a shorter title may be of anything.
_TITLE = 12
#: Letters by which a word is known again in another form, and how many words of a title a body has.
_STEM, _ABOUT = 4, 0.2
_NAMED = ("title", "headline", "heading", "name", "seoTitle", "displayTitle", "shortTitle", "titel", "label")
_WRAPPED = re.compile(r"(?:seo|display|short)?_?(?:title|headline|heading|slug|url|link|address)s?$", re.I)
_ADDRESSED = (
    *("url", "href", "link", "slug", "path", "permalink", "canonical", "canonicalUrl", "canonical_url", "webUrl"),
    *("shareUrl", "websiteUrl", "website_url", "uri", "route", "pathname", "fullUrl", "publicUrl"),
)


class PageNames:
    """What names a page: its address, its titles."""

    def __init__(self, url: str, titles: Iterable[str], descriptions: Iterable[str]) -> None:
        self._path = _path(url)
        self._told = {_flat(text) for text in (*titles, *descriptions)}
        self._titles = {flat for title in titles if len(flat := _flat(title)) >= _TITLE}

    def rank(self, node: dict[str, Any]) -> int:
        """Return how well an object names this page: 0 not at all, to 2."""
        texts = [text for text in _direct(node) if len(text) <= 2_000]
        titled = any(_TITLE <= len(flat := _flat(text)) <= 400 and self._is_title(flat) for text in texts)
        # Settings and statistics know the address of the page as well.
        named = titled or any(node.get(key) for key in _NAMED)
        return titled + (named and any(self.is_address(text) for text in texts))

    def is_address(self, text: str) -> bool:
        """Whether a text is the page's address, as a whole, a path or its last part."""
        path = _path(text)
        if len(path) < 2 or " " in path or not self._path:
            return False
        return path == self._path or (len(path) >= _TITLE and self._path.endswith(f"/{path}"))

    def length(self, body: str) -> int:
        """Return how many characters of running text a body has, each line once, titles and descriptions left out."""
        lines = {_flat(line) for line in body.split("\n")} - self._told
        return sum(map(prose, lines))

    def is_about(self, body: str, headline: str) -> bool:
        """Whether a body has some words of a title of the page, or of its own headline, whatever their ending.

        "Bridge opens | The Paper" beside "Bridge opens" is no title: the paper's name every text may have.
        """
        held = {word[:_STEM] for word in tokens(shown(body))}
        named = {*self._titles, _flat(headline)} - {""}
        bare = [title for title in named if not any(map(title.startswith, named - {title}))]
        return any(_shared(title, held) >= _ABOUT for title in bare)

    def without_title(self, body: str) -> str:
        """Return a body without the lines at its beginning that are one of the titles."""
        lines = body.split("\n")
        while lines and _flat(lines[0]) in self._titles:
            del lines[0]
        return "\n".join(lines)

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


def titles(tree: _Element, *known: str | None) -> list[str]:
    """Return what a page is called: titles `known`, its <title>, that for people who share it, its first heading."""
    shared = tree.xpath("//meta[@property='og:title' or @name='twitter:title']/@content")
    headings = ["".join(map(str, heading.itertext())) for heading in tree.iterfind(".//h1")][:1]
    found = [*known, tree.findtext(".//title"), *map(str, cast(list[Any], shared)), *headings]
    return [title for title in found if title and title.strip()]


def descriptions(tree: _Element) -> list[str]:
    """Return what a page says in its head that it is about."""
    found = tree.xpath(
        "//meta[@name='description' or @property='og:description' or @name='twitter:description']/@content"
    )
    return [str(text) for text in cast(list[Any], found)]


def _direct(node: dict[str, Any]) -> Iterator[str]:
    """The strings of an object, and those that only lie in a wrapper: `{"title": {"rendered": "…"}}`."""
    for key, value in node.items():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict) and _WRAPPED.match(key):
            yield from (inner for inner in value.values() if isinstance(inner, str))


def _shared(title: str, held: Collection[str]) -> float:
    """Which part of the words of a title are held, by their beginnings; of words that say something."""
    words = {word[:_STEM] for word in tokens(title) if len(word) >= _STEM or not word.isascii()}
    return len([word for word in words if word in held]) / len(words) if words else float(bool(title))


def _flat(text: str) -> str:
    return " ".join(shown(text).split()).casefold()


def _path(address: str) -> str:
    """The path of an address, without slashes around it and an ending such as ".html"."""
    try:
        path = urlsplit(address.strip()).path if len(address) <= 2_000 else ""
    except ValueError:
        return ""
    return re.sub(r"\.\w{2,5}$", "", unquote(path).strip("/"))

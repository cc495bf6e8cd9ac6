"""The machine-readable parts of a page: `<meta>`, JSON-LD, `<link>`, `<title>`, and the elements that are like them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element, strip_elements

from crawler.html import jsonld
from crawler.html.jsonld import Node, many, plain

_CANONICAL = frozenset({"canonical", "CANONICAL", "Canonical"})
_LONGEST_ADDRESS = 2_000
_MOST_HEADINGS = 60
#: In characters; a longer one is a text that was marked as one.
_LONGEST_HEADING = 1_000
#: Names of what stands in a heading and is no part of the headline.
_BESIDE = re.compile(
    r"badge|\blabel|\bflag|visually-?hidden|sr-only|screen-reader|paywall|premium|\bpill\b",
    re.IGNORECASE,
)
#: Where a page is whose address is not known.
_ANYWHERE = "https://site.invalid/page"
_NO_LETTER = re.compile(r"[\W_]+")


class HtmlMetadata:
    """What a page declares of itself; `now` is the time no article can be younger than."""

    def __init__(self, tree: _Element, url: str, nodes: list[Node], now: datetime) -> None:
        self.tree, self.url, self.nodes, self.now = tree, url, nodes, now
        #: Name in lower case -> contents, in page order.
        self.meta: dict[str, list[str]] = {}
        for element in tree.iter("meta"):
            self._add(element)
        #: Headings of the first ranks with a text, and the text, in page order.
        headings = islice(tree.iter("h1", "h2", "h3"), _MOST_HEADINGS)
        self.headings = [(each, text) for each in headings if (text := _heading_text(each)[:_LONGEST_HEADING])]

        addresses = filter(None, (url, *self.canonicals[:1], *self.metas("og:url")[:1]))
        called = (*self.metas("og:title")[:1], *(text for each, text in self.headings if each.tag == "h1"))
        self.article = jsonld.article_node(nodes, addresses, called)

    def _add(self, meta: _Element) -> None:
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or meta.get("http-equiv")
        content = (meta.get("content") or meta.get("value") or "").strip()
        if name and content:
            # Some write the prefix out: "http://ogp.me/ns/article#author".
            name = name.strip().lower().replace("http://ogp.me/ns/article#", "article:")
            self.meta.setdefault(name.removeprefix("http://ogp.me/ns#"), []).append(content)

    def headline(self, title: str) -> _Element | None:
        """The heading that is the article's title, or else its first `<h1>`."""
        wanted = letters_of(title)
        same = (each for each, text in self.headings if wanted and letters_of(text) == wanted)
        first = (each for each, _ in self.headings if each.tag == "h1")
        return next(chain(same, first), None)

    def is_logo(self, heading: _Element) -> bool:
        """Whether a heading links to the front page."""
        links = (link.get("href") or "" for link in heading.iter("a"))
        return any(not path_of(absolute(self.url or _ANYWHERE, href)) for href in links if href not in ("", "#"))

    @property
    def html_title(self) -> str:
        """The first `<title>`: an `<svg>` has titles as well."""
        return next((text for element in self.tree.iter("title") if (text := text_of(element))), "")

    @cached_property
    def canonicals(self) -> list[str]:
        """The addresses of `<link rel="canonical">`."""
        links = (link for link in self.tree.iter("link") if link.get("rel") in _CANONICAL)
        return [href for link in links if (href := link.get("href")) is not None]

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """The JSON-LD objects that others point to."""
        return jsonld.by_id(self.nodes)

    @cached_property
    def site_names(self) -> list[str]:
        """What the site calls itself."""
        return list(dict.fromkeys(name.strip() for name in self._site_names() if 0 < len(name.split()) <= 7))

    def _site_names(self) -> Iterator[str]:
        yield from self.metas("og:site_name", "application-name", "apple-mobile-web-app-title")
        yield from self.metas("publisher", "dc.publisher")
        sites = (node for node in self.nodes if node.get("@type") == "WebSite")
        for node in (*many(self.article.get("publisher")), *sites):
            resolved = self.resolve(node)
            for names in (resolved.get("name"), resolved.get("alternateName")):
                yield from (name for name in many(names) if isinstance(name, str))
        parts = [part for part in host_of(self.url).split(".") if part != "www"]
        # Of "news.example.co.uk": all, the last two, and the longest but the last.
        yield from (".".join(parts), ".".join(parts[-2:]), max(parts[:-1], key=len, default=""))

    def metas(self, *names: str) -> list[str]:
        """The contents of the `<meta>` of these names, the first name's first."""
        return [content for name in names for content in self.meta.get(name, ())]

    def sourced(self, *names: str) -> Iterator[tuple[str, str]]:
        """The same with their sources."""
        return ((f"meta {name}", content) for name in names for content in self.meta.get(name, ()))

    def from_article(self, *names: str) -> Iterator[tuple[str, str]]:
        """The strings of some properties of the article's JSON-LD, with their sources."""
        for name in names:
            for value in many(self.article.get(name)):
                if isinstance(value, str) and value.strip():
                    yield f"json-ld {name}", plain(value)

    def from_web_page(self, *names: str) -> Iterator[tuple[str, str]]:
        """The strings of some properties of the page itself, which systems of blogs give instead of the article's."""
        pages = (node for node in self.nodes if node.get("@type") == "WebPage")
        for value in (value for node in islice(pages, 1) for name in names for value in many(node.get(name))):
            if isinstance(value, str):
                yield "json-ld WebPage", plain(value)

    def resolve(self, node: Any) -> Node:
        """A JSON-LD value as an object: a name alone, or the object another one points to."""
        if isinstance(node, str):
            return self.by_id.get(node) or {"name": node}
        if not isinstance(node, dict):
            return {}
        return node if node.get("name") else self.by_id.get(str(node.get("@id")), node)


def text_of(element: _Element) -> str:
    """All text below an element, on one line."""
    return " ".join("".join(map(str, element.itertext("*"))).split())


def _heading_text(heading: _Element) -> str:
    """The text of a heading without the badges, labels and times that stand in it; all if there is nothing else."""
    if not any(map(_is_beside, heading.iterdescendants("*"))):
        return text_of(heading)
    bare = deepcopy(heading)
    for each in filter(_is_beside, bare.iterdescendants("*")):
        each.tag = "time"
    strip_elements(bare, "time", with_tail=False)
    return text_of(bare) or text_of(heading)


def _is_beside(element: _Element) -> bool:
    return element.tag == "time" or _BESIDE.search(element.get("class") or "") is not None


@lru_cache(maxsize=4096)
def letters_of(text: str) -> str:
    """The letters and digits of a text in one case: what two forms of a name or a title have in common."""
    return _NO_LETTER.sub("", text).casefold()


def absolute(base: str, text: str) -> str:
    """An absolute http or https address without fragment; empty for everything else."""
    text = text.strip()
    if len(text) > _LONGEST_ADDRESS or len(text.split()) != 1:
        return ""
    try:
        parts = urlsplit(urljoin(base, text))
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        return ""
    return parts._replace(fragment="").geturl() if valid else ""


def host_of(url: str) -> str:
    """The host of an address; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def path_of(url: str) -> str:
    """The path of an address without slashes at its ends."""
    try:
        return urlsplit(url).path.strip("/")
    except ValueError:
        return ""

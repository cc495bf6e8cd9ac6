"""The machine-readable parts of a page: `<meta>`, JSON-LD, `<link>`, `<title>`, and the elements that are like them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from crawler.html import jsonld
from crawler.html.jsonld import Node, many, plain

_CANONICAL = frozenset({"canonical", "CANONICAL", "Canonical"})
_LONGEST_ADDRESS = 2_000


class HtmlMetadata:
    """What a page declares of itself; `now` is the time no article can be younger than."""

    def __init__(self, tree: _Element, url: str, nodes: list[Node], now: datetime) -> None:
        self.tree, self.url, self.nodes, self.now = tree, url, nodes, now
        self.article = jsonld.article_node(nodes)
        #: Name in lower case -> contents, in page order.
        self.meta: dict[str, list[str]] = {}
        for element in tree.iter("meta"):
            self._add(element)
        self.headings = list(tree.iter("h1"))

    def _add(self, meta: _Element) -> None:
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or meta.get("http-equiv")
        content = (meta.get("content") or meta.get("value") or "").strip()
        if name and content:
            # Some write the prefix out: "http://ogp.me/ns/article#author".
            name = name.strip().lower().replace("http://ogp.me/ns/article#", "article:")
            self.meta.setdefault(name.removeprefix("http://ogp.me/ns#"), []).append(content)

    @property
    def html_title(self) -> str:
        """The first `<title>`: an `<svg>` has titles as well."""
        return next((text for element in self.tree.iter("title") if (text := text_of(element))), "")

    @property
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

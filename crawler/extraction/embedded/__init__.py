"""The article in a page's data, where the page itself is a shell that scripts fill.

The data of a page holds more than its article: teasers, other articles, menus, texts of the interface. So only an
object counts that names this page, by its title or its address, and of it only where its running text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml.etree import _Element

from crawler.extraction.embedded.body import Body
from crawler.extraction.embedded.naming import PageNames, descriptions, titles
from crawler.extraction.embedded.rendering import as_html, prose
from crawler.extraction.embedded.said import said
from crawler.extraction.embedded.scripts import Data, data
from crawler.html import jsonld

__all__ = ["Embedded", "find", "titles"]

#: Characters of running text from which a body is one.
_LEAST = 400
#: Objects looked at.
_MOST_NODES = 60_000
_DEPTH = 50
#: An object in another is the one that counts where it has this share of the other's text.
_INNER = 0.6
#: A body has at least this share of its object's text: it may stand there twice or three times.
_SHARE = 0.3
_ARTICLE = re.compile(r"(?:Article|(?<!Job)Posting|Report|Review|Story|Blog)$")


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


def find(tree: _Element, url: str, called: Iterable[str], nodes: Sequence[jsonld.Node] = ()) -> Embedded | None:
    """Return the body of the page's article in the data of its scripts, or in its JSON-LD (`nodes`).

    The longest of them; `None` where no object with running text names this page by its address or one of the titles
    it is `called`.
    """
    page = PageNames(url, called, descriptions(tree))
    found = [body for part in data(tree) if (body := _of(part, page)) is not None]
    told = jsonld.article_node(nodes, [url], called)
    if told and jsonld.is_type(told, _ARTICLE) and (text := jsonld.article_body([told])):
        told_body = page.without_title(as_html(text))
        if page.length(told_body) >= _LEAST:
            found.append(Embedded(told_body, "JSON-LD"))
    return max(found, key=lambda body: page.length(body.html), default=None)


def _of(part: Data, page: PageNames) -> Embedded | None:
    candidates = _Walk(page).candidates(part.value)
    if not candidates:
        return None
    rank = max(found.rank for found in candidates)
    candidates = [found for found in candidates if found.rank == rank]
    most = max(found.weight for found in candidates)
    # Of an object in another that names the page too, such as the article in the page, the inner one.
    chosen = min((found for found in candidates if found.weight >= _INNER * most), key=lambda found: found.weight)
    whole = Body(page)
    body = page.without_title(as_html(whole.of(chosen.node)))
    # Where most of its text is somewhere else, what was taken for the body is none.
    if page.length(body) < max(_LEAST, _SHARE * whole.own(chosen.node)):
        return None
    node = said(chosen.node)
    return Embedded(body, part.name, node) if page.is_about(body, node.get("headline", "")) else None


class _Walk:
    """The objects of a value, with the running text in each."""

    def __init__(self, page: PageNames) -> None:
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

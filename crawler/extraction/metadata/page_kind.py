"""What a page is by its own account: an article, or a forum's thread, a product, a list of other pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from lxml.etree import _Element

from crawler.extraction.metadata.html_metadata import HtmlMetadata
from crawler.html import jsonld
from crawler.html.jsonld import Node, many

Kind = Literal["article", "forum thread", "product", "collection page", "documentation", "service page", "profile"]

#: Kind -> the types of schema.org that say so, the surest first: a list of products has products in it.
_TYPES: dict[Kind, re.Pattern[str]] = {
    "forum thread": re.compile(r"^(?:DiscussionForumPosting|QAPage)$"),
    "collection page": re.compile(r"^(?:CollectionPage|SearchResultsPage|OfferCatalog)$"),
    "product": re.compile(r"^(?:Product|ProductGroup|ProductModel|IndividualProduct)$"),
    "documentation": re.compile(r"^APIReference$"),
    "service page": re.compile(
        r"^(?:Service|ProfessionalService|FinancialProduct|SoftwareApplication|WebApplication)$"
    ),
    "profile": re.compile(r"^ProfilePage$"),
}
#: Beginnings of og:type.
_OPEN_GRAPH: dict[str, Kind] = {
    "product": "product",
    "og:product": "product",
    "profile": "profile",
    "business.business": "service page",
}
#: Programs that make documentation and nothing else.
_GENERATORS = re.compile(
    r"\b(?:sphinx|mkdocs|docusaurus|vitepress|doxygen|javadoc|rustdoc|gitbook|docfx|antora)\b", re.I
)
_ARTICLE = re.compile(r"(?:Article|BlogPosting|Report|Review|LiveBlogPosting|Recipe|HowTo)$")
#: What an article has in it is not what the page is.
_PARTS = (
    "mentions",
    "about",
    "isRelatedTo",
    "citation",
    "itemReviewed",
    "mainEntity",
    "hasPart",
    "publisher",
    "author",
)


def page_kind(page: HtmlMetadata, heading: _Element | None) -> Kind | None:
    """Return what a page says it is, an article first of all; `None` where nothing is said.

    `heading` is the page's headline: microdata counts where it is around that.
    """
    types = [*_json_ld(page.nodes), *_microdata(heading)]
    thread = any(_TYPES["forum thread"].search(name) for name in types)
    if not thread and (any(map(_ARTICLE.search, types)) or _claims_article(page)):
        return "article"
    for kind, pattern in _TYPES.items():
        if any(map(pattern.search, types)):
            return kind
    for stated in page.metas("og:type")[:1]:
        for beginning, kind in _OPEN_GRAPH.items():
            if stated.lower().startswith(beginning):
                return kind
    generators = page.metas("generator")
    return "documentation" if any(map(_GENERATORS.search, generators)) else None


def _claims_article(page: HtmlMetadata) -> bool:
    """Whether the page is an article for those who share it, or says when it was published as one."""
    stated = [text.lower() for text in page.metas("og:type")[:1]]
    return "article" in stated or bool(page.metas("article:published_time"))


def _json_ld(nodes: list[Node]) -> Iterator[str]:
    """The types of the objects that are no part of another one."""
    inner = {id(part) for node in nodes for name in _PARTS if name in node for part in many(node[name])}
    for node in nodes:
        if id(node) not in inner or jsonld.is_type(node, _ARTICLE):
            yield from (name for name in many(node.get("@type")) if isinstance(name, str))


def _microdata(heading: _Element | None) -> Iterator[str]:
    """The types of the items around the headline."""
    if heading is not None:
        for each in (heading, *heading.iterancestors()):
            yield (each.get("itemtype") or "").strip().rstrip("/").rsplit("/", 1)[-1]

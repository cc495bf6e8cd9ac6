"""What a page says of itself: what robots may do with it, and whether it is an article."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from crawler.discovery.links import Likelihood
from crawler.discovery.url_shape import Examples, looks_like_article
from crawler.html import jsonld
from crawler.html.document import Tree

_LISTS = re.compile(r"^(?:CollectionPage|ItemList|SearchResultsPage|ProfilePage|ContactPage|AboutPage)$")
_ARTICLE = re.compile(r"(?:Article|BlogPosting|Report|LiveBlogPosting|NewsStory)$")


def robots_rules(tree: Tree, user_agent: str) -> tuple[bool, bool]:
    """Return whether meta elements for all robots, or for ours, say nofollow, noindex.

    The stricter rule holds where several are given, as search engines have it.
    """
    own = user_agent.split("/", maxsplit=1)[0].split("(", maxsplit=1)[0].strip().lower()
    rules: set[str] = set()
    for meta in tree.iter("meta"):
        name = (meta.get("name") or "").strip().lower()
        if name in ("robots", own) and name:
            rules.update(re.split(r"[\s,;]+", (meta.get("content") or "").lower()))
    nothing = "none" in rules
    return nothing or "nofollow" in rules, nothing or "noindex" in rules


def article_verdict(tree: Tree, url: str, examples: Examples | None = None) -> Likelihood:
    """Whether the page at `url` is itself one article, by its JSON-LD, its og:type and its address."""
    try:
        path = urlsplit(url).path.strip("/")
    except ValueError:
        path = ""
    shape = looks_like_article(url, examples)
    if not path and not shape:
        return Likelihood(0.0, "a front page")
    nodes = jsonld.nodes(tree)
    articles = sum(jsonld.is_type(node, _ARTICLE) for node in nodes)
    if any(jsonld.is_type(node, _LISTS) for node in nodes) and articles != 1:
        return Likelihood(min(shape.score, 0.3), "its JSON-LD says it is a list")
    og = _og_type(tree)
    if 1 <= articles <= 3:
        return Likelihood(0.95 if shape.score >= 0.2 or og == "article" else 0.6, "its JSON-LD says it is an article")
    if og == "article":
        # WordPress marks lists and imprints so, too.
        return Likelihood(0.9 if shape else (0.6 if shape.score >= 0.2 else 0.4), "its og:type is article")
    if og == "website":
        return Likelihood(round(shape.score * 0.6, 2), f"its og:type is website; {shape.reason}")
    return Likelihood(round(shape.score * 0.9, 2), shape.reason)


def _og_type(tree: Tree) -> str:
    for meta in tree.iter("meta"):
        if (meta.get("property") or meta.get("name") or "").lower() == "og:type":
            return (meta.get("content") or "").strip().lower().removeprefix("og:")
    return ""

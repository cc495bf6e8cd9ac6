"""The JSON-LD of a page (schema.org), read tolerantly: most of it was written by templates, not by JSON libraries."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml.etree import _Element
from lxml.html import fromstring

Node = dict[str, Any]

# Bounds on what one page can cost.
_MAX_SCRIPT = 2_000_000
_MAX_SCRIPTS = 60
_MAX_NODES = 4_000
_MAX_DEPTH = 40

_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|(?://|/\*)?\s*\]\]>(?:\s*\*/)?)\s*$"
)
# A comment after a value or on a line of its own; "//" within a string follows a colon or a letter.
_LINE_COMMENT = re.compile(r"(?<=[\s,{}\[\]\"])//[^\"\n]*$", re.MULTILINE)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_PLAIN_FIELD = re.compile(r'"(@type|headline|datePublished|dateModified)"\s*:\s*"([^"\n]*)"\s*[,}\n]')
_BAD_ESCAPE = re.compile(r'\\(?!["\\/bfnrtu])')
_ARTICLE = re.compile(r"(?:Article|(?<!Job)Posting|Report|Review|Story|Blog)$")
_MARKUP = re.compile(r"<(?:p|br|div|a|strong|em|b|i|h\d|span|ul|li|img|figure)\b[^>]*>", re.IGNORECASE)
#: Articles within an article: the posts of a live blog, other articles it names.
_PARTS = (
    *(
        "liveBlogUpdate",
        "hasPart",
        "itemListElement",
        "item",
        "citation",
        "comment",
        "relatedLink",
        "mentions",
        "review",
    ),
    *("isRelatedTo", "isBasedOn", "subjectOf", "blogPost", "blogPosts"),
)
_TELLING = ("headline", "datePublished", "author", "articleBody", "mainEntityOfPage", "image", "dateModified")


def nodes(tree: _Element) -> list[Node]:
    """Return every JSON-LD object of the page, outer before inner, in page order.

    What cannot be parsed is left out; at most 4,000 objects of 40 levels are read.
    """
    found: list[Node] = []
    scripts = [script for script in tree.iter("script") if "ld+json" in (script.get("type") or "").lower()]
    for script in scripts[:_MAX_SCRIPTS]:
        for value in _values(script.text or ""):
            for node in _walk(value):
                found.append(node)
                if len(found) >= _MAX_NODES:
                    return found
    return found


def article_node(nodes: Iterable[Node], addresses: Iterable[str] = (), titles: Iterable[str] = ()) -> Node:
    """Return the object that describes the page's article; empty if there is none.

    Of several (teasers of other articles have the same type) the one that names one of the page's `addresses`, else one
    whose headline is among its `titles`, else one that names no other address; of these the one that says most, the
    first on a tie.
    """
    nodes = list(nodes)
    inner = {id(part) for node in nodes for name in _PARTS if name in node for part in many(node[name])}
    own, called = {_place(address) for address in addresses}, {_flat(title) for title in titles}
    best: Node = {}
    most: tuple[object, ...] = ()
    for node in nodes:
        if id(node) in inner or not is_type(node, _ARTICLE) or not (node.get("headline") or node.get("datePublished")):
            continue
        places = set(_places(node))
        telling = sum(bool(node.get(name)) for name in _TELLING)
        is_called = any(_flat(text) in called for text in many(node.get("headline")) if isinstance(text, str))
        rank = (bool(places & own), is_called, not places, telling)
        if telling and rank > most:
            best, most = node, rank
    return best


def _places(node: Node) -> Iterator[str]:
    """Where an object says that it is, or that its page is."""
    for name in ("url", "@id", "mainEntityOfPage"):
        for value in many(node.get(name)):
            address = (value.get("@id") or value.get("url")) if isinstance(value, dict) else value
            if isinstance(address, str) and address.startswith("http"):
                yield _place(address)


def _place(address: str) -> str:
    """An address without what differs between two names of one page: scheme, "www.", query, fragment, last slash."""
    return re.sub(r"^https?://(?:www\.)?|[?#].*$", "", address.strip()).rstrip("/")


def _flat(text: str) -> str:
    return " ".join(plain(text).split()).casefold()


def by_id(nodes: Iterable[Node]) -> dict[str, Node]:
    """Return the objects that have an `@id`, by it; where several have the same, the one with most properties."""
    found: dict[str, Node] = {}
    for node in nodes:
        name = node.get("@id")
        if isinstance(name, str) and len(node) > max(1, len(found.get(name, {}))):
            found[name] = node
    return found


def article_body(nodes: Iterable[Node]) -> str:
    """Return the longest `articleBody` as plain text; empty if there is none. Often a teaser or cut short."""
    best = ""
    for node in nodes:
        body = node.get("articleBody")
        if isinstance(body, list):
            body = "\n".join(part for part in body if isinstance(part, str))
        if isinstance(body, str) and len(body) > len(best):
            best = body
    return plain(best)


def is_type(node: Node, pattern: re.Pattern[str]) -> bool:
    """Whether one of the object's types is found by the pattern."""
    types = node.get("@type")
    return any(isinstance(name, str) and pattern.search(name) is not None for name in many(types))


def many(value: Any) -> list[Any]:
    """Return a JSON-LD value as a list: most properties hold one value or several."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def plain(text: str) -> str:
    """Return the text of a string that may be escaped (once too often) and may hold markup."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if _MARKUP.search(text):
        try:
            parsed = fromstring(f"<div>{_MARKUP.sub(_spaced, text)}</div>")
            text = "".join(map(str, parsed.itertext()))
        except (ValueError, AssertionError, SyntaxError):
            text = _MARKUP.sub(" ", text)
    return text.strip()


def _spaced(match: re.Match[str]) -> str:
    """A tag that starts a new line, with the new line."""
    tag = match[0]
    return f"\n{tag}" if tag[1:3].lower() in ("p", "p ", "p>", "br", "di", "li", "ul") or tag[1:2] in "hH" else tag


def _values(script: str) -> Iterator[Any]:
    """The JSON values of a script, by the first repair that works."""
    if len(script) > _MAX_SCRIPT:
        return
    script = script.strip().lstrip("\ufeff")
    decoder = json.JSONDecoder(strict=False)
    for repaired in _repairs(script):
        try:
            value, end = decoder.raw_decode(repaired)
        except (ValueError, RecursionError):
            continue
        yield value
        # Several objects in one script, one after the other.
        rest = repaired[end:].lstrip(" \t\r\n;,")
        if rest[:1] in ("{", "[") and len(rest) < len(script):
            yield from _values(rest)
        return
    if salvaged := _salvage(script):
        yield salvaged


def _salvage(script: str) -> Node | None:
    """What can be read of an article's object that is not JSON, such as one with quotation marks in its strings."""
    node: Node = {}
    for name, value in _PLAIN_FIELD.findall(script):
        node.setdefault(name, value)
    return node if is_type(node, _ARTICLE) else None


def _repairs(script: str) -> Iterator[str]:
    """The script, and what its author may have meant."""
    yield script
    script = _WRAPPING.sub("", _WRAPPING.sub("", script)).strip()
    start = min((at for at in (script.find("{"), script.find("[")) if at >= 0), default=0)
    script = _TRAILING_COMMA.sub("", _LINE_COMMENT.sub("", script[start:]))
    yield script
    yield _BAD_ESCAPE.sub("", script)
    yield html.unescape(script)
    yield html.unescape(html.unescape(script))


def _walk(value: Any) -> Iterator[Node]:
    """Every object within a value, depth first, without recursion."""
    stack = [(value, 0)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, dict):
            yield value
            inner: Iterable[Any] = value.values()
        elif isinstance(value, list):
            inner = value
        else:
            continue
        if depth < _MAX_DEPTH:
            stack.extend((child, depth + 1) for child in reversed(list(inner)) if isinstance(child, (dict, list)))

"""What an object of a page's data says of its article: title, dates, authors, as an object of JSON-LD."""

from __future__ import annotations

import re
from typing import Any

from crawler.html.jsonld import Node, many, plain

_TITLE = re.compile(r"^(?:headline|title|heading|titel|headlines)$", re.I)
_PUBLISHED = re.compile(
    r"^(?:date_?published|(?:first_?)?publish(?:ed)?(?:_?(?:at|on|date|time|datetime|timestamp|iso))?|"
    r"publication_?(?:date|time)|(?:first_?)?pub_?date|display_?date|date(?:_gmt)?|go_?live_?date|released?_?(?:at|date))$",
    re.I,
)
_MODIFIED = re.compile(r"^(?:date_?modified|(?:last_?)?(?:modified|updated)(?:_?(?:at|on|date|time|gmt))?)$", re.I)
_AUTHORS = re.compile(r"^(?:authors?|by_?lines?|contributors|creators?|written_?by)$", re.I)
_NAMES = ("name", "fullName", "full_name", "displayName", "display_name", "title", "byline")


def said(node: dict[str, Any]) -> Node:
    """Return headline, datePublished, dateModified and author of an object, those that it has."""
    found: Node = {"@type": "NewsArticle"}
    for key, value in node.items():
        if _TITLE.match(key) and (text := _text(value)):
            found.setdefault("headline", plain(text))
        elif _PUBLISHED.match(key) and (text := _text(value)):
            found.setdefault("datePublished", text)
        elif _MODIFIED.match(key) and (text := _text(value)):
            found.setdefault("dateModified", text)
        elif _AUTHORS.match(key) and (people := [name for each in many(value) if (name := _name(each))]):
            found.setdefault("author", [{"@type": "Person", "name": name} for name in people])
    return found


def _text(value: Any) -> str | None:
    """A string or a time as a number; that of an object which is only a wrapper (`{"rendered": "…"}`)."""
    if isinstance(value, dict) and len(value) <= 3:
        value = next((inner for inner in value.values() if isinstance(inner, str)), None)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= 500 else None


def _name(author: Any) -> str | None:
    if isinstance(author, dict):
        author = next((author[key] for key in _NAMES if isinstance(author.get(key), str)), None)
    return plain(author) if isinstance(author, str) and len(author) <= 200 else None

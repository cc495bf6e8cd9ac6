"""Atom (RFC 4287): feeds as bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

MEDIA_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_SUMMARY_CHARS = 400
# What XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One article in a feed."""

    #: What makes it the same entry in every answer.
    name: str
    title: str
    updated: datetime
    authors: tuple[str, ...]
    #: Its page here, and where it comes from.
    page: str
    source: str
    summary: str


def feed(address: str, title: str, page: str, updated: datetime | None, entries: Iterable[FeedEntry]) -> bytes:
    """Return a feed: its own address, the page that shows the same, when something last changed, `None` for never."""
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed")
    _text(root, "id", _urn(address))
    _text(root, "title", title)
    _text(root, "updated", _rfc3339(updated or datetime(1970, 1, 1, tzinfo=UTC)))
    _text(_text(root, "author"), "name", "Newskeep")
    _text(root, "generator", "Newskeep")
    _link(root, "self", address, MEDIA_TYPE)
    _link(root, "alternate", page, "text/html")
    for entry in entries:
        _entry(root, entry)
    body: bytes = ElementTree.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body


def _entry(root: ElementTree.Element, entry: FeedEntry) -> None:
    element = _text(root, "entry")
    _text(element, "id", _urn(entry.name))
    _text(element, "title", entry.title)
    _text(element, "updated", _rfc3339(entry.updated))
    for name in entry.authors:
        _text(_text(element, "author"), "name", name)
    _link(element, "alternate", entry.page, "text/html")
    _link(element, "via", entry.source)
    summary = entry.summary
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

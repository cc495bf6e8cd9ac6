"""Where a feed says that what is new in it is pushed (WebSub, W3C Recommendation of 23 January 2018, 4). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from crawler.discovery.xml_reader import XmlDocument, local

#: Characters of an address; those of hubs have some fifty.
_LONGEST = 2_000
# A link of a Link field and its parameters (RFC 8288, 3).
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]*))*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]*))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Topic:
    """A feed that is pushed: by its canonical address, and the hubs that do, in its order."""

    url: str
    hubs: tuple[str, ...]


def read_topic(content: bytes, url: str, content_type: str | None, link_fields: Iterable[str]) -> Topic | None:
    """Return what a feed fetched from `url` says of hubs, `None` if it names none.

    The fields of the answer count before the document, as the standard has it.
    """
    found: dict[str, list[str]] = {"hub": [], "self": []}
    for relation, address in _declared(content, url, content_type, link_fields):
        if (whole := _absolute(url, address)) is not None:
            found[relation].append(whole)
    if not found["hub"]:
        return None
    return Topic(next(iter(found["self"]), url), tuple(dict.fromkeys(found["hub"])))


def _declared(
    content: bytes, url: str, content_type: str | None, link_fields: Iterable[str]
) -> Iterator[tuple[str, str]]:
    for value in link_fields:
        for address, parameters in _LINK.findall(value):
            for quoted, bare in _REL.findall(parameters)[:1]:
                yield from _of(quoted or bare, address)
    document = XmlDocument(content, url, content_type)
    if document.root in ("rss", "rdf", "feed"):
        for element in document.elements("item", "entry", outside=("link",)):
            if local(element) == "link":
                yield from _of(element.get("rel") or "", element.get("href") or "")
    elif document.root is None and document.head.startswith("{"):
        yield from _of_json(document.text())


def _of(relations: str, address: str) -> Iterator[tuple[str, str]]:
    for relation in relations.lower().split():
        if relation in ("hub", "self"):
            yield relation, address


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    """The hubs of a JSON Feed (version 1.1, `hubs`)."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError):
        return
    match feed:
        case {"feed_url": str(address)}:
            yield "self", address
    hubs = feed.get("hubs") if isinstance(feed, dict) else None
    for each in hubs if isinstance(hubs, list) else ():
        match each:
            case {"type": str(kind), "url": str(address)} if kind.lower() == "websub":
                yield "hub", address


def _absolute(base: str, address: str) -> str | None:
    """An address as it was written, made whole; `None` if it is none of the web. Not normalised: hubs compare it."""
    try:
        whole = urljoin(base, address.strip())
        parts = urlsplit(whole)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return None
    return whole if fits and len(whole) <= _LONGEST and whole.isascii() and whole.isprintable() else None

"""Feeds to links: RSS 0.9 to 2.0, RSS 1.0 (RDF), Atom, JSON Feed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from crawler.discovery.links import Link, Precision, SourceLinks
from crawler.discovery.xml_reader import MAX_LINKS, Problems, XmlDocument, local, resolve, text_of, time_of, title_of

_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_KINDS = {"rss": "rss", "rdf": "rdf", "feed": "atom"}
_PUBLISHED = ("pubdate", "published", "issued", "date", "created")
_MODIFIED = ("updated", "modified", "lastmod")
# Their titles and links are those of a picture, an episode, a thread: words of their namespaces and prefixes.
_FOREIGN = frozenset({"mrss", "media", "itunes", "podcast", "google", "wfw", "wellformedweb", "slash", "enc"})
# An unclosed tag of these moves the fields behind it down. All else that holds a link holds one of its own: Atom's
# `source` (RFC 4287, 4.2.11), the picture of an item, a person.
_HOLLOW = frozenset(
    (
        *("a", "abbr", "b", "br", "em", "font", "hr", "i", "img", "li", "p", "small", "span", "strong"),
        *("u", "ul", "title", "description", "summary", "category", "comments", "pubdate", "guid", "creator", "date"),
        *("updated", "published", "id", "item", "entry"),
    )
)


def read_feed(content: bytes, url: str, content_type: str | None = None, *, now: datetime | None = None) -> SourceLinks:
    """Return the links of an RSS, RDF, Atom or JSON feed fetched from `url`.

    `content_type` is the HTTP header's value, or its charset alone; `now` (aware; the present if left out) judges
    dates that lie ahead. An entry of Atom that was only "updated" counts as published then. Relative links are
    resolved against xml:base, else the channel's link, else `url`. Nothing outside the document is ever asked for.
    """
    document = XmlDocument(content, url, content_type)
    reader = _Entries(document.problems, now or datetime.now(UTC))
    kind = _KINDS.get(document.root or "")
    if kind:
        reader.read_xml(document, url)
    elif document.root is None and document.head[:1] in "{[" and document.head:
        kind = reader.read_json(document.text(), url)
    else:
        document.problems.add(_instead(document))
    if kind and not reader.links:
        document.problems.add("has no entry that could be read" if reader.read else "has no entries")
    return SourceLinks(tuple(reader.links.values()), document.problems.lines(), tuple(reader.next.values()), kind)


def _instead(document: XmlDocument) -> str:
    if document.root == "html":
        return "is an HTML page, not a feed"
    if document.root:
        return "is a sitemap, not a feed"
    return "is no feed" if document.head else "is empty"


class _Entries:
    """Collects the links of one feed."""

    def __init__(self, problems: Problems, now: datetime) -> None:
        self.links: dict[str, Link] = {}
        self.next: dict[str, Link] = {}
        #: Entries so far, also those without a link.
        self.read = 0
        self._problems = problems
        self._now = now

    def read_xml(self, document: XmlDocument, url: str) -> None:
        base = url
        # The feed's own links are "link" elements outside of entries.
        for element in document.elements("item", "entry", outside=("link",)):
            if local(element) != "link":
                if not self._add(_Fields(element), _xml_base(element, base)):
                    return
            elif (above := element.getparent()) is not None and local(above) in ("channel", "feed"):
                base = self._own_link(element, local(above), base, url)

    def _own_link(self, element: etree._Element, above: str, base: str, url: str) -> str:
        """Note a link of the feed itself; return what relative links are resolved against."""
        relation = element.get("rel", "alternate").lower()
        if relation == "next" and (found := resolve(_xml_base(element, base), element.get("href") or "")):
            self.next.setdefault(found, Link(found))
        if above == "channel" and element.get("href") is None:
            return resolve(url, text_of(element)) or base
        return base

    def _add(self, fields: _Fields, base: str) -> bool:
        """Take one entry; false when there have been enough."""
        self.read += 1
        found = next((link for text in fields.links() if (link := resolve(base, text))), None)
        title = title_of(fields.first("title"))
        if found is None:
            bad = next(fields.links(), "")
            self._problems.count("entries with a bad link" if bad else "entries without a link", bad or title or "")
            return True
        modified = time_of(fields.all(*_MODIFIED), self._problems, self._now)
        published = time_of(fields.all(*_PUBLISHED), self._problems, self._now)
        told = published or modified
        precision: Precision = "moment" if told and told.exact else "day"
        if published is None:
            precision = "update"
        return self._keep(Link(found, told and told.at, modified and modified.at, title, precision=precision))

    def _keep(self, link: Link) -> bool:
        if len(self.links) >= MAX_LINKS and link.url not in self.links:
            self._problems.add(f"more than {MAX_LINKS:,} entries; the rest was left unread")
            return False
        self.links.setdefault(link.url, link)
        return True

    def read_json(self, text: str, url: str) -> str | None:
        try:
            feed = json.loads(text)
        except (ValueError, RecursionError):
            self._problems.add("is JSON that cannot be read")
            return None
        items = feed.get("items") if isinstance(feed, dict) else None
        if not isinstance(items, list):
            self._problems.add("is JSON, but not a feed")
            return None
        following = _string(feed, "next_url")
        if following and (found := resolve(url, following)):
            self.next[found] = Link(found)
        home = resolve(url, _string(feed, "home_page_url")) or url
        for item in items:
            if not self._add(_JsonFields(item if isinstance(item, dict) else {}), home):
                break
        return "json"


class _Fields:
    """An entry's own fields by local name, but for those of foreign vocabularies.

    Children come before what lies deeper, those of its own vocabulary before others; else as in the document.
    """

    def __init__(self, entry: etree._Element) -> None:
        self._by_name: dict[str, list[etree._Element]] = {}
        self._about = next((value for name, value in entry.attrib.items() if str(name).endswith("}about")), "")
        # All below, not the children alone: an unclosed tag moves its followers down.
        own = [
            element for element in entry.iterdescendants("*") if not _is_foreign(element) and _is_own(element, entry)
        ]
        for element in sorted(own, key=lambda element: _distance(element, entry)):
            self._by_name.setdefault(local(element), []).append(element)

    def first(self, name: str) -> str:
        return next((text for text in self.all(name)), "")

    def all(self, *names: str) -> Iterator[str]:
        """The texts of the fields with these names that have one."""
        for name in names:
            yield from filter(None, map(text_of, self._by_name.get(name, ())))

    def links(self) -> Iterator[str]:
        """What may be the entry's address, the best first."""
        # Feed services put a counting address into <link> and the true one here.
        yield from self.all("origlink")
        alternates = []
        for link in self._by_name.get("link", ()):
            address, relation = link.get("href"), link.get("rel", "alternate").lower()
            if address is None:
                yield from filter(None, [text_of(link)])
            elif relation == "alternate":
                alternates.append((link.get("type", "text/html") != "text/html", address))
        yield from (address for _, address in sorted(alternates, key=lambda found: found[0]))
        for guid in self._by_name.get("guid", ()):
            text = text_of(guid)
            if text.startswith(("http://", "https://")) or guid.get("isPermaLink", "").lower() == "true":
                yield text
        yield from (text for text in [str(self._about), *self.all("id")] if text.startswith(("http://", "https://")))


class _JsonFields(_Fields):
    """The same of an item of a JSON feed."""

    _NAMES = {"pubdate": "date_published", "updated": "date_modified", "title": "title"}

    def __init__(self, item: dict[str, Any]) -> None:
        self._item = item

    def all(self, *names: str) -> Iterator[str]:
        yield from filter(None, (_string(self._item, self._NAMES[name]) for name in names if name in self._NAMES))

    def links(self) -> Iterator[str]:
        yield from filter(None, [_string(self._item, "url"), _string(self._item, "external_url")])
        if (name := _string(self._item, "id")).startswith(("http://", "https://")):
            yield name


def _string(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""


def _is_foreign(element: etree._Element) -> bool:
    return not _FOREIGN.isdisjoint(re.split(r"[\W_]+", _vocabulary(element)))


def _vocabulary(element: etree._Element) -> str:
    """An element's namespace, or its prefix where none is declared; empty where it has neither."""
    namespace, _, _ = str(element.tag).rpartition("}")
    prefix, colon, _ = str(element.tag).partition(":")
    return namespace.lower() or (prefix.lower() if colon else "")


def _is_own(element: etree._Element, entry: etree._Element) -> bool:
    """Whether nothing stands between an element and its entry that may have such fields itself."""
    for above in element.iterancestors():
        if above is entry:
            break
        if local(above) not in _HOLLOW:
            return False
    return True


def _distance(element: etree._Element, entry: etree._Element) -> int:
    """0: a child of the entry's own vocabulary; 1: another child; 2: what lies deeper."""
    if element.getparent() is not entry:
        return 2
    return int(_vocabulary(element) != _vocabulary(entry))


def _xml_base(element: etree._Element, base: str) -> str:
    """What a relative link in this element is resolved against."""
    bases = [text for above in (element, *element.iterancestors()) if (text := above.get(_BASE))]
    for text in reversed(bases[:10]):
        try:
            base = urljoin(base, text.strip())
        except ValueError:
            continue
    return base

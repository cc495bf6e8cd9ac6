"""A sitemap, a feed or a feed reader's subscriptions that somebody gives as a list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from crawler.discovery.sitemaps import read_sitemap
from storage.errors import UsageError

#: What any XML may begin with.
_PROLOG = r"(?:<\?[^>]*\?>\s*|<!--.*?-->\s*)*"
#: By what such a file begins.
BEGINNING = re.compile(_PROLOG + r"<(?:[\w-]+:)?(?:urlset|sitemapindex|rss|feed|rdf)\b", re.IGNORECASE | re.DOTALL)
_OPML = re.compile(rb"(?:\xef\xbb\xbf)?\s*" + _PROLOG.encode() + rb"<opml\b", re.IGNORECASE | re.DOTALL)
#: Where relative links lead, of which a file that lies here says nothing.
_HERE = "http://list.invalid/"


def linked(content: bytes) -> Iterator[tuple[str, str | None]]:
    """Yield the addresses of a sitemap or feed; those of other sitemaps in an index with the reason why they are none.

    Raises `UsageError` where it has none.
    """
    reading = read_sitemap(content, _HERE)
    found = [link.url for link in reading.links if not link.url.startswith(_HERE)]
    maps = [link.url for link in reading.next if not link.url.startswith(_HERE)]
    if not found and not maps:
        raise UsageError("the list is a sitemap or feed without an address")
    yield from ((url, None) for url in found)
    yield from ((url, "is another sitemap, not a page") for url in maps)


def is_opml(content: bytes) -> bool:
    """Whether a list is what feed readers export (OPML 2.0, opml.org/spec2.opml), by its first bytes."""
    return _OPML.match(content) is not None


def subscriptions(content: bytes) -> Iterator[tuple[str, str | None]]:
    """Yield the feeds of an OPML file, each with the page that it is of, where that is said.

    Raises `UsageError` where it has none.
    """
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"the list is no OPML: {error}") from error
    found = False
    for outline in [] if root is None else root.iter("{*}outline"):
        said = {str(name).lower(): str(value).strip() for name, value in outline.items()}
        if feed := said.get("xmlurl"):
            found = True
            yield feed, said.get("htmlurl") or None
    if not found:
        raise UsageError("the list is OPML without a feed")

"""A sitemap or a feed that somebody gives as a list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.discovery.sitemaps import read_sitemap
from storage.errors import UsageError

#: By what such a file begins, behind what any XML may begin with.
BEGINNING = re.compile(
    r"(?:<\?[^>]*\?>\s*|<!--.*?-->\s*)*<(?:[\w-]+:)?(?:urlset|sitemapindex|rss|feed|rdf)\b", re.IGNORECASE | re.DOTALL
)
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

"""Sitemaps to links: urlset, index, Google's news extension, plain text, and feeds that stand in for one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from lxml import etree

from crawler.discovery.dates import Stated
from crawler.discovery.feeds import read_feed
from crawler.discovery.links import Likelihood, Link, SourceLinks
from crawler.discovery.url_shape import Examples, looks_like_article
from crawler.discovery.xml_reader import MAX_LINKS, Problems, XmlDocument, local, resolve, text_of, time_of, title_of

Hosts = Callable[[str], bool]


def read_sitemap(
    content: bytes,
    url: str,
    content_type: str | None = None,
    *,
    hosts: Hosts | None = None,
    examples: Examples | None = None,
    now: datetime | None = None,
) -> SourceLinks:
    """Return the links of a sitemap fetched from `url`, and the sitemaps of an index in `next`.

    Both are read under any root element; one that is not sitemaps.org's is told in `problems`, as is an empty one.

    `hosts` says of a host (lower case, no port) whether the sitemap may speak for it; other links are dropped and
    counted in `problems`. sitemaps.org asks for the sitemap's own host, and for those whose robots.txt names this
    sitemap; `None` takes all. `examples` are the shapes of addresses the site's feeds announced. A .gz body is
    unpacked, at most 50 MB of it, and at most 50,000 links are read, as sitemaps.org has it. Pictures and videos are
    ignored.
    """
    document = XmlDocument(content, url, content_type)
    now = now or datetime.now(UTC)
    if document.root in ("rss", "rdf", "feed"):
        feed = read_feed(content, url, content_type, now=now)
        if feed.links or not document.has_locations:
            return feed
    entries = _Entries(url, document.problems, hosts, examples, now, is_index=document.root == "sitemapindex")
    if document.root is None and document.head[:4].lower() == "http":
        entries.read_lines(document.text())
        return entries.reading("text")
    if document.root is None or (document.root == "html" and not document.has_locations):
        document.problems.add("is an HTML page, not a sitemap" if document.root else _instead(document.head))
        return entries.reading(None)
    if document.root not in ("urlset", "sitemapindex"):
        document.problems.add(
            f"its root is <{document.root}>, not <urlset> or <sitemapindex>; it was read all the same"
        )
    # Either child in either root, as other crawlers read them.
    for element in document.elements("url", "sitemap"):
        if not entries.add(element):
            break
    if not entries.read and document.has_locations:
        for element in XmlDocument(content, url, content_type).elements("loc"):
            if not entries.add(element):
                break
    return entries.reading("index" if document.root == "sitemapindex" else "urlset")


def _instead(head: str) -> str:
    return "is no sitemap" if head else "is empty"


class _Entries:
    """Collects the links of one sitemap."""

    def __init__(
        self,
        url: str,
        problems: Problems,
        hosts: Hosts | None,
        examples: Examples | None,
        now: datetime,
        *,
        is_index: bool = False,
    ) -> None:
        self._url = url
        self._problems = problems
        self._hosts = hosts
        self._examples = examples
        self._now = now
        self._is_index = is_index
        self._links: dict[str, Link] = {}
        self._next: dict[str, Link] = {}
        #: Entries so far, also those without a link.
        self.read = 0

    def reading(self, kind: str | None) -> SourceLinks:
        if kind and not (self._links or self._next):
            self._problems.add("has no entry that could be read" if self.read else "has no entries")
        sitemaps = tuple(link for link in self._next.values() if link.url != self._url)
        return SourceLinks(tuple(self._links.values()), self._problems.lines(), sitemaps, kind)

    def read_lines(self, text: str) -> None:
        for line in text.splitlines():
            if line.strip() and not self._take(line, None, None, None, news=False, is_sitemap=False):
                return

    def add(self, element: etree._Element) -> bool:
        """Take one entry; false when there have been enough."""
        fields: dict[str, list[str]] = {}
        news = False
        # A <loc> that stands by itself is its own field.
        for below in element.iterdescendants("*") if len(element) else (element,):
            above = below.getparent()
            # <image:loc> and the dates of videos are those of something else.
            if above is not None and local(above) in ("image", "video"):
                continue
            name = local(below)
            news = news or name == "publication_date"
            if len(below) == 0 and (text := text_of(below)):
                fields.setdefault(name, []).append(text)
        return self._take(
            next(iter(fields.get("loc", ())), ""),
            time_of(fields.get("publication_date", ()), self._problems, self._now),
            time_of(fields.get("lastmod", ()), self._problems, self._now),
            title_of(next(iter(fields.get("title", ())), "")),
            news=news,
            is_sitemap=local(element) == "sitemap",
        )

    def _take(
        self,
        text: str,
        published: Stated | None,
        modified: Stated | None,
        title: str | None,
        *,
        news: bool,
        is_sitemap: bool,
    ) -> bool:
        self.read += 1
        found = resolve(self._url, text)
        if found is None:
            self._problems.count("entries with a bad link" if text.strip() else "entries without a link", text.strip())
            return True
        if not text.strip().lower().startswith(("http://", "https://")):
            self._problems.count("relative links", text.strip())
        if self._hosts is not None and not self._hosts(urlsplit(found).hostname or ""):
            self._problems.count("links to other sites, left out", found)
            return True
        if len(self._links) + len(self._next) >= MAX_LINKS and found not in self._links and found not in self._next:
            self._problems.add(f"more than {MAX_LINKS:,} links; the rest was left unread")
            return False
        leads_on = is_sitemap or (not news and self._leads_on(found))
        if leads_on:
            verdict = Likelihood(0.0, "a sitemap")
        elif news:
            verdict = Likelihood(1.0, "in a news sitemap")
        else:
            verdict = looks_like_article(found, self._examples)
        link = Link(
            found,
            published and published.at,
            modified and modified.at,
            title,
            verdict.score,
            verdict.reason,
            "moment" if published is None or published.exact else "day",
        )
        (self._next if leads_on else self._links).setdefault(found, link)
        return True

    def _leads_on(self, url: str) -> bool:
        """Whether what is called no sitemap is one: in an index all but articles, elsewhere what is named like one."""
        named_so = re.search(r"(?:\.xml|\.gz|sitemap[\w-]*(?:\.txt)?)$", urlsplit(url).path, re.IGNORECASE)
        return bool(self._is_index or named_so) and not looks_like_article(url, self._examples)

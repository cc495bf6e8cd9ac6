"""Sitemaps to links: urlset, index, Google's news extension, plain text, and feeds that stand in for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from lxml import etree

from crawler.discovery.feeds import read_feed
from crawler.discovery.links import Link, SourceLinks
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
    """Return the links of a sitemap fetched from `url`, or the sitemaps of an index in `next`.

    `hosts` says of a host (lower case, no port) whether the sitemap may speak for it; other links are dropped and
    counted in `problems`. sitemaps.org asks for the sitemap's own host, and for those whose robots.txt names this
    sitemap; `None` takes all. `examples` are the shapes of addresses the site's feeds announced. A .gz body is
    unpacked, at most 50 MB of it, and at most 50,000 links are read, as sitemaps.org has it. Pictures and videos are
    ignored.
    """
    document = XmlDocument(content, url, content_type)
    now = now or datetime.now(UTC)
    if document.root in ("rss", "rdf", "feed"):
        return read_feed(content, url, content_type, now=now)
    entries = _Entries(url, document.problems, hosts, examples, now)
    if document.root == "urlset":
        kind, names = "urlset", ("url",)
    elif document.root == "sitemapindex":
        kind, names = "index", ("sitemap",)
    elif document.root is None and document.head[:4].lower() == "http":
        entries.read_lines(document.text())
        return entries.reading("text")
    else:
        document.problems.add("is an HTML page, not a sitemap" if document.root else "is no sitemap")
        return entries.reading(None)
    for element in document.elements(*names):
        if not entries.add(element):
            break
    return entries.reading(kind)


class _Entries:
    """Collects the links of one sitemap."""

    def __init__(
        self, url: str, problems: Problems, hosts: Hosts | None, examples: Examples | None, now: datetime
    ) -> None:
        self._url = url
        self._problems = problems
        self._hosts = hosts
        self._examples = examples
        self._now = now
        self._links: dict[str, Link] = {}

    def reading(self, kind: str | None) -> SourceLinks:
        links = tuple(self._links.values())
        if kind == "index":
            links = tuple(link for link in links if link.url != self._url)
            return SourceLinks((), self._problems.lines(), links, kind)
        return SourceLinks(links, self._problems.lines(), (), kind)

    def read_lines(self, text: str) -> None:
        for line in text.splitlines():
            if line.strip() and not self._take(line, None, None, None, news=False):
                return

    def add(self, element: etree._Element) -> bool:
        """Take one entry; false when there have been enough."""
        fields: dict[str, list[str]] = {}
        news = False
        for below in element.iterdescendants("*"):
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
        )

    def _take(
        self, text: str, published: datetime | None, modified: datetime | None, title: str | None, *, news: bool
    ) -> bool:
        found = resolve(self._url, text)
        if found is None:
            self._problems.count("entries with a bad link" if text.strip() else "entries without a link", text.strip())
            return True
        if not text.strip().lower().startswith(("http://", "https://")):
            self._problems.count("relative links", text.strip())
        if self._hosts is not None and not self._hosts(urlsplit(found).hostname or ""):
            self._problems.count("links to other sites, left out", found)
            return True
        if len(self._links) >= MAX_LINKS and found not in self._links:
            self._problems.add(f"more than {MAX_LINKS:,} links; the rest was left unread")
            return False
        if news:
            link = Link(found, published, modified, title, 1.0, "in a news sitemap")
        else:
            verdict = looks_like_article(found, self._examples)
            link = Link(found, published, modified, title, verdict.score, verdict.reason)
        self._links.setdefault(found, link)
        return True

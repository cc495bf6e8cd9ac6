"""The feeds, sitemaps and robots.txt of a simulated site, right ones and wrong ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache
from html import escape

from world_pages import FEED, link
from world_sites import SECTIONS, Article, Site

ENTRIES = 20
#: How long after the front page a late feed has an article.
LATE = timedelta(hours=3)
#: Addresses in the huge sitemap, and how many bytes it has in all.
HUGE, HUGE_BYTES = 10_000, 50_000_000
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

Sent = tuple[bytes, str]


def feed(site: Site, at: datetime, seen: str) -> Sent:
    """Return body and content type; `seen` is what a fresh session id is made of."""
    kind = site.character.feed
    articles = site.newest(at - LATE if kind == "late" else at, ENTRIES)
    match kind:
        case "atom":
            return _atom(site, articles, at, seen).encode(), "application/atom+xml"
        case "json":
            return _json(site, articles, at, seen).encode(), "application/feed+json"
        case "rdf":
            return _rdf(site, articles, seen).encode(), "application/rdf+xml"
        case "html":
            return b"<!DOCTYPE html><html><body><h1>Our feeds</h1><p>Choose one.</p></body></html>", "text/html"
        case "bomb":
            return _entity_bomb(), "application/rss+xml"
        case "latin":
            # Says UTF-8 in the header and nothing in the XML, and is neither.
            return _rss(site, articles, at, seen).encode("latin-1", "xmlcharrefreplace"), "text/xml; charset=utf-8"
        case _:
            text = '<?xml version="1.0" encoding="utf-8"?>\n' + _rss(site, articles, at, seen)
            return text.encode(), "application/rss+xml; charset=utf-8"


def _rss(site: Site, articles: Iterable[Article], at: datetime, seen: str) -> str:
    relative = site.character.feed == "relative"
    items = "\n".join(
        f"<item><title>{escape(each.headline(at))}</title>"
        f"<link>{'' if relative else site.base}{link(site, each, seen, 'rss')}</link>"
        f'<guid isPermaLink="false">{each.number}</guid><pubDate>{_rss_date(site, each)}</pubDate>'
        f"<description>{escape(each.text(at)[0])}</description></item>"
        for each in articles
    )
    return f'<rss version="2.0"><channel><title>{site.title}</title><link>{site.base}/</link>{items}</channel></rss>'


def _rss_date(site: Site, article: Article) -> str:
    if site.character.feed != "dates":
        return format_datetime(article.published)
    # As they are met: no zone, another language, the wrong weekday, a year of two digits, none, the far future.
    wrong = (
        "{at:%d/%m/%Y %H:%M}",
        "ma, {at:%d} nov {at:%Y}",
        "Foo, {at:%d %b %y %H:%M} LOCAL",
        "",
        "1 Jan 2099 00:00 GMT",
    )
    return wrong[article.number % len(wrong)].format(at=article.published)


def _atom(site: Site, articles: Iterable[Article], at: datetime, seen: str) -> str:
    entries = "\n".join(
        f"<entry><title>{escape(each.headline(at))}</title>"
        f'<link rel="alternate" href="{link(site, each, seen, "atom")}"/>'
        f'<link rel="replies" href="{each.path}/comments"/><id>urn:{site.name}:{each.number}</id>'
        f"<published>{each.published.isoformat()}</published><updated>{each.modified(at).isoformat()}</updated></entry>"
        for each in articles
    )
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="{site.base}/"><title>{site.title}</title>{entries}</feed>'
    )


def _json(site: Site, articles: Iterable[Article], at: datetime, seen: str) -> str:
    items = [
        {
            "id": str(each.number),
            "url": site.base + link(site, each, seen, "json").replace("&amp;", "&"),
            "title": each.headline(at),
            "date_published": each.published.isoformat(),
        }
        for each in articles
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": site.title, "items": items})


def _rdf(site: Site, articles: Iterable[Article], seen: str) -> str:
    items = "".join(
        f'<item rdf:about="{escape(site.base + each.path)}"><title>{escape(each.title)}</title>'
        f"<link>{escape(site.base)}{link(site, each, seen, 'rdf')}</link>"
        f"<dc:date>{each.published.isoformat()}</dc:date></item>"
        for each in articles
    )
    spaces = (
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    return f'<?xml version="1.0"?><rdf:RDF {spaces}><channel rdf:about="{site.base}/"/>{items}</rdf:RDF>'


def _entity_bomb() -> bytes:
    lines = "".join(f'<!ENTITY e{step} "{f"&e{step - 1};" * 10}">' for step in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "newspaper">{lines}]>'
    return f"{bomb}<rss><channel><item><title>&e9;</title></item></channel></rss>".encode()


def sitemap(site: Site, path: str, at: datetime) -> Sent | None:
    """Return the sitemap at this path, `None` where the site has none there."""
    kind, name = site.character.sitemap, path.rpartition("/")[2]
    match kind, name:
        case "plain", "sitemap.xml":
            return _xml(_urlset(site, site.newest(at, 2_000), at, others=True))
        case "news", "news-sitemap.xml":
            recent = [each for each in site.articles(at, at - timedelta(days=2)) if each.there(at)]
            return _xml(_news(site, recent, at))
        case "index", "sitemap_index.xml":
            days = [site.start + timedelta(days=day) for day in range(-site.history, site.day(at) + 1)]
            return _xml(_index(site, [f"/sitemaps/{day:%Y-%m-%d}.xml.gz" for day in reversed(days)], at))
        case "index", _ if name.endswith(".xml.gz"):
            day = datetime.fromisoformat(f"{name[:10]}T00:00:00+00:00")
            found = [each for each in site.articles(min(at, day + timedelta(days=1)), day) if each.there(at)]
            return gzip.compress(_urlset(site, found, at).encode(), 6, mtime=0), "application/x-gzip"
        case "huge", "sitemap.xml":
            return _huge(site), "application/xml"
        case "bomb", "sitemap.xml.gz":
            return _gzip_bomb(), "application/gzip"
        case "maze", _ if name.endswith(".xml"):
            # An index of itself and of two more indexes, each of which is the same again.
            return _xml(_index(site, ["/sitemap.xml", f"/maze/a{name}", f"/maze/b{name}"], at))
    return None


SITEMAPS = {
    "plain": "/sitemap.xml",
    "news": "/news-sitemap.xml",
    "index": "/sitemap_index.xml",
    "huge": "/sitemap.xml",
    "bomb": "/sitemap.xml.gz",
    "maze": "/sitemap.xml",
}


def _xml(text: str) -> Sent:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), "application/xml"


def _urlset(site: Site, articles: Iterable[Article], at: datetime, others: bool = False) -> str:
    pages = [f"/section/{name}" for name in SECTIONS] + ["/about", "/privacy"] if others else []
    urls = "\n".join(f"<url><loc>{site.base}{path}</loc></url>" for path in pages)
    urls += "\n".join(
        f"<url><loc>{escape(site.base + each.path)}</loc><lastmod>{each.modified(at).isoformat()}</lastmod></url>"
        for each in articles
    )
    return f'<urlset xmlns="{NAMESPACE}">{urls}</urlset>'


def _news(site: Site, articles: Iterable[Article], at: datetime) -> str:
    urls = "\n".join(
        f"<url><loc>{escape(site.base + each.path)}</loc><news:news><news:publication>"
        f"<news:name>{site.title}</news:name><news:language>en</news:language></news:publication>"
        f"<news:publication_date>{each.published.isoformat()}</news:publication_date>"
        f"<news:title>{escape(each.headline(at))}</news:title></news:news></url>"
        for each in articles
    )
    space = "http://www.google.com/schemas/sitemap-news/0.9"
    return f'<urlset xmlns="{NAMESPACE}" xmlns:news="{space}">{urls}</urlset>'


def _index(site: Site, paths: Iterable[str], at: datetime) -> str:
    maps = "\n".join(
        f"<sitemap><loc>{site.base}{path}</loc><lastmod>{at:%Y-%m-%d}</lastmod></sitemap>" for path in paths
    )
    return f'<sitemapindex xmlns="{NAMESPACE}">{maps}</sitemapindex>'


@cache
def _huge_lines(base: str) -> bytes:
    filler = "x" * (HUGE_BYTES // HUGE - 120)
    lines = (
        f"<url><loc>{base}/2019/01/{1 + n % 28:02}/an-old-story-{n}</loc><!--{filler}--></url>" for n in range(HUGE)
    )
    return "\n".join(lines).encode()


def _huge(site: Site) -> bytes:
    return f'<urlset xmlns="{NAMESPACE}">'.encode() + _huge_lines(site.base) + b"</urlset>"


@cache
def _gzip_bomb() -> bytes:
    """64 MB of blanks in some kilobytes."""
    import zlib

    packer = zlib.compressobj(6, wbits=31)
    head = f'<urlset xmlns="{NAMESPACE}">'.encode()
    blank = b" " * (1 << 20)
    return packer.compress(head) + b"".join(packer.compress(blank) for _ in range(64)) + packer.flush()


def robots(site: Site) -> str:
    character = site.character
    lines = ["User-agent: *", "Disallow: /search", "Disallow: /login", "Disallow: /private/"]
    if character.robots == "delay":
        lines.append("Crawl-delay: 0.4")
    if character.sitemap:
        lines.append(f"Sitemap: {site.base}{SITEMAPS[character.sitemap]}")
    return "\n".join(lines) + "\n"


__all__ = ["FEED", "SITEMAPS", "feed", "robots", "sitemap"]

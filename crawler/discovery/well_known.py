"""Addresses worth asking at a site that announces neither feed nor sitemap."""

from __future__ import annotations

from urllib.parse import urlsplit

# By how often sites of the kind answer there: a well-known path of WordPress, the customary names, then others.
_FEEDS = ("/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml")
_SITEMAPS = ("/sitemap.xml", "/news-sitemap.xml", "/sitemap_index.xml", "/sitemap-news.xml")


def usual_places(home: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return feed addresses and sitemap addresses of a site's root, the likeliest first: ask until one answers."""
    parts = urlsplit(home)
    root = f"{parts.scheme}://{parts.netloc}"
    return tuple(root + path for path in _FEEDS), tuple(root + path for path in _SITEMAPS)

"""The base of a declared site: `class Paper(NewsSpider)` with a name, start URLs and what else is known of it."""

from crawler.sites.spider import NewsSpider

__all__ = ["NewsSpider"]

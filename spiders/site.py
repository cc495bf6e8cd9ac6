"""Any news site, found out by itself: `newskeep crawl https://www.example.org/`."""

from __future__ import annotations

from typing import Any

from crawler.sites.site import site_at
from spiders.base import NewsSpider


class SiteSpider(NewsSpider):
    """Crawls the site at the address `url`, or the one it is given."""

    name = "site"

    def __init__(self, url: str | None = None, **kwargs: Any) -> None:
        if url is not None:
            kwargs["site"] = site_at(url)
        super().__init__(**kwargs)

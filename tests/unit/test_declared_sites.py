"""The sites that are declared as spider classes: which addresses of theirs are articles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.config import Config
from crawler.discovery import read_feed, read_page
from crawler.sites.link_selection import LinkSelector
from crawler.sites.site import Site
from crawler.sites.spider_loader import declared_sites
from crawler.sites.time_window import Window

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def sites() -> dict[str, Site]:
    return declared_sites(Config())


def test_computerworld(sites: dict[str, Site]) -> None:
    site = sites["computerworld"]
    feed = b"""<rss version="2.0"><channel>
      <item><title>Ny CIO</title><link>https://www.computerworld.dk/art/290001/ny-cio?utm_source=rss</link></item>
      <item><title>Annonce</title><link>https://www.computerworld.dk/events/42/konference</link></item>
    </channel></rss>"""
    taken = LinkSelector(site, Window(), NOW).feed(read_feed(feed, site.feeds[0]).links, site.feeds[0])
    assert [each.url for each in taken.articles] == ["https://www.computerworld.dk/art/290001/ny-cio"]
    assert dict(taken.dropped) == {"not included": 1}


def test_wikibit(sites: dict[str, Site]) -> None:
    site = sites["wikibit"]
    page = b"""<title>WikiBit</title><a href="/en/202611204254562329.html">A token was listed</a>
      <a href="https://cn.wikibit.com/202109084254562329.html">Another host of the portal</a>
      <a href="/en/token/1234.html">A token's page</a><a href="https://example.org/202109084254562329.html">Elsewhere</a>"""
    start = site.start[0]
    taken = LinkSelector(site, Window(), NOW).page(read_page(page, start).links, start)
    assert {each.url for each in taken.articles} == {
        "https://www.wikibit.com/en/202611204254562329.html",
        "https://cn.wikibit.com/202109084254562329.html",
    }
    assert dict(taken.dropped) == {"not included": 1, "another host": 1}

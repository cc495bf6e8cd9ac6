"""Why a run brought nothing, and runs that need not have brought anything."""

from __future__ import annotations

import pytest

from crawler.sites.nothing_found import Findings, why_nothing


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (
            Findings("town", sources=1),
            (
                "its source names no links: a page that needs scripts has none; "
                "give feeds or sitemaps, or another start page"
            ),
        ),
        (
            Findings(
                "town", sources=2, links=7, dropped={"another host": 4, "not an article: a": 2, "not an article: b": 1}
            ),
            (
                "none of the 7 links of its sources is taken for an article: 4 another host, 3 not an article; "
                "`newskeep sites check town` shows them, `include` takes them"
            ),
        ),
        (
            Findings("town", sources=1, links=1, dropped={"another host": 1}),
            (
                "the only link of its sources is not taken for an article: 1 another host; "
                "`newskeep sites check town` shows them, `include` takes them"
            ),
        ),
        (
            Findings("town", sources=1, links=3, start_article="https://t.example/a"),
            (
                "https://t.example/a is an article and names no others: `newskeep save` archives it; "
                "to crawl its site, give the front page"
            ),
        ),
        (
            Findings("town", announced=9, sources=1, missed={"robots.txt": 6, "a cookie wall": 3}),
            "none of the 9 articles that were asked for could be had: 6 robots.txt, 3 a cookie wall",
        ),
        (
            Findings("town", announced=9, sources=1, missed={"500 Oops": 1}),
            "its only article could not be had: 1 500 Oops",
        ),
        # A site that is held, and whose sources name nothing at all any more.
        (
            Findings("town", sources=2, holds=True),
            (
                "its 2 sources name no links: a page that needs scripts has none; "
                "give feeds or sitemaps, or another start page"
            ),
        ),
    ],
)
def test_why(found: Findings, why: str) -> None:
    assert why_nothing(found) == f"nothing found: {why}"


@pytest.mark.parametrize(
    "found",
    [
        # Nothing new: all is held, or nothing has changed.
        Findings("town", announced=9, sources=2, holds=True),
        Findings("town", not_modified=2, holds=True),
        Findings("town", sources=1, not_modified=1, holds=True),
        # What is asked for again may be gone.
        Findings("town", announced=9, sources=1, holds=True, missed={"410 Gone": 2}),
        # Of the sources that are due none need name anything.
        Findings("town", sources=1, links=30, holds=True, asked_all=False, dropped={"not an article: a": 30}),
        # Nothing was due.
        Findings("town", asked_all=False),
        # A back-fill of a time in which there was nothing.
        Findings("town", sources=1, links=30, dropped={"outside of the time wanted": 30}),
    ],
)
def test_what_need_not_bring_anything(found: Findings) -> None:
    assert why_nothing(found) is None

"""Which addresses stand for a section, and what lies below one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.discovery import Link
from crawler.sites.link_selection import LinkSelector
from crawler.sites.section import lies_below
from crawler.sites.site import site_at
from crawler.sites.time_window import Window

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOME = "https://www.town.example/"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        *((address, "town.example") for address in ("town.example", HOME, f"{HOME}index.html", f"{HOME}Home.aspx")),
        (f"{HOME}?utm_source=mail", "town.example"),
        (f"{HOME}politics", "town.example/politics"),
        (f"{HOME}politics/", "town.example/politics"),
        (f"{HOME}en/world/index.html", "town.example/en/world/index.html"),
        ("http://127.0.0.1:8000/a/", "127.0.0.1:8000/a"),
        (f"{HOME}list.php?cat=7", "town.example/list.php?cat=7"),
    ],
)
def test_an_address_stands_for_a_site_or_a_section(address: str, name: str) -> None:
    site = site_at(address)
    assert (site.name, site.section, site.hint is not None) == (name, "/" in name, "/" in name)
    assert site_at(site.start[0]).name == name


def test_a_long_name_is_fit_for_a_file() -> None:
    one, other = (site_at(f"{HOME}{'long/' * 50}{end}") for end in ("a", "b"))
    assert len(one.name) == 100
    assert one.name != other.name


@pytest.mark.parametrize(
    ("page", "below", "not_below"),
    [
        ("politics", ["politics/a", "politics/", "politics", "politics/eu/a"], ["politics-today/a", "sport/a", ""]),
        ("politics/", ["politics/a", "politics"], ["a/politics/b"]),
        ("politics/index.html", ["politics/a"], ["sport/a"]),
        ("politics.html", ["politics/a", "politics.html"], ["politics2.html"]),
        ("list.php?cat=7", ["list.php?cat=7"], ["list.php?cat=8", "list/a", "a"]),
    ],
)
def test_what_lies_below(page: str, below: list[str], not_below: list[str]) -> None:
    found = [lies_below(f"https://town.example/{path}", [HOME + page]) for path in (*below, *not_below)]
    assert found == [True] * len(below) + [False] * len(not_below)
    assert not lies_below(f"https://other.example/{below[0]}", [HOME + page])


def test_what_is_taken_of_a_section() -> None:
    site = site_at(f"{HOME}politics/")
    (section,) = site.start
    own, other = (Link(f"{HOME}{name}/a-story-of-the-bridge-{name}", score=0.9) for name in ("politics", "sport"))
    bare = [Link(f"{HOME}2026/11/2{number}/a-story-of-the-bridge", score=0.9) for number in range(3)]

    def taken(links: list[Link], source: str, choose: str) -> list[str]:
        found = getattr(LinkSelector(site, Window(), NOW), choose)(links, source)
        assert sum(found.dropped.values()) == len(links) - len(found.articles)
        return [each.url for each in found.articles]

    assert taken([own, other], section, "page") == [own.url]
    assert taken([*bare, other], section, "page") == [link.url for link in (*bare, other)], "addresses without section"
    assert taken([own, other], f"{section}feed", "feed") == [own.url, other.url], "the section's own feed is believed"
    for choose in ("feed", "sitemap", "page"):
        assert taken([own, other, *bare], f"{HOME}of-the-whole-site", choose) == [own.url]

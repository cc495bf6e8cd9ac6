"""Sites as data: tables, addresses, spider classes; what is theirs and what not; mistakes are named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.config import Config, load
from crawler.discovery import Link
from crawler.durations import parse_duration
from crawler.sites.backfill import archive_pages
from crawler.sites.link_selection import LinkSelector
from crawler.sites.site import Site, find_site, load_sites, site_at
from crawler.sites.time_window import Window
from storage.errors import ConfigError, UsageError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOWN = """
delay = 2.5

[sites.town]
start = "https://www.town.example/"
feeds = ["HTTPS://feeds.example.net:443/town"]
include = ['/\\d+/']
exclude = ["/adverts/"]
hosts = "town.example.net"
every = "5m"
cap = 40

[sites.bare]
sitemaps = "https://bare.example/news.xml"
delay = "1m"
depth = 0
requisites = true
user_agent = "mine/1"
"""


def config_of(folder: Path, text: str) -> Config:
    (folder / "newskeep.toml").write_text(text)
    return load(folder / "newskeep.toml", environ={})


def test_tables_become_sites(tmp_path: Path) -> None:
    sites = load_sites(config_of(tmp_path, TOWN))
    assert list(sites) == ["town", "bare"]
    assert sites["town"] == Site(
        "town",
        start=("https://www.town.example/",),
        feeds=("https://feeds.example.net/town",),
        include=(r"/\d+/",),
        exclude=("/adverts/",),
        hosts=("town.example.net",),
        every=300.0,
        delay=2.5,
        cap=40,
    )
    bare = sites["bare"]
    assert (bare.delay, bare.depth, bare.requisites, bare.user_agent) == (60.0, 0, True, "mine/1")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("evry = '5m'", r"newskeep\.toml: \[sites\.x\] unknown key 'evry'; did you mean 'every'\?"),
        ("every = 'soon'", r"\[sites\.x\] every must be a time such as 90, \"15m\""),
        ("every = -1", "every must be a time"),
        ("every = '30s'", "every must be 60 seconds or more"),
        ("start = 'ftp://a.example/'", r"\[sites\.x\] start: ftp://a\.example/: starts with neither"),
        ("start = 'https://a.example/'\ninclude = ['(']", r"include must be regular expressions \("),
        ("start = 'https://a.example/'\ncap = 0", "cap must be a whole number from 1"),
        ("start = 'https://a.example/'\nrequisites = 'yes'", "requisites must be true or false"),
        ("cap = 3", r"\[sites\.x\] needs an address: start, feeds or sitemaps"),
        ("feeds = [3]", "feeds must be a text or a list of texts"),
    ],
)
def test_mistakes_name_file_table_and_key(tmp_path: Path, table: str, message: str) -> None:
    config = config_of(tmp_path, f"[sites.x]\n{table}\n")
    with pytest.raises(ConfigError, match=message):
        load_sites(config)


@pytest.mark.parametrize("name", ["Town", "a/b", "..", "urls", "site", "a b"])
def test_names_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    config = config_of(tmp_path, f"[sites.'{name}']\nstart = 'https://a.example/'\n")
    with pytest.raises(ConfigError, match="cannot be a site's name"):
        load_sites(config)


def test_lengths_of_time() -> None:
    assert [parse_duration(each) for each in (90, 1.5, "90", "15m", "2h", "1d", "1w", "1.5 h")] == [
        *(90, 1.5, 90, 900, 7200, 86400, 604800, 5400)
    ]


def test_a_site_is_found_by_name_address_and_class(tmp_path: Path) -> None:
    config = config_of(tmp_path, TOWN + "[sites.wikibit]\nevery = '1h'\n")
    assert find_site(config, "town").every == 300
    assert find_site(config, "https://www.town.example").name == "town", "the configured site that starts there"
    assert find_site(config, "other.example/news") == Site(
        "other.example/news", start=("https://other.example/news",), section=True, delay=2.5
    )
    assert find_site(config, "http://127.0.0.1:8080/").name == "127.0.0.1:8080"
    declared, changed = find_site(config, "computerworld"), find_site(config, "wikibit")
    assert (declared.spider, declared.feeds) == ("computerworld", ("https://www.computerworld.dk/rss/all",))
    assert (changed.spider, changed.every) == ("wikibit", 3600.0)
    with pytest.raises(UsageError, match=r"'computerwold'; did you mean 'computerworld'\?"):
        find_site(config, "computerwold")


def test_whose_links_are_taken() -> None:
    site = replace(
        site_at("https://www.town.example/"), hosts=("partner.example",), exclude=("/adverts/",), include=("/2026/",)
    )
    refused = {
        "https://town.example/2026/a": None,
        "https://m.town.example/2026/a": None,
        "http://www.partner.example/2026/a": None,
        "https://town.example.evil.example/2026/a": "another host",
        "https://nottown.example/2026/a": "another host",
        "https://www.town.example:8443/2026/a": "another host",
        "https://www.town.example/adverts/2026/a": "excluded",
        "https://www.town.example/news/a": "not included",
        "https://www.town.example/": "a source",
    }
    assert {url: site.refuses(url) for url in refused} == refused


def test_what_is_taken_of_feeds_pages_and_sitemaps() -> None:
    site = site_at("https://town.example/")
    finder = LinkSelector(site, Window(), NOW)
    story, other, about = (f"https://town.example/{path}" for path in ("2026/11/22/a-bridge-opens", "odd", "about"))
    assert [each.url for each in finder.feed([Link(other)], "f").articles] == [other], "a feed is believed"
    taken = finder.page([Link(story, score=0.9), Link(about, score=0.1, reason="a page 'about'")], "p")
    assert [each.url for each in taken.articles] == [story]
    assert (dict(taken.dropped), taken.samples) == (
        {"not an article: a page 'about'": 1},
        {"not an article: a page 'about'": about},
    )
    old = [Link(f"https://town.example/2026/01/01/story-number-{n}", NOW - timedelta(days=30 + n)) for n in range(90)]
    new = [Link(f"https://town.example/2026/11/21/story-number-{n}", NOW - timedelta(hours=n)) for n in range(60)]
    taken = finder.sitemap([*old, *new], "s")
    assert {each.url for each in taken.articles} == {link.url for link in new}
    assert taken.dropped == {"older than a week": 90}
    assert len(finder.sitemap(old, "s").articles) == 50, "of a sitemap without news the newest"
    window = LinkSelector(site, Window(NOW - timedelta(days=40), NOW - timedelta(days=31)), NOW)
    assert len(window.sitemap([*old, *new], "s").articles) == 10


def test_archive_pages_of_a_time() -> None:
    since, until = datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 2, 9, tzinfo=UTC)
    links = [
        "https://a.example/archive/2026/11/22",
        "https://a.example/m/2026-1.html",
        "https://a.example/2026/11/22/s",
    ]
    assert [url for url, _ in archive_pages(links, since, until)] == [
        "https://a.example/archive/2026/01/02",
        "https://a.example/archive/2026/01/01",
        "https://a.example/archive/2025/12/31",
        "https://a.example/m/2026-1.html",
        "https://a.example/m/2025-12.html",
    ]


def test_both_kinds_show_in_scrapy_list(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "newskeep.toml").write_text(TOWN)
    root = str(Path(__file__).parents[2])
    variables = {**environment, "SCRAPY_SETTINGS_MODULE": "crawler.settings", "PYTHONPATH": root}
    command = [sys.executable, "-m", "scrapy", "list"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
    assert {"town", "bare", "computerworld", "wikibit", "site", "urls"} == set(done.stdout.split())

"""Searches on the web: one language in room, API and feed; order, totals and pages; what is no query."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from room_archive import STORY, fill
from web_archive import Serving, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("search") / "archive"
    fill(folder)
    folder.with_name("newskeep.toml").write_text("[sites.daily]\nstart = 'https://www.herald.example/'\n")
    with Serving(folder) as running:
        yield running


def asked(served: Site, query: str, **more: str) -> dict[str, Any]:
    extra = "".join(f"&{name}={quote(value)}" for name, value in more.items())
    answer = served.get(f"/api/search?q={quote(query)}{extra}")
    assert answer.status == 200, answer.body
    told = json.loads(answer.body)
    assert isinstance(told, dict)
    return told


def urls(told: dict[str, Any]) -> list[str]:
    return [each["url"] for each in told["articles"]]


def test_the_api_pages_through_the_best(site: Site) -> None:
    everything = asked(site, "ships OR harbour", order="relevance", limit="100")
    assert everything["total"] == len(everything["articles"]) > 70 and everything["total_is_exact"] is True
    assert set(urls(everything)) == set(urls(asked(site, "ships OR harbour", limit="100")))
    # The other one is a copy of it.
    assert STORY in urls(asked(site, "harbour OR council", order="relevance"))[:2]
    paged: list[str] = []
    after = "0"
    while after:
        page = asked(site, "ships OR harbour", order="relevance", limit="30", after=after)
        assert page["total"] == everything["total"]
        paged += urls(page)
        after = (page["next"] or "").rpartition("after=")[2]
    assert paged == urls(everything)


def test_a_site_of_the_configuration_goes_by_its_name(site: Site) -> None:
    named = asked(site, "ships site:daily", limit="100")
    assert named["articles"] and named == asked(site, "ships site:herald.example", limit="100")
    assert urls(named) == urls(asked(site, "ships", site="daily", limit="100"))
    assert asked(site, "ships -site:daily")["total"] + named["total"] == asked(site, "ships")["total"]
    shown = site.get("/search?site=daily", Accept="text/html").body.decode()
    assert "herald.example" in shown and 'value="daily"' in shown


def test_the_room_says_how_many_and_in_which_order(site: Site) -> None:
    total = asked(site, "ships")["total"]
    shown = site.get("/search?q=ships&order=relevance", Accept="text/html").body.decode()
    assert f"{total} articles · best first" in shown
    assert '<option value="relevance" selected>' in shown and "order=relevance&amp;after=25" in shown
    feed = ElementTree.fromstring(site.get("/feeds/search.atom?q=ships+OR+harbour&order=relevance").body)
    links = [entry.findtext("{*}title") for entry in feed.findall("{*}entry")]
    best = asked(site, "ships OR harbour", order="relevance", limit="30")["articles"]
    assert links == [each["title"] for each in best]


@pytest.mark.parametrize("query", ["bridge OR", "tag: x", "author:", "(a OR tag:b)"])
def test_what_is_no_query_is_one_line_everywhere(site: Site, query: str) -> None:
    told = site.get(f"/api/search?q={quote(query)}")
    assert told.status == 400
    line = json.loads(told.body)["message"]
    assert "\n" not in line
    room = site.get(f"/search?q={quote(query)}", Accept="text/html")
    assert room.status == 400 and 'role="alert"' in room.body.decode() and f'value="{query}"' in room.body.decode()
    feed = site.get(f"/feeds/search.atom?q={quote(query)}")
    assert feed.status == 400 and line.encode() in feed.body
    assert site.get("/api/search?q=a&order=best").status == 400

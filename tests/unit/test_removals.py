"""Decisions to take captures out: their bytes, what follows from several, and what the index finds then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.errors import Corrupt
from storage.index import ArticleEntry, Filters, SharedIndex, WarcEntry, open_index
from storage.index.index import Index
from storage.index.query_parser import SearchQuery
from storage.index.text_search import FEW
from storage.model import Capture
from storage.removals import Removal, hide, in_force

pytest_plugins = ["indexes"]

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WARC = WarcEntry("newskeep-20260301000000000-0123456789ab-00000.warc.gz", 1, "0" * 64, ("text/part",))
HIDE = hide("https://www.example.org/a", "exact", "why", "who")


@pytest.fixture
def index(index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(index_place) as opened:
        yield opened


def fill(index: Index, urls: list[str]) -> None:
    """A capture and an article of each address, a minute after the one before."""
    moments = [BEGIN + timedelta(minutes=number) for number in range(len(urls))]
    captures = [
        Capture(url, moment, 200, "text/html", "sha1:x", WARC.filename, number, 1)
        for number, (url, moment) in enumerate(zip(urls, moments, strict=True))
    ]
    articles = [
        ArticleEntry(
            url,
            moment,
            "example.org",
            "Title",
            None,
            "en",
            9,
            WARC.filename,
            number,
            "text/part",
            number,
            1,
            text="words",
        )
        for number, (url, moment) in enumerate(zip(urls, moments, strict=True))
    ]
    index.add(WARC, captures, articles)


def test_a_decision_comes_back_from_its_bytes() -> None:
    full = hide("https://www.example.org/", "prefix", "wæs", "J. Doe", times=[BEGIN], until=BEGIN, also_future=True)
    for each in (full, full.about("purge", "x", "y"), full.about("restore", "x", "y"), HIDE):
        assert Removal.from_fields(json.loads(each.to_json()), each.key) == each
        assert each.key.startswith(f"removals/{each.moment:%Y/%m}/{each.moment:%Y%m%d%H%M%S}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "burn"),
        ("match", "ports of call"),
        ("id", "20260101000000000000-00000000"),
        ("moment", "2026-11-29T10:00:00"),
        ("moment", None),
        ("until", "soon"),
        ("times", ["then"]),
        ("of", "20260101000000000000-00000000"),
        ("url", None),
    ],
)
def test_what_is_no_decision_is_damaged(field: str, value: object) -> None:
    fields = json.loads(HIDE.to_json())
    if value is None:
        del fields[field]
    else:
        fields[field] = value
    with pytest.raises(Corrupt, match="not a removal"):
        Removal.from_fields(fields, HIDE.key)
    with pytest.raises(Corrupt):
        Removal.from_fields([], HIDE.key)  # type: ignore[arg-type]


def test_what_is_in_force() -> None:
    purge, restore = HIDE.about("purge", "x", "y"), HIDE.about("restore", "x", "y")
    assert [each.state for each in in_force([HIDE])] == ["hidden"]
    assert in_force([restore, HIDE]) == []
    assert [each.state for each in in_force([purge, HIDE])] == ["purged"]
    # Two machines at once: what is gone from the files cannot be given back.
    assert [each.state for each in in_force([HIDE, purge, restore])] == ["purged"]
    assert in_force([purge, restore]) == []
    embargo = replace(HIDE, until=BEGIN)
    assert [each.state for each in in_force([embargo])] == ["embargo"]
    assert [each.until for each in in_force([embargo, embargo.about("purge", "x", "y")])] == [None]


def test_a_page_full_of_what_is_hidden_is_not_the_last(index: Index) -> None:
    hidden = [f"https://www.example.org/2026/{number}" for number in range(3 * FEW)]
    fill(index, ["https://www.example.org/first", *hidden])
    index.hide([hide("https://www.example.org/2026/", "prefix", "x", "y")])
    (hit,) = index.search(SearchQuery.parse("words"), Filters(), limit=5)
    assert hit.article.url == "https://www.example.org/first"
    assert [entry.url for entry in index.articles(limit=5)] == [hit.article.url]
    assert list(index.sites()) == ["example.org"] and index.busiest_sites(BEGIN, 5) == [("example.org", 1)]
    assert sum(index.articles_a_day(BEGIN).values()) == 1
    assert len(list(index.with_hidden.articles())) == len(list(index.with_hidden.all_captures())) == 3 * FEW + 1
    assert len(index.hidden_in(WARC.filename, 10)) == 9


def test_days_count_what_two_decisions_hide_once(index: Index) -> None:
    urls = [f"https://www.example.org/{part}/{number}" for part in ("2025", "2026") for number in range(4)]
    fill(index, [*urls, "https://other.example/", urls[0]])
    index.hide(
        [
            hide("https://www.example.org/2026/", "prefix", "x", "y"),
            hide(urls[5], "exact", "x", "y"),
            hide("https://other.example/", "host", "x", "y"),
            hide(urls[0], "exact", "x", "y", times=[BEGIN]),
            replace(hide(urls[1], "exact", "x", "y"), until=BEGIN),
        ]
    )
    for site in (None, "example.org"):
        shown = list(index.articles(site=site))
        assert sum(index.articles_a_day(BEGIN, site).values()) == len(shown) == 4
    assert index.articles_a_day(BEGIN, "other.example") == {}
    assert sum(index.with_hidden.articles_a_day(BEGIN).values()) == 10


def test_an_older_capture_is_found_where_the_newest_is_hidden(index: Index) -> None:
    url = "https://www.example.org/a"
    fill(index, [url, url, url])
    index.hide([hide(url, "exact", "x", "y", times=[BEGIN + timedelta(minutes=2)])])
    newest = BEGIN + timedelta(minutes=1)
    latest = index.latest(url)
    assert latest is not None and latest.timestamp == newest
    closest = index.closest(url, datetime.now(UTC))
    assert closest is not None and closest.timestamp == newest
    entry = index.article(url)
    assert entry is not None and entry.timestamp == newest
    assert [hit.article.timestamp for hit in index.search(SearchQuery.parse("words"))] == [newest]
    assert index.find(url, BEGIN + timedelta(minutes=2)) is None


def test_another_address_of_the_kind_is_not_hidden(index: Index) -> None:
    urls = [f"https://www.example.org/{name}" for name in ("a", "a/b", "ab", "A", "a?x=1")]
    fill(index, [*urls, "https://other.example.org/a", "http://example.org:81/a"])
    index.hide([hide("https://www.example.org/a", "exact", "x", "y")])
    # "A" shares its SURT.
    assert {capture.url for capture in index.all_captures()} == {
        "https://www.example.org/a/b",
        "https://www.example.org/a?x=1",
        "https://www.example.org/ab",
        "https://other.example.org/a",
        "http://example.org:81/a",
    }
    version = index.hidden_version()
    index.hide([])
    assert len(list(index.all_captures())) == 7 and index.hidden_version() != version

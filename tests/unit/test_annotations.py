"""What people say of what is held: its bytes, what follows from several, and what the index finds then."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.annotations import (
    Annotation,
    TaggedOutcome,
    described,
    noted,
    of_crawl,
    parse_tag,
    places,
    tagged,
    unnoted,
)
from storage.errors import Corrupt, UsageError
from storage.index import ArticleEntry, Filters, SharedIndex, WarcEntry, open_index
from storage.index.index import Index
from storage.index.query_parser import SearchQuery
from storage.model import Capture

pytest_plugins = ["indexes"]

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
A, B, SUB = "https://www.example.org/a", "https://www.example.org/b", "https://sub.example.org/a"
NAMES = (A, B, A, "https://www.example.org/a/below", SUB)


@pytest.fixture
def index(index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(index_place) as opened:
        fill(opened, NAMES, "0")
        yield opened


def fill(index: Index, urls: tuple[str, ...], serial: str) -> None:
    """A capture and an article of each address, a minute after the one before."""
    warc = WarcEntry(f"newskeep-20260301000000000-0123456789ab-0000{serial}.warc.gz", 1, "0" * 64, ("text/part",))
    captures, articles = [], []
    for number, url in enumerate(urls):
        moment = BEGIN + timedelta(days=int(serial), minutes=number)
        captures.append(Capture(url, moment, 200, "text/html", "sha1:x", warc.filename, number, 1))
        place = (warc.filename, number, "text/part", number, 1)
        articles.append(ArticleEntry(url, moment, "example.org", "Title", None, "en", 9, *place, text="words"))
    index.add(warc, captures, articles)


def say(index: Index, annotation: Annotation, outcomes: tuple[TaggedOutcome, ...] = ()) -> Annotation:
    index.annotate([(annotation, places(annotation, outcomes))])
    return annotation


def minutes(index: Index, tag: str) -> list[int]:
    """When what has a tag was captured, by all ways to it."""
    found = [capture.timestamp for capture in index.all_captures(tag=tag)]
    articles = [entry.timestamp for entry in index.articles(tag=tag)]
    assert sorted(articles, reverse=True) == articles and sorted(articles) == sorted(found)
    assert {moment for moment in found if tag in index.tags_of(A, moment)} <= set(found)
    hits = [hit.article.timestamp for hit in index.search(SearchQuery.parse("words"), Filters(tag=tag))]
    assert set(hits) <= set(articles) and len(hits) == len({entry.url for entry in index.articles(tag=tag)})
    counted = index.tag(tag)
    assert (counted.captures, counted.articles) == (len(found), len(articles))
    return sorted(int((moment - BEGIN).total_seconds()) // 60 for moment in found)


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("Election-2026", "election-2026"),
        (" a ", "a"),
        ("É", "é"),
        ("E\u0301", "é"),
        ("選挙", "選挙"),
        ("चुनाव", "चुनाव"),
        ("a.b_c", "a.b_c"),
    ],
)
def test_a_tag_has_one_form(typed: str, tag: str) -> None:
    assert parse_tag(typed) == tag == parse_tag(tag)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "a tag is empty"),
        ("  ", "a tag is empty"),
        ("two words", "did you mean two-words?"),
        ("a,b", "did you mean a-b?"),
        ("-a", "did you mean a?"),
        ("a\nb", "did you mean a-b?"),
        ("x" * 65, "65 characters, and 64 are the most"),
        ("!!", "is no tag: letters, digits"),
        ("a\x1b[31m", "is no tag"),
        (7, "a tag is text"),
    ],
)
def test_what_is_no_tag_is_told_in_one_line(typed: object, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_tag(typed)
    assert said in str(raised.value) and "\n" not in str(raised.value) and "\x1b" not in str(raised.value)


def test_an_annotation_comes_back_from_its_bytes() -> None:
    note = noted(A, "Æblet, “here”\nand a line", "who", times=[BEGIN])
    for each in (
        tagged("example.org", "host", "who", add=["B", "a"], remove=["c"]),
        tagged(A, "exact", "who", add=["a"], times=[BEGIN]),
        note,
        unnoted(note, "who"),
        described("a", "who", title="Title", description=""),
        of_crawl("crawls/2026/03/01/0123456789ab.json", "0123456789ab", BEGIN),
    ):
        assert Annotation.from_fields(json.loads(each.to_json()), each.key) == each


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"moment": "2026-03-01T00:00:00"},
        {"match": "near"},
        {"id": "1"},
        {"add": ["two words"]},
        {"add": []},
        {"add": 7},
        {"url": None},
        {"url": 7},
        {"remove": ["a"]},
        {"times": ["no time"]},
    ],
)
def test_what_is_no_annotation_is_corrupt(change: dict[str, object]) -> None:
    made = tagged(A, "exact", "who", add=["a"])
    with pytest.raises(Corrupt, match="not an annotation"):
        Annotation.from_fields({**json.loads(made.to_json()), **change}, made.key)


def test_a_tag_of_an_address_is_also_of_what_is_captured_later(index: Index) -> None:
    say(index, tagged(A, "exact", "who", add=["x"]))
    assert minutes(index, "x") == [0, 2]
    fill(index, (A, B), "1")
    assert minutes(index, "x") == [0, 2, 1440]


def test_a_tag_of_one_capture_is_of_no_other(index: Index) -> None:
    say(index, tagged(A, "exact", "who", add=["x"], times=[BEGIN]))
    assert minutes(index, "x") == [0]
    assert index.tags_of(A, BEGIN) == ("x",) and index.tags_of(A, BEGIN + timedelta(minutes=2)) == ()


@pytest.mark.parametrize(
    ("url", "match", "expected"),
    [
        ("https://www.example.org/a", "prefix", [0, 2, 3]),
        ("www.example.org", "host", [0, 1, 2, 3]),
        ("example.org", "domain", [0, 1, 2, 3, 4]),
    ],
)
def test_prefixes_hosts_and_domains_have_tags(index: Index, url: str, match: str, expected: list[int]) -> None:
    say(index, tagged(url, match, "who", add=["x"]))  # type: ignore[arg-type]
    assert minutes(index, "x") == expected


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_last_word_counts_in_whatever_order_they_become_known(index: Index, order: tuple[int, ...]) -> None:
    said = [
        tagged("www.example.org", "host", "who", add=["x", "y"]),
        tagged(A, "exact", "who", remove=["x"]),
        tagged(A, "exact", "who", add=["x"], times=[BEGIN]),
    ]
    said = [replace(each, moment=BEGIN + timedelta(seconds=number)) for number, each in enumerate(said)]
    for number in order:
        say(index, said[number])
    assert minutes(index, "x") == [0, 1, 3] and minutes(index, "y") == [0, 1, 2, 3]
    say(index, said[0])
    assert [each.tag for each in index.tags()] == ["x", "y"]


def test_a_crawl_tags_what_it_captured_with_the_redirects_to_it(index: Index) -> None:
    crawl = of_crawl("crawls/2026/03/01/0123456789ab.json", "0123456789ab", BEGIN + timedelta(hours=1))
    say(index, crawl, (TaggedOutcome((A, B), BEGIN + timedelta(minutes=1), ("x",)),))
    assert minutes(index, "x") == [0, 1]


def test_notes_are_of_an_address_or_of_one_capture_and_are_taken_back(index: Index) -> None:
    general = say(index, noted(A, "All of it", "who"))
    first = say(index, noted(A, "The first", "who", times=[BEGIN]))
    say(index, noted(B, "Another", "who"))
    assert index.notes(A) == index.notes(A, BEGIN) == [general, first]
    assert index.notes(A, BEGIN + timedelta(minutes=2)) == [general]
    say(index, unnoted(general, "who"))
    assert index.notes(A) == [first]


def test_a_collection_is_a_tag_with_a_title_and_what_is_said_later_counts(index: Index) -> None:
    say(index, described("x", "who", title="Elections", description="All of them"))
    say(index, described("x", "who", title="Election 2026"))
    (found,) = index.tags()
    assert (found.tag, found.title, found.description, found.captures) == ("x", "Election 2026", "All of them", 0)
    say(index, described("x", "who", title="", description=""))
    assert index.tags() == []

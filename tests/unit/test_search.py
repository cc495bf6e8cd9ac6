"""Full-text search: what is found and in which order, what is highlighted, and that no change of the index loses it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import UsageError
from storage.index import ORDERS, ArticleEntry, Filters, Hit, SharedIndex, WarcEntry, open_index, schema
from storage.index.index import Index
from storage.index.query_parser import SearchQuery
from storage.index.snippets import LENGTH, snippet
from storage.index.text_search import FEW
from storage.index.tokenizer import is_named, tokens, words

pytest_plugins = ["indexes"]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PARTS = ("text/a.jsonl.gz",)
#: Takes away what version 4 of the tables has more than those before.
UNMARKED = (
    "DROP INDEX captures_noarchive; ALTER TABLE captures DROP COLUMN noarchive;"
    "ALTER TABLE articles DROP COLUMN noarchive; DROP TABLE removals; DROP TABLE hidden;"
    "DROP TABLE annotations; DROP TABLE tagged;"
)
TEXTS = {
    "bridge": "The bridge over the river opens on Monday, said the minister. It cost 3.5 million.",
    "budget": "The minister presents her budget. Covid-19 made it hard.",
    "aero": "Færgen til Ærø sejler igen. Rødgrød med fløde på naïve caféer.",
    "tokyo": "東京タワーの近くに新しい橋ができた。2026年に開通する。",
    "china": "政府宣布了新的经济政策，以支持小型企业的发展。",
    "thai": "รัฐบาลประกาศนโยบายเศรษฐกิจใหม่",
    "seoul": "서울에서 새로운 다리가 개통되었다.",
    "moscow": "Ёлка на Красной площади: мэр открыл мост.",
    "arabic": "افتتح الوزير الجِسْر الجديد",
    "hindi": "नई दिल्ली में पुल खुला",
}


def warc(name: str) -> WarcEntry:
    return WarcEntry(f"newskeep-{name}.warc.gz", 1_000, "", PARTS)


def article(name: str, day: float = 0, text: str | None = None, **fields: object) -> ArticleEntry:
    made = ArticleEntry(
        url=f"https://paper.example/{name}",
        timestamp=NOON + timedelta(days=day),
        site="paper.example",
        title=f"Title of {name}",
        published=None,
        language="en",
        words=9,
        filename=warc("a").filename,
        offset=0,
        part=PARTS[0],
        part_offset=70,
        part_length=7,
        text=TEXTS.get(name, "Nothing much.") if text is None else text,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def index(index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(index_place) as opened:
        yield opened


@pytest.fixture(scope="module")
def library(module_index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(module_index_place) as opened:
        opened.add(warc("a"), [], [article(name, number, offset=number) for number, name in enumerate(TEXTS)])
        yield opened


def found(index: Index, typed: str, filters: Filters | None = None, **options: Any) -> list[str]:
    return [hit.article.url.rpartition("/")[2] for hit in index.search(SearchQuery.parse(typed), filters, **options)]


def marked(hit: Hit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.marks]


# What is found


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("minister", ["budget", "bridge"]),
        ("MINISTER budget", ["budget"]),
        ('"the minister"', ["budget", "bridge"]),
        ('"minister the"', []),
        ("minister -budget", ["bridge"]),
        ('minister -"the river"', ["budget"]),
        ("minist*", ["budget", "bridge"]),
        ("minist", []),
        ("covid-19", ["budget"]),
        ("19 covid", ["budget"]),
        ("3.5", ["bridge"]),
        ('"title of aero"', ["aero"]),
        # A title and the text behind it are no phrase.
        ('"bridge the bridge"', []),
        # Accents and letters of their own.
        ("aero", ["aero"]),
        ("ÆRØ rodgrod CAFÉER", ["aero"]),
        ("елка", ["moscow"]),
        ("الجسر", ["arabic"]),
        ("दिल्ली", ["hindi"]),
        # No spaces between words.
        ("東京タワー", ["tokyo"]),
        ("タワー 橋", ["tokyo"]),
        ("橋", ["tokyo"]),
        ("京東", []),
        ('"2026年"', ["tokyo"]),
        ("经济政策", ["china"]),
        ("策经", []),
        ("เศรษฐกิจ", ["thai"]),
        ("서울", ["seoul"]),
        ("다리가", ["seoul"]),
        ("-the -の", ["hindi", "arabic", "moscow", "seoul", "thai", "china", "aero"]),
    ],
)
def test_words(library: Index, typed: str, names: list[str]) -> None:
    assert found(library, typed) == names


@pytest.mark.parametrize("typed", ["", " ", "-", "*", '"', '""', "!!!", "-*", "\x00", "\ud800"])
def test_nothing_is_found_where_nothing_is_asked(library: Index, typed: str) -> None:
    assert found(library, typed) == []


#: What somebody types who wants to break out of the query.
_TYPED = [
    *"ab \"'-*():^{}+Œ東橋“”\x00\ud800\\;,.",
    " OR ",
    " AND ",
    " NOT ",
    "NEAR(",
    "the",
    "minister",
    "l:",
    "s:",
    "a:",
]
_TYPED += ["author:", "site:", "language:", "tag:", "Site:example.org", "words:", "rowid:", "search MATCH"]


@pytest.mark.heavy
@given(st.lists(st.sampled_from(_TYPED), max_size=12).map("".join))
def test_what_is_typed_is_a_query_or_one_line(library: Index, typed: str) -> None:
    list(library.search(SearchQuery.parse("word"), Filters(site=typed, language=typed, author=typed)))
    try:
        wanted = SearchQuery.parse(typed)
    except UsageError as error:
        assert "\n" not in str(error)
        return
    for order in ORDERS:
        assert len(list(library.search(wanted, order=order))) == library.total(wanted).count


@given(st.text(max_size=60))
def test_both_ways_to_cut_a_text_agree(text: str) -> None:
    assert [word.token for word in words(text)] == tokens(text)
    assert all(token.isascii() <= token.isalnum() for token in tokens(text))


@pytest.mark.parametrize(
    ("wanted", "is_hers"),
    [
        ("berg", True),
        ("BERG", True),
        ("åse berg", True),
        ("Ase Berg", True),
        ("berg holm", True),
        ("Åse Berg-Holm", True),
        ("ber", False),
        ("berg åse", False),
        ("åse holm", False),
        ("berg bo", False),
        ("", False),
        ("-", False),
    ],
)
def test_who_wrote_it_is_the_same_for_a_search_and_a_list(index: Index, wanted: str, is_hers: bool) -> None:
    names = ("Åse Berg-Holm", "Bo Bergman")
    index.add(warc("a"), [], [article("one", 0, "word", authors=names, offset=1)])
    assert found(index, "word", Filters(author=wanted)) == (["one"] if is_hers else [])
    assert is_named(wanted, names) is is_hers


def test_filters(index: Index) -> None:
    ada = article("ada", 0, "word", authors=("Ada Ærø", "Bo Li"), language="pt-BR", offset=1)
    bob = article("bob", 1, "word", authors=("Bob Ada",), language="pt", site="other.example", offset=2)
    index.add(warc("a"), [], [ada, bob, article("none", 2, "word", language=None, offset=3)])
    assert found(index, "word", Filters(site="other.example")) == ["bob"]
    assert found(index, "word", Filters(language="pt")) == ["bob", "ada"]
    assert found(index, "word", Filters(language="pt-br")) == ["ada"]
    assert found(index, "word", Filters(author="ada")) == ["bob", "ada"]
    assert found(index, "word", Filters(author="ada aero")) == ["ada"]
    # Two authors are not one.
    assert found(index, "word", Filters(author="aero bo")) == found(index, "word", Filters(author="!")) == []
    assert found(index, "word", Filters(since=NOON, until=NOON + timedelta(days=1))) == ["bob", "ada"]
    assert found(index, "word", Filters(since=NOON + timedelta(seconds=1))) == ["none", "bob"]
    assert found(index, "-nothing", Filters(site="other.example")) == ["bob"]
    # What a filter is made of is no word of the text.
    assert found(index, "paper.example") == found(index, "bo") == []


# Order, pages, versions


def test_pages_by_key(index: Index) -> None:
    many = [article(f"story{number}", number // 3, "word", offset=number) for number in range(FEW * 3)]
    index.add(warc("a"), [], many)
    everything = found(index, "word")
    assert everything == [f"story{3 * day + number}" for day in reversed(range(FEW)) for number in range(3)]
    paged: list[str] = []
    before = None
    while page := list(index.search(SearchQuery.parse("word"), before=before, limit=7)):
        assert len(page) <= 7
        paged += [hit.article.url.rpartition("/")[2] for hit in page]
        before = page[-1].key
    assert paged == everything


def test_an_article_is_found_once_by_its_newest_version_that_has_the_words(index: Index) -> None:
    texts = ["first word", "second word", "third and last"]
    versions = [article("story", day, text, offset=day) for day, text in enumerate(texts)]
    others = [article(f"other{number}", number / 100, "word", offset=10 + number) for number in range(5)]
    index.add(warc("a"), [], [*versions, *others])
    hits = list(index.search(SearchQuery.parse("word")))
    assert [hit.article.timestamp.day for hit in hits if hit.article.url.endswith("story")] == [22]
    assert len(hits) == 6 and hits[0].snippet == "second word"
    # The older version is on no later page either.
    assert found(index, "word", before=hits[0].key) == [f"other{number}" for number in (4, 3, 2, 1, 0)]
    assert found(index, "first") == ["story"] and found(index, "first", Filters(since=NOON + timedelta(days=1))) == []
    until = Filters(until=NOON + timedelta(hours=12))
    assert next(index.search(SearchQuery.parse("story"), until)).snippet == "first word"


# Snippets


@pytest.mark.parametrize(
    ("typed", "name", "marks"),
    [
        ("river MINISTER", "bridge", ["river", "minister"]),
        ('"over the" bridg*', "bridge", ["bridge", "over the"]),
        ("aero rodgrod", "aero", ["Ærø", "Rødgrød"]),
        ("東京タワー", "tokyo", ["東京タワー"]),
        ("橋", "tokyo", ["橋"]),
        ("다리", "seoul", ["다리"]),
        ("budget -river", "budget", ["budget"]),
    ],
)
def test_highlights(library: Index, typed: str, name: str, marks: list[str]) -> None:
    hit = next(library.search(SearchQuery.parse(typed)))
    assert hit.article.url.endswith(name)
    assert marked(hit) == marks


def test_a_snippet_shows_most_of_the_words_on_one_line() -> None:
    text = "alpha.\n\n" + "filler words here " * 60 + "\n\nthe beta\nstands near the alpha " + "and so on " * 60
    line, marks = snippet(text, SearchQuery.parse("alpha beta"))
    assert [line[start:end] for start, end in marks] == ["beta", "alpha"]
    assert line.startswith("… ") and line.endswith(" …") and "\n" not in line and len(line) <= LENGTH + 4
    assert snippet("Short.", SearchQuery.parse("title")) == ("Short.", ())
    assert snippet("", SearchQuery.parse("title")) == ("", ())
    assert len(snippet("x" * 5_000, SearchQuery.parse("word"))[0]) <= LENGTH + 2
    title = SearchQuery.parse("bridge").marks("A Bridge: the bridge")
    assert title == [(2, 8), (14, 20)]


# Changes of the index


def words_held(path: Path) -> set[str]:
    """The terms that the index of words holds, asked of SQLite itself."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE VIRTUAL TABLE temp.held USING fts5vocab(main, search, row)")
        return {term for (term,) in database.execute("SELECT term FROM temp.held")}


def test_replaced_joined_and_removed(index: Index, path: Path) -> None:
    index.add(warc("a"), [], [article("one", 0, "old text", offset=1), article("two", 1, "kept text", offset=2)])
    second = replace(article("three", 2, "third text", offset=1), filename=warc("b").filename)
    index.add(warc("b"), [], [second])
    before = [hit.key for hit in index.search(SearchQuery.parse("text"))]

    # Extracted again: one text differs.
    index.replace(
        [warc("a").filename],
        warc("a"),
        [],
        [article("one", 0, "new text", offset=1), article("two", 1, "kept text", offset=2)],
    )
    assert found(index, "new") == ["one"] and found(index, "old") == []
    assert [hit.key for hit in index.search(SearchQuery.parse("text"))][:2] == before[:2]
    assert "old" not in words_held(path)

    # Compacted: everything is found where it went, under the keys of before.
    keys = [hit.key for hit in index.search(SearchQuery.parse("text"))]
    joined = [article("one", 0, "new text"), article("two", 1, "kept text"), article("three", 2, "third text")]
    joined = [replace(entry, filename=warc("j").filename, offset=n) for n, entry in enumerate(joined, 500)]
    index.replace([warc("a").filename, warc("b").filename], warc("j"), [], joined)
    hits = list(index.search(SearchQuery.parse("text")))
    assert [hit.key for hit in hits] == keys
    assert [hit.article.offset for hit in hits] == [502, 501, 500]
    assert index.unsearched() == 0

    index.remove(warc("j").filename)
    assert found(index, "text") == [] and words_held(path) == set()


def test_an_article_whose_line_comes_twice_is_found_once(index: Index) -> None:
    index.add(warc("a"), [], [article("one", 0, "text", offset=1)] * 2)
    assert found(index, "text") == ["one"] and index.unsearched() == 0


def test_an_index_from_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with open_index(path) as index:
        index.add(warc("a"), [], [article("one", 0, "text", offset=1)])
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "DROP TABLE search; DROP TABLE searched; ALTER TABLE warcs DROP COLUMN searched;"
            f"{UNMARKED}"
            "UPDATE about SET value = 1 WHERE name = 'schema'"
        )
    with open_index(path) as index:
        assert found(index, "text") == []
        assert index.unsearched() == index.unsearched(warc("a").filename) == 1
        index.replace([warc("a").filename], warc("a"), [], [article("one", 0, "text", offset=1)])
        assert found(index, "text") == ["one"] and index.unsearched() == 0
    assert schema.VERSION == 8


def test_an_index_whose_words_were_cut_in_another_way_is_searched_after_reindex(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with open_index(path) as index:
        index.add(warc("a"), [], [article("one", 0, "text", offset=1)])
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(f"{UNMARKED} UPDATE about SET value = 2 WHERE name = 'schema'")
    with open_index(path) as index:
        assert found(index, "text") == [] and index.unsearched() == 1
        index.replace([warc("a").filename], warc("a"), [], [article("one", 0, "text", offset=1)])
        assert found(index, "text") == ["one"] and index.unsearched() == 0


@pytest.mark.parametrize(
    "mark", ["\u00ad", "\u2060", "\ufeff", "\u200b", "\u200d", "\u200e", "\u2063", "\ufe0f", "\U000e0001"]
)
def test_what_is_not_seen_is_in_no_word(index: Index, mark: str) -> None:
    index.add(warc("a"), [], [article("one", 0, f"{mark}har{mark}bour{mark}master’s, 港{mark}口区", offset=1)])
    for asked in ("harbourmaster", "HARBOUR" + mark + "master", "港口", "口区", f"港{mark}口区"):
        assert found(index, asked) == ["one"], asked

"""Versions and duplicates: what the index finds, whatever came first, and what is an edit between two articles."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from base64 import b32encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.fingerprints import NEAR, SIZE, Fingerprint
from storage.index import ArticleEntry, WarcEntry, open_index
from storage.index.index import Index
from storage.model import Article, Block, Capture, Reason
from storage.text import is_same_title, pieces
from storage.versions import Passage, Piece, changed_text, changed_title, is_edited, versions

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
URL = "https://paper.example/a"


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def made(text: int, like: Fingerprint | None = None, share: float = 0.0) -> Fingerprint:
    """The fingerprint of text number `text`; with `like`, one that has a share of another's sketch."""
    chance = random.Random(text)
    sketch = chance.randbytes(SIZE)
    if like is not None:
        same = chance.sample(range(SIZE), round(share * SIZE))
        theirs = bytes.fromhex(like.sketch)
        sketch = bytes(theirs[n] if n in same else sketch[n] ^ (sketch[n] == theirs[n]) for n in range(SIZE))
    return Fingerprint("sha1:" + b32encode(chance.randbytes(20)).decode(), sketch.hex())


def entry(url: str = URL, seconds: int = 0, text: int | None = 0, **fields: object) -> ArticleEntry:
    one = ArticleEntry(url, at(seconds), "paper.example", "Title", None, "da", 9, "a", seconds, "text/a", 70, 7)
    return replace(one, fingerprint=None if text is None else made(text), **fields)  # type: ignore[arg-type]


def add(index: Index, name: str, *entries: ArticleEntry) -> list[ArticleEntry]:
    """Enter articles as those of one WARC, and return them so."""
    part = f"text/{name}"
    rows = [replace(each, filename=name, offset=n, part=part) for n, each in enumerate(entries)]
    index.add(WarcEntry(name, 1, name, (part,)), [], rows)
    return rows


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "index.sqlite") as opened:
        yield opened


# Versions


def test_the_first_capture_of_each_text(index: Index) -> None:
    rows = [entry(seconds=n, text=text) for n, text in enumerate([1, 1, 2, 2, 1, None, 1, 3])]
    rows = add(index, "a", *rows)
    assert list(index.versions(URL)) == [rows[0], rows[2], rows[4], rows[7]]
    assert list(index.history(URL)) == rows
    assert list(index.versions("https://paper.example/b")) == []


def test_another_headline_is_a_version_and_another_template_is_none(index: Index) -> None:
    titles = ["Bro åbner", None, "Bro åbner | Avisen", "Bro åbner", "Bro lukker", "Bro lukker – Avisen"]
    rows = add(index, "a", *(entry(seconds=n, title=title) for n, title in enumerate(titles)))
    assert list(index.versions(URL)) == [rows[0], rows[4]]


def test_this_url_goes_before_those_of_its_surt(index: Index) -> None:
    rows = add(index, "a", entry("http://www.paper.example/A", 0, 1), entry(URL, 1, 2), entry(URL, 2, 3))
    assert list(index.versions(URL)) == rows[1:]
    assert list(index.versions("https://www.paper.example/a")) == rows


def test_versions_over_many_pages(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.index.article_lookup.BATCH", 3)
    rows = add(index, "a", *(entry(seconds=n // 2, text=n // 4) for n in range(31)))
    assert list(index.history(URL)) == rows
    assert list(index.versions(URL)) == rows[::4]


TITLES = ["Bro åbner", "Bro lukker", None]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 8), st.sampled_from([1, 2, None]), st.sampled_from(TITLES)),
        max_size=25,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_warcs_are_added_does_not_matter(
    captures: list[tuple[int, int, int | None, str | None]], chance: random.Random
) -> None:
    warcs: dict[str, list[ArticleEntry]] = {}
    for warc, seconds, text, title in captures:
        other = "https://other.example/b" if warc == 3 else URL
        warcs.setdefault(f"warc-{warc}", []).append(entry(other, seconds, text, title=title))
    found = []
    for _ in range(2):
        names = list(warcs)
        chance.shuffle(names)
        with tempfile.TemporaryDirectory() as folder, open_index(Path(folder) / "index.sqlite") as index:
            for name in names:
                add(index, name, *warcs[name])
            newest = index.article(URL)
            duplicates = list(index.duplicates(entry(text=1)))
            found.append((list(index.versions(URL)), list(index.history(URL)), duplicates))
            assert newest is None or newest.timestamp == max(each.timestamp for each in index.history(URL))
    assert found[0] == found[1]
    texts = [each.fingerprint.digest for each in found[0][1] if each.fingerprint]
    assert len(found[0][0]) >= len(list(groupby(texts)))
    assert {each.article.url for each in found[0][2]} <= {"https://other.example/b"}


# Duplicates


def test_the_same_and_nearly_the_same_under_other_urls(index: Index) -> None:
    mine = made(1)
    rows = [
        entry(URL, 0, 1),
        entry("http://www.paper.example/a", 1, 1),  # the same page
        entry("https://other.example/exact", 2, 1),
        entry("https://other.example/near", 3),
        entry("https://other.example/far", 4),
        entry("https://other.example/none", 5, 2),
        entry("https://other.example/empty", 6, None),
    ]
    rows[3] = replace(rows[3], fingerprint=made(3, mine, 0.9))
    rows[4] = replace(rows[4], fingerprint=made(4, mine, 0.4))
    rows = add(index, "a", *rows)
    found = list(index.duplicates(rows[0]))
    assert [(each.article, each.exact) for each in found] == [(rows[3], False), (rows[2], True)]
    assert found[0].similarity == pytest.approx(0.9, abs=0.02)
    assert found[1].similarity == 1.0
    assert list(index.duplicates(rows[0], limit=1)) == found[:1]
    assert [each.article for each in index.duplicates(rows[2])] == [rows[3], rows[1]]
    assert list(index.duplicates(rows[6])) == []
    assert list(index.duplicates(rows[5])) == []


def test_of_each_url_the_most_similar_capture(index: Index) -> None:
    other = "https://other.example/b"
    rows = [entry(URL, 0, 1), entry(other, 1, 1), entry(other, 2, 1), entry(other, 3)]
    rows = add(index, "a", *rows[:3], replace(rows[3], fingerprint=made(9, made(1), 0.95)))
    (found,) = index.duplicates(rows[0])
    assert (found.article, found.exact) == (rows[2], True)


def test_short_texts_are_the_same_or_not(index: Index) -> None:
    short, different = replace(made(1), sketch=""), replace(made(2), sketch="")
    rows = [entry(f"https://other.example/{n}", n, None) for n in range(3)]
    rows = add(index, "a", *(replace(rows[n], fingerprint=(short, short, different)[n]) for n in range(3)))
    assert [(each.article, each.exact) for each in index.duplicates(rows[0])] == [(rows[1], True)]
    assert list(index.duplicates(rows[2])) == []


@pytest.mark.parametrize(("share", "least"), [(0.65, 0.9), (0.8, 0.98)])
def test_near_texts_are_found(index: Index, share: float, least: float) -> None:
    mine = made(0)
    rows = [entry(f"https://other.example/{n}", n, None) for n in range(200)]
    add(index, "a", *(replace(row, fingerprint=made(n, mine, share)) for n, row in enumerate(rows, 1)))
    found = list(index.duplicates(entry(text=0)))
    assert len(found) >= least * len(rows)
    assert all(each.similarity >= NEAR and not each.exact for each in found)
    assert [each.article.timestamp for each in found] == sorted(
        (each.article.timestamp for each in found), reverse=True
    )


def test_a_notice_on_thousands_of_pages_costs_no_more_than_its_bound(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.index.article_lookup.CANDIDATES", 10)
    rows = add(index, "a", *(entry(f"https://other.example/{n}", n) for n in range(30)))
    assert [each.article for each in index.duplicates(entry())] == rows[:-11:-1]


def test_keys_go_with_their_articles(index: Index, tmp_path: Path) -> None:
    def keys() -> int:
        with closing(sqlite3.connect(tmp_path / "index.sqlite")) as database:
            (count,) = database.execute("SELECT count(*) FROM article_keys").fetchone()
            return int(count)

    (first,) = add(index, "a", entry(URL, 0, 1))
    (second,) = add(index, "b", entry("https://other.example/b", 1, 1))
    assert keys() == len(set(made(1).keys)) * 2
    # A row that is given twice counts once.
    index.replace(["b"], WarcEntry("c", 1, "c", ("text/c",)), [], [replace(second, filename="c", part="text/c")] * 2)
    assert keys() == len(set(made(1).keys)) * 2
    assert [each.article.filename for each in index.duplicates(first)] == ["c"]
    index.remove("c")
    assert list(index.duplicates(first)) == []
    index.remove("a")
    assert keys() == 0


# What is an edit


def article(*lines: str, removed: tuple[str, ...] = (), title: str | None = "Title") -> Article:
    blocks = [Block(line, "p", True, Reason("model")) for line in lines]
    blocks += [Block(line, "p", False, Reason("repeated")) for line in removed]
    return Article(URL, title, blocks=tuple(blocks))


def test_what_the_other_extraction_left_out_is_no_edit() -> None:
    """A line of the template before and after the site's memory learned it."""
    before, after = article("One.", "Follow us.", "Two."), article("One.", "Two.", removed=("Follow us.",))
    assert not is_edited(before, after)
    assert not is_edited(after, before)
    assert list(changed_text(before, after)) == []
    # It is told apart from an edit in the same place.
    edited = article("One.", "Two and a half.", removed=("Follow us.",))
    assert is_edited(before, edited)
    assert [
        "".join(piece.text for piece in each.pieces if piece.of != "after") for each in changed_text(before, edited)
    ] == ["Two."]


def test_what_went_came_moved_or_has_another_sign_is_an_edit() -> None:
    before = article("One.", "Two.", "Profit: 5 %")
    assert not is_edited(before, article("One.", "Two. ", "Profit:\u00a05 %", removed=("Menu",)))
    assert is_edited(before, article("One.", "Profit: 5 %"))
    assert is_edited(before, article("One.", "Two.", "Three.", "Profit: 5 %"))
    assert is_edited(before, article("Two.", "One.", "Profit: 5 %"))
    assert is_edited(before, article("One.", "Two.", "Profit: -5 %"))
    assert is_edited(before, article("One.", "Two.", "Profit: 5 %", title="Another"))


def test_changes_word_by_word() -> None:
    before = article("Same.", "Same too.", "The mayor opened the bridge on Friday.", "Gone.", title="A bridge opens")
    after = article(
        "Same.", "Same too.", "The mayor closed the old bridge on Friday.", "Wholly new.", title="A bridge closes"
    )
    assert changed_title(before, after) == (
        Piece("both", "A bridge "),
        Piece("before", "opens"),
        Piece("after", "closes"),
    )
    assert changed_title(before, before) == ()
    changed, gone, come = changed_text(before, after)
    assert changed == Passage(
        (
            Piece("both", "The mayor "),
            Piece("before", "opened"),
            Piece("after", "closed"),
            Piece("both", " the "),
            Piece("after", "old "),
            Piece("both", "bridge on Friday."),
        ),
        skipped=2,
    )
    assert (gone, come) == (Passage((Piece("before", "Gone."),)), Passage((Piece("after", "Wholly new."),)))


WORDS = st.lists(st.sampled_from(["bro", "by", "åbner", "-5", "。", "桥", " ", "x y z"]), max_size=6).map(" ".join)


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6))
def test_the_pieces_of_a_change_are_the_two_texts(old: list[str], new: list[str]) -> None:
    before, after = article(*old), article(*new)
    found = list(changed_text(before, after))
    for lines, other in ((old, "after"), (new, "before")):
        told = ["".join(piece.text for piece in passage.pieces if piece.of != other) for passage in found]
        assert not {line for line in told if line} - set(lines)
    assert bool([piece for passage in found for piece in passage.pieces if piece.of != "both"]) <= is_edited(
        before, after
    )
    assert "".join(pieces(" ".join(old))) == " ".join(old)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Bro åbner", "Bro åbner | Avisen", True),
        ("“Bro” åbner", '"Bro"  åbner - Avisen', True),
        ("Bro", None, True),
        ("Bro", "Bro-afgift", False),
        ("Bro", "Broer", False),
        ("Bro", "Bro: lukket", False),
        ("Bro åbner", "Bro lukker", False),
    ],
)
def test_titles_that_a_template_alone_may_change(one: str | None, other: str | None, same: bool) -> None:
    assert is_same_title(one, other) is is_same_title(other, one) is same


# When a version was seen, and when the page was gone


def test_when_it_was_seen_and_gone(index: Index) -> None:
    def capture(seconds: int, status: int | None = 200, mime: str = "text/html") -> Capture:
        return Capture(URL, at(seconds) + timedelta(microseconds=7), status, mime, None, "a", seconds, 1)

    texts = {0: 1, 20: 1, 50: 1, 60: 2, 90: 2}
    rows = [entry(seconds=second, text=text, filename="a", offset=second) for second, text in texts.items()]
    captures = [capture(second) for second in texts]
    captures += [capture(-5, 404), capture(10, mime="warc/revisit"), capture(30, 404), capture(40, 404, "warc/revisit")]
    captures += [
        capture(65, 304),
        capture(70, 503),
        capture(75, mime="warc/revisit"),
        capture(100, 410),
        capture(110, 410),
    ]
    index.add(WarcEntry("a", 1, "a", ("text/a",)), captures, rows)
    first, second = versions(index, URL, lambda entry: article(f"Text {entry.fingerprint}"))
    assert (first.entry, first.last.replace(microsecond=0), first.captures) == (rows[0], at(50), 4)
    assert (second.entry, second.last.replace(microsecond=0), second.captures) == (rows[3], at(90), 3)
    told = [
        [(each.timestamp.second, each.status, each.until and each.until.second) for each in version.removals]
        for version in (first, second)
    ]
    assert told == [[(30, 404, 50)], [(100 - 60, 410, None)]]


def test_texts_that_differ_by_their_extraction_are_one_version(index: Index) -> None:
    rows = add(index, "a", entry(seconds=0, text=1), entry(seconds=1, text=2), entry(seconds=2, text=3))
    read = [article("One.", "Follow us."), article("One.", removed=("Follow us.",)), article("Other.")]
    found = versions(index, URL, lambda entry: read[entry.offset])
    assert [version.entry for version in found] == [rows[0], rows[2]]


@pytest.mark.parametrize(("old", "new"), [(["a"] * 2_000, ["a", "b"] * 1_000), (["桥"] * 2_000, ["桥", "水"] * 1_000)])
def test_what_repeats_itself_is_not_compared_for_ever(old: list[str], new: list[str]) -> None:
    one_line, many_lines = (article(" ".join(old)), article(" ".join(new))), (article(*old), article(*new))
    for before, after in (one_line, many_lines):
        assert is_edited(before, after)
        told = [piece for passage in changed_text(before, after) for piece in passage.pieces]
        gone, come = ("".join(piece.text for piece in told if piece.of == of) for of in ("before", "after"))
        assert come.count(new[1]) == new.count(new[1])
        assert len(gone) + len(come) > 0

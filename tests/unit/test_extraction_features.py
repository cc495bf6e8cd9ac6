"""Words in every script, and the features of a block."""

from __future__ import annotations

import numpy as np
import pytest

from crawler.extraction.classify.class_tokens import GROUPS, groups_of
from crawler.extraction.classify.features import NAMES, Hints, matrix
from crawler.extraction.opinions import Opinions
from crawler.html.blocks import cut
from crawler.html.document import body, parse
from crawler.html.words import Shingles, grams, tokens

PAGE = """<html><body>
<div class="site-header"><a href="/">The Daily Example</a></div>
<main class="story"><h1>Harbour opens again</h1>
<p>The harbour of Example Bay opened again on Monday, two years after the storm.</p>
<p>Fishermen said that the new pier is higher, and that the old one was never safe.</p>
<div class="related-links"><a href="/news/storm-breaks-old-pier">Storm breaks old pier</a></div>
<p>The mayor thanked everybody who had helped, and promised a lighthouse for next year.</p>
</main><div class="cookie-consent">We use cookies</div></body></html>"""
TEXT = """The harbour of Example Bay opened again on Monday, two years after the storm.
Fishermen said that the new pier is higher, and that the old one was never safe.
The mayor thanked everybody who had helped, and promised a lighthouse for next year."""


@pytest.fixture
def column() -> dict[str, list[float]]:
    tree = parse(PAGE)
    assert tree is not None
    rows = matrix(cut(body(tree)), Hints(Opinions(TEXT), "Harbour opens again"))
    return dict(zip(NAMES, rows.T.tolist(), strict=True))


def test_tokens_of_scripts_without_spaces_are_characters() -> None:
    assert tokens("Nokia は 東京") == ["nokia", "は", "東", "京"]
    assert tokens("It's 3.5 %") == ["it", "s", "3", "5"]
    assert tokens("Straße Москва") == ["straße", "москва"]


def test_grams_are_runs_of_four() -> None:
    assert grams(["a", "b", "c"]) == []
    assert grams(["a", "b", "c", "d", "e"]) == [("a", "b", "c", "d"), ("b", "c", "d", "e")]


def test_share_of_a_passage() -> None:
    passage = Shingles("one two three four five six")
    assert passage.share(tokens("One two three, four five!")) == 1.0
    assert passage.share(tokens("one two three four nine")) == 0.5
    assert passage.share(["three", "four"]) == 1.0
    assert passage.share(["four", "three"]) == 0.0
    assert passage.share([]) == Shingles("").share(["a"]) == 0.0
    assert Shingles("東京都は今日発表した").share(tokens("今日発表した")) == 1.0


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ("three", True),
        ("two three", True),
        ("two three four five six", True),
        ("three two", False),
        ("six seven", False),
    ],
)
def test_a_passage_holds_runs_of_any_length(words: str, there: bool) -> None:
    assert Shingles("one two three four five six").holds(words.split()) is there


def test_a_row_a_block_and_a_column_a_name(column: dict[str, list[float]]) -> None:
    assert len(NAMES) == len(set(NAMES)) == len(column)
    assert {len(values) for values in column.values()} == {7}


def test_first_opinion_and_position(column: dict[str, list[float]]) -> None:
    assert column["trafilatura"] == [0, 0, 1, 1, 0, 1, 0]
    assert column["is_before"] == [1, 1, 0, 0, 0, 0, 0]
    assert column["is_after"] == [0, 0, 0, 0, 0, 0, 1]
    assert column["in_main"] == [0, 1, 1, 1, 1, 1, 0]
    assert column["title"][1] == 1.0


def test_a_link_with_the_words_of_its_address(column: dict[str, list[float]]) -> None:
    assert column["slug"] == [0, 0, 0, 0, 1, 0, 0]
    assert column["own:related"] == [0, 0, 0, 0, 1, 0, 0]


def test_what_stands_in_the_same_place(column: dict[str, list[float]]) -> None:
    assert column["place_blocks"] == [1, 1, 3, 3, 1, 3, 1]
    assert column["place_kept"] == [0, 0, 1, 1, 0, 1, 0]
    assert column["place_linked"] == [1, 0, 0, 0, 1, 0, 0]


def test_neighbours_end_at_the_edges(column: dict[str, list[float]]) -> None:
    assert column["trafilatura_+1"] == [0, 1, 1, 0, 1, 0, -1]
    assert column["trafilatura_-2"] == [-1, -1, 0, 0, 1, 1, 0]


def test_one_block_has_features() -> None:
    tree = parse("<p>x")
    assert tree is not None
    rows = matrix(cut(body(tree)), Hints(Opinions("")))
    assert rows.shape == (1, len(NAMES))
    assert np.isfinite(rows).all()


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ("article__Body", {"body"}),
        ("ad-slot", {"advert"}),
        ("header", {"navigation"}),
        ("shadow", set()),
        ("tags", {"tag"}),
        ("", set()),
    ],
)
def test_groups_of_names(names: str, groups: set[str]) -> None:
    bits = groups_of(names)
    assert {group for bit, group in enumerate(GROUPS) if bits >> bit & 1} == groups


@pytest.mark.parametrize(
    ("text", "marks"), [("One, two; three!", 3), ("東京、大阪。", 2), ("\U0001f600 grin \ufffe", 0), ("no mark", 0)]
)
def test_punctuation_is_counted_in_every_script(text: str, marks: int) -> None:
    tree = parse(f"<body><p>first, a line.</p><p>{text}</p></body>")
    assert tree is not None
    row = matrix(cut(body(tree)), Hints(Opinions("")))[1]
    assert row[NAMES.index("punctuation")] == pytest.approx(marks / len(tokens(text)))


@pytest.mark.parametrize(
    ("text", "symbols"),
    [("© A. Name", 1), ("a | b", 1), ("see http://x", 1), ("by @name", 1), ("www.example", 1), ("xwww. a @ b http", 0)],
)
def test_symbols(text: str, symbols: int) -> None:
    tree = parse(f"<body><p>{text}</p></body>")
    assert tree is not None
    assert matrix(cut(body(tree)), Hints(Opinions("")))[0, NAMES.index("symbols")] == symbols

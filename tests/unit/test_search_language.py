"""The language of searches, held against plain Python over some hundred articles; what is no query; ranks, totals."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Config
from newskeep.site_hosts import parse_words, site_asked
from storage.annotations import places, tagged
from storage.errors import UsageError
from storage.index import ArticleEntry, Filters, SharedIndex, Total, WarcEntry, open_index
from storage.index.index import Index
from storage.index.query_parser import MOST_DEEP, MOST_TERMS, SearchQuery
from storage.index.text_search import RANKED

pytest_plugins = ["indexes"]

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PART = "text/a.jsonl.gz"
WARC = WarcEntry("newskeep-a.warc.gz", 1_000, "", (PART,))
NAMES = ["bridge", "river", "minister", "budget", "strike", "or", "and", "not", "東京", "橋"]
AUTHORS = ["Ada Ærø", "Bo Li", "Ada Li"]
SITES = ["paper.example", "avis.example", "xn--bcher-kva.example"]
LANGUAGES = ["en", "pt-BR", "ja"]


@dataclass(frozen=True)
class Written:
    """An article of the library, as plain Python sees it."""

    name: str
    words: frozenset[str]
    site: str
    author: str
    language: str
    is_tagged: bool


def entry(
    name: str, at: int, text: str, *, title: str = "", site: str = "paper.example", **fields: Any
) -> ArticleEntry:
    made: dict[str, Any] = {"authors": (), "language": "en", **fields}
    return ArticleEntry(
        url=f"https://{site}/{name}",
        timestamp=NOON + timedelta(minutes=at),
        site=site,
        title=title or None,
        published=None,
        words=9,
        filename=WARC.filename,
        offset=at,
        part=PART,
        part_offset=at,
        part_length=7,
        text=text,
        **made,
    )


def library_of() -> list[Written]:
    chosen = random.Random(13)
    return [
        Written(
            f"story{number}",
            frozenset(chosen.sample(NAMES, chosen.randint(1, 6))),
            chosen.choice(SITES),
            chosen.choice(AUTHORS),
            chosen.choice(LANGUAGES),
            number % 3 == 0,
        )
        for number in range(300)
    ]


LIBRARY = library_of()


@pytest.fixture(scope="module")
def library(module_index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(module_index_place) as opened:
        entries = [
            entry(
                each.name,
                number,
                ", ".join(sorted(each.words)),
                title="of",
                site=each.site,
                authors=(each.author,),
                language=each.language,
            )
            for number, each in enumerate(LIBRARY)
        ]
        opened.add(WARC, [], entries)
        for each, made in zip(LIBRARY, entries, strict=True):
            if each.is_tagged:
                said = tagged(made.url, "exact", "us", add=["election"])
                opened.annotate([(said, places(said))])
        yield opened


@pytest.fixture
def empty(index_place: Path | SharedIndex) -> Iterator[Index]:
    with open_index(index_place) as opened:
        yield opened


def names(index: Index, typed: str, **options: Any) -> list[str]:
    return [hit.article.url.rpartition("/")[2] for hit in index.search(SearchQuery.parse(typed), **options)]


# A question, as it is typed and as Python answers it.
Question = tuple[str, Callable[[Written], bool]]


def _word(word: str) -> Question:
    return word, lambda each: word in each.words


def _author(name: str) -> Question:
    first = name.split(maxsplit=1)[0]
    return f"author:{first}", lambda each: first in each.author.split()


def _negated(question: Question, sign: str) -> Question:
    typed = f"({question[0]})" if question[0].startswith(("-", "NOT ")) else question[0]
    return f"{sign}{typed}", lambda each: not question[1](each)


def _either(one: Question, other: Question) -> Question:
    return f"({one[0]} OR {other[0]})", lambda each: one[1](each) or other[1](each)


def _both(one: Question, other: Question, between: str) -> Question:
    return f"({one[0]}{between}{other[0]})", lambda each: one[1](each) and other[1](each)


_SIMPLE = st.one_of(
    st.sampled_from(NAMES).map(_word),
    st.sampled_from(AUTHORS).map(_author),
    st.sampled_from(SITES).map(lambda site: (f"site:www.{site}", lambda each: each.site == site)),
    st.sampled_from(LANGUAGES).map(lambda tag: (f"language:{tag[:2]}", lambda each: each.language == tag)),
)
_QUESTIONS = st.recursive(
    _SIMPLE,
    lambda inner: st.one_of(
        st.builds(_negated, inner, st.sampled_from(["-", "NOT "])),
        st.builds(_either, inner, inner),
        st.builds(_both, inner, inner, st.sampled_from([" ", " AND "])),
    ),
    max_leaves=6,
)


@pytest.mark.heavy
@given(_QUESTIONS, st.sampled_from(["", "tag:election ", "-tag:election ", "tag:election -tag:none "]))
def test_a_search_finds_what_plain_python_finds(library: Index, question: Question, tag: str) -> None:
    typed, holds = question
    wanted_tag = {"": None, "-": False}.get(tag[:1], True)
    expected = [
        each.name for each in reversed(LIBRARY) if holds(each) and (wanted_tag is None or each.is_tagged == wanted_tag)
    ]
    assert names(library, tag + typed) == expected
    assert sorted(names(library, tag + typed, order="relevance")) == sorted(expected)
    assert library.total(SearchQuery.parse(tag + typed)) == Total(len(expected))


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        # OR binds closer than what stands beside it.
        ("bridge river OR budget", "bridge (river OR budget)"),
        ("river OR budget bridge", "(river OR budget) bridge"),
        ("bridge AND river", "bridge river"),
        ("(bridge", "bridge"),
        ("bridge) river", "bridge river"),
        ("Bridge (river)", "bridge river"),
        ("river NOT(budget OR strike)", "river -budget -strike"),
        ("bridge OR(river budget)", "bridge OR (river budget)"),
        ("AUTHOR:ada", "author:ADA"),
        ('author:"ada aero"', "author:Ada -author:li"),
        ("author:ad*", "author:ada"),
        ("site:https://www.paper.example/any/page", "site:paper.example"),
        ("bridge -(river OR budget)", "bridge -river -budget"),
        ("or and not", '"or" "and" "not"'),
        ("tag:Election", "TAG:election"),
        ("language:pt", "language:pt-br"),
        ("橋 OR 東京", "東京 OR 橋"),
    ],
)
def test_two_ways_to_say_the_same(library: Index, typed: str, same: str) -> None:
    assert names(library, typed) == names(library, same) != []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("OR", "OR stands between two words; the word itself is written small: or"),
        ("bridge OR", "OR stands between two words"),
        ("OR bridge", "OR stands between two words"),
        ("bridge OR OR river", "OR stands between two words"),
        ("(bridge OR) river", "OR stands between two words"),
        ("bridge OR !!!", "OR stands between two words"),
        ("bridge AND", "AND stands between two words"),
        ("AND bridge", "AND stands between two words"),
        ("bridge NOT", "NOT stands before a word; the word itself is written small: not"),
        ("NOT NOT bridge", "NOT stands before a word"),
        ("author:", "author: needs its one value right behind it, such as author:smith"),
        ("author: smith", "author: needs its one value right behind it"),
        ("author:(smith OR jones)", "author: needs its one value right behind it"),
        ('tag:""', "tag: needs its one value right behind it, such as tag:election"),
        ("author:!!", "author: has no word behind it"),
        ("language:-", "language: has no word behind it"),
        ("site:http://", "site:http:// is no site"),
        ('tag:"two words"', "tag: 'two words' is no tag"),
        ("tag:a OR bridge", "tag: stands by itself, not in brackets or beside OR"),
        ("bridge OR tag:a", "tag: stands by itself"),
        ("(tag:a)", "tag: stands by itself"),
        ("word " * (MOST_TERMS + 1), f"more than {MOST_TERMS} words; quotation marks make one of several in a row"),
        ("(" * (MOST_DEEP + 1) + "a", f"more than {MOST_DEEP} brackets in brackets"),
    ],
)
def test_what_is_no_query_is_one_line(typed: str, said: str) -> None:
    with pytest.raises(UsageError, match="^" + said.replace("(", r"\(")) as raised:
        SearchQuery.parse(typed)
    assert "\n" not in str(raised.value)


def test_a_site_goes_by_its_name() -> None:
    table = {"start": "https://www.paper.example/", "hosts": ["news.paper.example"]}
    config = Config(sites={"paper": table})
    assert parse_words(config, "site:paper") == SearchQuery.parse("(site:paper.example OR site:news.paper.example)")
    assert site_asked(config, "paper") == site_asked(config, "www.paper.example") == "paper.example"
    assert parse_words(config, "site:localhost") == SearchQuery.parse("site:localhost")


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        *((f"{marks[0]}opens on monday{marks[1]} bridge", '"opens on monday" bridge') for marks in [
            *("“”", "„“", "»«", "«»", "‹›", "›‹", "「」", "『』", "｢｣", "《》", "〈〉", "〝〟", "＂＂", "″″", "‟”"),
            *("‘’", "‚‘"),
        ]),
        ("author:‘ada lovelace’", 'author:"ada lovelace"'),
        ("‘it’s the people’s bridge’ river", '"it s the people s bridge" river'),
        ("the people’s l’avenir ’tis", "the people's l'avenir tis"),
        ("（bridge OR tunnel）AND river", "(bridge OR tunnel) AND river"),
        ("a （b OR （c d））", "a (b OR (c d))"),
        ("bridge －budget", "bridge -budget"),
        ("bridge –budget", "bridge -budget"),
        ("bridge −“opens on monday”", 'bridge -"opens on monday"'),
        ("author：smith　bridg＊", "author:smith bridg*"),
        ("塔－橋 1990–2000", "塔-橋 1990-2000"),
        ("bridge – river", "bridge river"),
    ],
)  # fmt: skip
def test_signs_mean_the_same_in_all_languages(typed: str, means: str) -> None:
    assert SearchQuery.parse(typed) == SearchQuery.parse(means)


def test_a_name_is_that_of_its_site_in_any_case() -> None:
    config = Config(sites={"paper": {"start": "https://www.herald.example/"}})
    assert (
        parse_words(config, "site:Paper")
        == parse_words(config, "site:paper")
        == parse_words(config, "site:herald.example")
    )
    assert site_asked(config, "PAPER") == "herald.example"


def test_relevance_is_title_then_often_then_near(empty: Index) -> None:
    filler = "Nobody saw it come, and everybody talked about other things for a long while. "
    texts = {
        "apart": ("Evening news", f"The harbour sleeps. {filler * 3}A bridge somewhere."),
        "once": ("Evening news", f"A harbour bridge. {filler * 3}"),
        "often": (
            "Evening news",
            f"The harbour bridge, a harbour bridge of harbour bridges: bridge, harbour. {filler}",
        ),
        "title": ("Harbour bridge opens", f"It opens. The harbour bridge. {filler}"),
        "none": ("Harbour", filler),
    }
    entries = [entry(name, at, text, title=title) for at, (name, (title, text)) in enumerate(texts.items())]
    empty.add(WARC, [], entries)
    assert names(empty, "harbour bridge", order="relevance") == ["title", "often", "once", "apart"]
    assert names(empty, "harbour bridge") == ["title", "often", "once", "apart"]
    # The other order of time finds the same one first.
    assert names(empty, "harbour bridge -title -often OR talked", order="relevance")[-1] == "apart"


def test_a_rare_word_counts_more(empty: Index) -> None:
    entries = [entry(f"common{at}", at, "word " * 5) for at in range(60)]
    entries += [entry("rare", 100, "zeppelin and a word"), entry("newer", 101, "word " * 20)]
    empty.add(WARC, [], entries)
    assert names(empty, "zeppelin OR word", order="relevance")[0] == "rare"


def test_pages_of_the_best_are_one_list(empty: Index) -> None:
    empty.add(WARC, [], [entry(f"story{at}", at, "bridge " * (1 + at % 7)) for at in range(RANKED + 50)])
    wanted = SearchQuery.parse("bridge")
    everything = [hit.article.url for hit in empty.search(wanted, order="relevance")]
    assert len(everything) == len(set(everything)) == RANKED
    paged: list[str] = []
    before = None
    while page := list(empty.search(wanted, order="relevance", before=before, limit=33)):
        paged += [hit.article.url for hit in page]
        before = page[-1].key
    assert paged == everything
    assert empty.total(wanted) == Total(RANKED + 50)
    assert empty.total(wanted, Filters(until=NOON)) == Total(1)


def test_versions_of_an_article_are_one(empty: Index) -> None:
    entries = [entry("story", at, "bridge " * (5 - at)) for at in range(4)]
    empty.add(WARC, [], entries)
    wanted = SearchQuery.parse("bridge")
    (hit,) = empty.search(wanted, order="relevance")
    assert hit.article.timestamp == NOON + timedelta(minutes=3)
    assert empty.total(wanted) == Total(1)


def test_an_article_is_matched_by_the_same_language(library: Index) -> None:
    found = {hit.article.url: hit.article for hit in library.search(SearchQuery.parse("tag:election bridge"))}
    for each in list(library.articles(limit=60)):
        assert (library.match(each, SearchQuery.parse("tag:election bridge")) is not None) == (each.url in found)

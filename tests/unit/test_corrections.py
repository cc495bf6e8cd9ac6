"""Readers' corrections: which block they are about, what counts before what, how they are kept and taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.extraction.corrections import KEPT, REMOVED, beginning_with, corrected, matches, occurrence
from crawler.extraction.template.site_memory import SiteMemory
from crawler.session.correction_store import CorrectionStore
from storage.articles import from_json, to_json
from storage.corrections import FOLDER, Correction, add, in_force, of_fields, read_all, to_fields, undone
from storage.errors import Corrupt
from storage.model import Article, Block, Reason
from storage.objects.circuit_breaker import CircuitBreaker
from storage.objects.local import LocalStore
from storage.problems import Problem

URL, OTHER = "https://www.post.example/news/library", "https://www.post.example/news/bridge"
NOW = datetime(2026, 11, 20, 8, 0, 0, 125_000, UTC)
ADVERT = "Read The Post for 9 kr a month and support our work in the harbour."
STORY = (
    "The council of Lower Example decided on Tuesday to move the old library into the empty station, after a debate "
    "of nearly six hours in which forty citizens spoke."
)
MODEL = Reason("model", probability=0.9)


def said(text: str, verdict: str = "remove", **other: Any) -> Correction:
    return of_fields(to_fields(Correction(URL, NOW, text, "keep", NOW)) | {"verdict": verdict, **other})


def article(*texts: str, url: str = URL, kept: bool = True, canonical: str | None = None) -> Article:
    blocks = tuple(Block(text, "p", kept, MODEL) for text in texts)
    return Article(url, canonical_url=canonical, blocks=blocks, timestamp=NOW)


def places(texts: Sequence[str], *corrections: Correction) -> list[int]:
    return sorted(matches(texts, corrections))


def test_a_readers_word_counts_and_is_taken_back_whole() -> None:
    page = Article(URL, blocks=(Block(STORY, "p", True, MODEL), Block(ADVERT, "p", False, Reason("repeated", "on 9"))))
    done = corrected(page, [said(STORY), said(ADVERT, "keep")])
    assert [(block.kept, block.reason, block.overruled) for block in done.blocks] == [
        (False, REMOVED, MODEL),
        (True, KEPT, Reason("repeated", "on 9")),
    ]
    assert done.text == ADVERT
    assert done.fingerprint is not None
    assert from_json(to_json(done)).blocks == done.blocks
    assert corrected(done, [said(STORY), said(ADVERT, "keep")]) is done
    assert corrected(done, []).blocks == page.blocks
    # What is so already needs no word of a reader.
    assert corrected(page, [said(STORY, "keep")]) is page


@pytest.mark.parametrize(
    "now",
    [
        f"  {STORY.lower().replace('old library', '“old   library”').replace(' to move', ' – to move').strip('.')}",
        STORY.replace("six", "7"),
        STORY.replace("forty citizens", "some forty angry citizens"),
        STORY.removesuffix(" in which forty citizens spoke."),
    ],
)
def test_a_block_is_known_by_its_words_wherever_it_stands(now: str) -> None:
    assert places(["Something new", "Two", now, "Three"], said(STORY)) == [2]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (STORY, "The council of Upper Example decided on Friday to sell the new library to the full station."),
        ("Read more", "Read less"),
        ("120 | 164", "310 | 352"),
        ("***", "* * *"),
        ("", "Something"),
    ],
)
def test_what_is_another_block_is_left_alone(was: str, now: str) -> None:
    assert places([now, "Another"], said(was)) == []


def test_of_several_that_are_alike_none_is_taken() -> None:
    rows = ["Foundations | 120 | 164", "Foundations | 130 | 170"]
    assert places(rows, said(rows[0])) == [0]
    assert places(rows, said("Foundations | 1 | 2")) == []
    assert places(rows[:1], said("Foundations | 1 | 2")) == [0]


def test_one_of_two_blocks_with_the_same_words() -> None:
    texts = [STORY, "Two", STORY]
    assert [occurrence(texts, at) for at in range(3)] == [1, None, 2]
    assert places(texts, said(STORY, occurrence=2)) == [2]
    # Only one is left, and nobody said that it should go.
    assert places(texts[:2], said(STORY, occurrence=2)) == []
    assert places(texts, said(STORY)) == [0, 2]


def test_of_the_whole_site_numbers_may_differ_and_nothing_else() -> None:
    everywhere = said(ADVERT, scope="site")
    assert places([ADVERT, ADVERT.replace("9", "12"), ADVERT.replace("harbour", "port")], everywhere) == [0]
    assert places([ADVERT.replace("9", "12"), ADVERT.replace("9", "15")], everywhere) == [0, 1]
    assert places([ADVERT.replace("harbour", "port")], everywhere) == []
    assert corrected(article(ADVERT, url=OTHER), [everywhere]).text == ""
    assert corrected(article(ADVERT, url=OTHER), [said(ADVERT)]).text == ADVERT


def test_the_article_goes_before_the_site_exact_words_before_like_ones_the_later_before_the_earlier() -> None:
    later = (NOW + timedelta(days=1)).isoformat()
    everywhere = said(ADVERT, scope="site", made=later)
    assert matches([ADVERT], [said(ADVERT, "keep"), everywhere])[0].verdict == "keep"
    assert matches([STORY], [said(STORY, "keep"), said(STORY.replace("six", "7"), made=later)])[0].verdict == "keep"
    assert matches([STORY], [said(STORY), said(STORY, "keep", made=later)])[0].verdict == "keep"


@pytest.mark.parametrize(
    ("url", "canonical", "same"),
    [
        ("http://post.example/news/library", None, True),
        ("https://www.post.example/amp/library", URL, True),
        (OTHER, None, False),
        # A page that names another site's, or the front page, says nothing of itself.
        (OTHER, "https://www.post.example/", False),
    ],
)
def test_an_article_is_known_by_its_address_and_by_what_it_calls_itself(
    url: str, canonical: str | None, same: bool
) -> None:
    assert said(STORY, canonical_url="https://www.post.example/").is_about(url, canonical) is same


def test_the_memory_learns_nothing_from_what_a_reader_said() -> None:
    pages = [
        Article(f"{URL}/{number}", blocks=(Block(f"{STORY} {word}", "p", True, MODEL), Block(ADVERT, "p", True, MODEL)))
        for number, word in enumerate(("one", "two", "three", "four"))
    ]
    memory = SiteMemory().learn(pages)
    keeps = [said(ADVERT, "keep", scope="site"), said(f"{STORY} one", scope="site")]
    done = [corrected(memory.clean(each), keeps) for each in pages]
    assert [ADVERT in each.text for each in done] == [True] * 4
    assert done[0].text == ADVERT
    assert memory.learn(done) == memory == SiteMemory().learn(done)
    assert [memory.clean(each).blocks for each in done] == [memory.clean(each).blocks for each in pages]


def test_words_that_a_block_begins_with() -> None:
    texts = [STORY, "The council", "THE COUNCIL, of Lower…"]
    assert beginning_with(texts, "the Council of low…") == [0, 2]
    assert beginning_with(texts, "council") == beginning_with(texts, " ") == []


def test_kept_with_the_site_and_taken_back(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path))
    first = add(store, said(STORY, by="Ada", note="a teaser"))
    assert first == said(STORY, by="Ada", note="a teaser")
    again = add(store, said(STORY, "keep"))
    assert again.made > first.made, "what is said later counts, whatever the clocks say"
    add(store, said(ADVERT, scope="site"))
    assert [each.verdict for each in read_all(store, "post.example")] == ["keep", "remove"]
    assert read_all(store, "other.example") == []
    add(store, undone(again))
    assert [each.text for each in read_all(store)] == [ADVERT]
    assert len(list(store.list(f"{FOLDER}post.example/"))) == 4
    # Whoever joins two archives has the same, in any order.
    known = [said(STORY), replace(said(STORY, "undo"), made=NOW + timedelta(seconds=1)), said(ADVERT)]
    assert in_force(known) == in_force(known[::-1]) == [said(ADVERT)]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"no JSON",
        b"[]",
        b"{}",
        json.dumps(to_fields(said(STORY)) | {"verdict": "burn"}).encode(),
        json.dumps(to_fields(said(STORY)) | {"made": "yesterday"}).encode(),
        json.dumps(to_fields(said(STORY)) | {"made": "2026-11-20T08:00:00"}).encode(),
        json.dumps(to_fields(said(STORY)) | {"occurrence": 0}).encode(),
        json.dumps(to_fields(said(STORY)) | {"text": None}).encode(),
        json.dumps(to_fields(said(STORY)) | {"url": "nowhere"}).encode(),
        json.dumps(to_fields(said(STORY)) | {"url": "https://other.example/a"}).encode(),
        b"[" * 100_000,
    ],
)
def test_rubbish_is_told_and_passed_over(tmp_path: Path, rubbish: bytes) -> None:
    store = LocalStore(str(tmp_path))
    store.put(f"{FOLDER}post.example/20261120080000000-00000000.json", rubbish)
    add(store, said(ADVERT))
    problems: list[Problem] = []
    assert [each.text for each in read_all(store, "post.example", problems.append)] == [ADVERT]
    (problem,) = problems
    assert str(problem).startswith("corrections/post.example/20261120080000000-00000000.json: passed over (")


def test_unknown_fields_are_left_out() -> None:
    assert of_fields(to_fields(said(STORY)) | {"mood": "cross"}) == said(STORY)
    with pytest.raises(Corrupt):
        of_fields(None)


def test_who_makes_texts_asks_once_and_goes_on_without_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = LocalStore(str(tmp_path / "archive"))
    known = CorrectionStore(store, CircuitBreaker(pause=0))
    for _ in range(2):
        known.look()
        assert known.of("post.example") == []
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "what readers corrected is out of reach"
    ]
    store.check(write=True)
    first = add(store, said(STORY))
    known.look()
    before = store.traffic.requests
    assert known.of("post.example") == known.of("post.example") == [first]
    assert known.of("other.example") == []
    assert store.traffic.requests == before + 1
    second = add(store, said(ADVERT))
    known.look()
    assert known.of("post.example") == [first, second]
    (tmp_path / "archive").rename(tmp_path / "away")
    known.look()
    assert known.of("post.example") == [first, second], "what is known from before counts"

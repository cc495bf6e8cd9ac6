"""The numbers of a run, kept as JSON and read back."""

from __future__ import annotations

import json
from collections import Counter

from crawler.frontier.count_words import _WORDS, in_words
from crawler.frontier.run_counts import RunCounts

NAMES = [name for name, _ in RunCounts().named() if name != "dropped"]


def test_counts_come_back_as_they_were() -> None:
    counts = RunCounts(announced=7, not_article=1, requisites=Counter(archived=3), dropped=Counter({"a trap: ?": 2}))
    counts.count("archived")
    counts.count("failed")
    kept = json.loads(json.dumps(counts.to_json()))
    assert kept == {
        "announced": 7, "archived": 1, "failed": 1, "not_article": 1,
        "requisites": {"archived": 3}, "dropped": {"a trap: ?": 2},
    }  # fmt: skip
    assert RunCounts.of_json(kept) == counts


def test_what_another_version_counted_is_passed_over() -> None:
    assert RunCounts.of_json({"archived": 2, "not an article": 1, "requisites archived": 4}) == RunCounts(archived=2)


def test_every_number_has_a_name() -> None:
    counts = RunCounts(new=2, requisites=Counter({"left out": 1}), dropped=Counter(old=2, cap=3))
    named = {name: number for name, number in counts.named() if number}
    assert named == {"new": 2, "requisites_left_out": 1, "dropped": 5}


def test_people_read_words() -> None:
    counts = RunCounts.of_json(dict.fromkeys(NAMES, 1) | {"requisites": {"left out": 1, "archived": 1_200}})
    told = list(in_words(counts))
    assert len(told) == len(NAMES) + 2 and not any("_" in each for each in told)
    assert {"1 request", "1 says noarchive", "1 not an article", "1 of them a wall"} < set(told)
    assert {"1 requisite left out", "1,200 requisites archived"} < set(told)
    assert list(in_words(RunCounts(dropped=Counter({"a": 2, "b": 1}), words=2))) == ["2 words", "3 links left out"]
    assert list(in_words(RunCounts(announced=3, words=2), ("announced",))) == ["3 announced"]


def test_every_number_has_words() -> None:
    """A name of one word is its own: "3 archived"."""
    for name in NAMES:
        assert "_" not in name or name in _WORDS, name

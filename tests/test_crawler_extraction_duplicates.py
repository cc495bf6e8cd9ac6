"""Texts known again."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from crawler.extraction.duplicates import fingerprint

WORDS = [
    first + last for first in ("har", "bor", "mil", "ten", "sor", "gal") for last in ("ing", "er", "en", "a", "ost")
]


def text(seed: int, words: int = 300) -> str:
    chance = random.Random(seed)
    return ". ".join(" ".join(chance.choice(WORDS) for _ in range(10)) for _ in range(words // 10))


def test_layout_case_and_punctuation_make_no_other_text() -> None:
    one, other = (
        fingerprint("The harbour is closed.\n\nUntil Friday"),
        fingerprint("the HARBOUR is closed – until friday!"),
    )
    assert one == other
    assert one.similarity(other) == 1.0


def test_an_edited_version_is_near_and_found() -> None:
    one = fingerprint(text(1))
    edited = fingerprint("Update: the mayor has answered. " + text(1)[:-80] + " The end is new.")
    assert one.digest != edited.digest
    assert one.is_near(edited)
    assert edited.is_near(one)
    assert set(one.keys) & set(edited.keys)


def test_another_text_is_far() -> None:
    one, other = fingerprint(text(1)), fingerprint(text(2))
    assert not one.is_near(other)
    assert one.similarity(other) < 0.2
    assert not set(one.keys) & set(other.keys)


def test_scripts_without_spaces() -> None:
    one = "记者今天在会议上采访了有关部门，他们表示将继续推动改革和发展，并且将在明年春天公布新的计划。"
    assert fingerprint(one).is_near(fingerprint(one.replace("明年春天", "明年秋天") + "本报讯"))
    assert not fingerprint(one).is_near(
        fingerprint("天气预报说明天北方有大雪，请市民注意出行安全，并且减少外出，学校将停课一天。")
    )


def test_short_texts_are_the_same_or_not() -> None:
    assert fingerprint("Harbour closed until Friday").keys == fingerprint("harbour closed until friday!").keys
    assert fingerprint("Harbour closed until Friday").similarity(fingerprint("Harbour closed until Monday")) == 0.0
    assert fingerprint("").similarity(fingerprint(text(1))) == 0.0


def test_stored_fingerprints_stay_valid() -> None:
    made = fingerprint("one two three four five six seven eight nine ten " * 3)
    assert made.digest == "sha256:9fe6bf9191834c9be74592ec147f340cdb3c51a6ebba43c07bb002b532cb7e0c"
    assert made.sketch[:16] == "f29516bcba9c39e0"
    assert len(made.sketch) == 256
    assert len(made.keys) == 16


@given(st.text(max_size=300), st.text(max_size=300))
def test_similarity_is_a_symmetric_share(one: str, other: str) -> None:
    first, second = fingerprint(one), fingerprint(other)
    assert first.similarity(first) == 1.0
    assert 0.0 <= first.similarity(second) <= 1.0
    assert first.similarity(second) == second.similarity(first)

"""The detector's packed model answers as py3langid's own does."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

from crawler.extraction.metadata import language_model
from crawler.extraction.metadata.language import _identifier
from crawler.extraction.metadata.language_model import Moves, Scores

_TEXTS = (
    *("", "a", "\ud800 \x00 \u0301", "ΟΙ ΨΑΡΑΔΕΣ", "市議会は火曜日に桟橋で会合を開いた。"),
    "The town council met on the pier on Tuesday to hear why the ferry had been late.",
    "Во вторник городской совет собрался на пристани, чтобы узнать, почему опоздал паром.",
)


def test_moves_are_those_they_were_made_of() -> None:
    drawn = np.random.default_rng(1)
    rows = np.tile(drawn.integers(0, 90_000, 256, np.uint32), (40, 1))
    rows[drawn.random(rows.shape) < 0.2] = 7
    given = array("I", rows.tobytes())
    moves = Moves(given, 3)
    assert [moves[at] for at in range(len(given))] == list(given)


def test_no_more_moves_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_model, "_REMEMBERED", 100)
    given = array("H", (at % 251 for at in range(256 * 4)))
    moves = Moves(given, 0)
    for at in range(len(given)):
        assert moves[at] == given[at]
        assert len(moves) <= 100


@pytest.mark.parametrize("features", [[0], [5, 3, 3, 199], list(range(200))])
def test_scores_are_those_they_were_made_of(features: list[int]) -> None:
    drawn = np.random.default_rng(2)
    given = np.full((200, 142), -14.5, np.float16)
    given[:, 100:] = -0.0
    changed = drawn.random(given.shape) < 0.2
    changed[3] = False
    given[changed] = drawn.uniform(-15, 1, changed.sum()).astype(np.float16)
    index = np.array(features, np.intp)
    assert Scores(given)[index].tobytes() == given[index].tobytes()


def test_texts_have_the_same_probabilities_to_the_last_bit() -> None:
    packed, own = _identifier(), LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    assert packed.labels == own.labels
    for text in _TEXTS:
        assert packed.rank(text) == own.rank(text)

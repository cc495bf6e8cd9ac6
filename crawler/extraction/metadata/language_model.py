"""py3langid's model in a third of its memory, with the same answers; its only user.

Its tables take 66 MiB, most of it repeated: four of five moves of a row are those of the first row, and four of five
scores of a feature are the language's score of what it never has. What a row has beside that is kept.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

#: Letters, the bytes of a text, of which a row has a move each.
_LETTERS = 256
#: Moves that are remembered, some 100 bytes each.
_REMEMBERED = 20_000


class Moves(dict[int, int]):
    """Where an automaton goes by row and letter, as `moves[row * 256 + letter]`; what it was made of need not stay.

    It is a dictionary of those that were asked for lately: texts ask for the same ones again and again.
    """

    def __init__(self, moves: array[int], usual: int) -> None:
        """`usual` is the row that most are like."""
        super().__init__()
        rows = np.frombuffer(moves, np.dtype(moves.typecode)).reshape(-1, _LETTERS)
        differs = rows != rows[usual]
        self._usual = array(moves.typecode, rows[usual].tobytes())
        self._begins = _begins(differs)
        where = np.flatnonzero(differs)
        self._letters = where.astype(np.uint8).tobytes()
        self._moves = array(moves.typecode, rows.reshape(-1)[where].tobytes())

    def __missing__(self, at: int) -> int:
        row, letter = divmod(at, _LETTERS)
        found = self._letters.find(letter, self._begins[row], self._begins[row + 1])
        move = self._usual[letter] if found < 0 else self._moves[found]
        if len(self) >= _REMEMBERED:
            self.clear()
        self[at] = move
        return move


class Scores:
    """Scores of features in each language, half floats, as `scores[features]`, an array of their numbers."""

    def __init__(self, scores: NDArray[np.float16]) -> None:
        # By their bits, so that they are the very same; of negative numbers the lowest has the highest.
        bits = scores.view(np.uint16)
        lowest = bits.max(axis=0)
        differs = bits != lowest
        self._lowest: NDArray[np.float16] = lowest.view(np.float16)
        self._begins = np.asarray(_begins(differs), np.intp)
        where = np.flatnonzero(differs)
        # In fewer bytes than numbers of that many languages would take otherwise.
        self._languages = (where % scores.shape[1]).astype(np.min_scalar_type(scores.shape[1]))
        self._scores: NDArray[np.float16] = scores.reshape(-1)[where]

    def __getitem__(self, features: NDArray[np.intp]) -> NDArray[np.float16]:
        begins = self._begins[features]
        counts = self._begins[features + 1] - begins
        ends = np.cumsum(counts)
        # The numbers from each row's beginning on, in one row.
        kept = np.repeat(begins - ends + counts, counts) + np.arange(ends[-1])
        found: NDArray[np.float16] = np.tile(self._lowest, len(features))
        languages = len(self._lowest)
        found[np.repeat(np.arange(0, len(found), languages), counts) + self._languages[kept]] = self._scores[kept]
        return found.reshape(-1, languages)


def load() -> LanguageIdentifier:
    """Load the detector, which takes most of a second."""
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
    from py3langid.modelio import load_model  # type: ignore[import-untyped]

    scores, prior, languages, moves, rows, features = load_model(MODEL_DIR / MODEL_FILE)
    packed = Scores(np.asarray(scores, np.float16)), Moves(moves, rows[0])
    identifier: Any = LanguageIdentifier(
        packed[0],
        np.asarray(prior),
        languages,
        packed[1],
        # Numbers, not objects: one that is looked at would be written to, and each process would have its own.
        array("i", features),
        norm_probs=True,
        tk_row=rows,
    )
    identifier._rowbase = array("I", identifier._rowbase)
    return identifier


def _begins(differs: NDArray[np.bool_]) -> array[int]:
    """Where what is kept of each row begins, and where that of the last one ends."""
    begins = np.zeros(len(differs) + 1, np.uint32)
    np.cumsum(differs.sum(axis=1), out=begins[1:])
    return array("I", begins.tobytes())

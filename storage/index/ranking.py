"""How well articles fit what was searched for: BM25F over title and text (Robertson, Zaragoza and Taylor, 2004).

FTS5 keeps no lengths here and one column, so that its own rank can only choose what is looked at more closely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from storage.index.query_nodes import Term

# As Lucene and FTS5 have them: from how many on more of a word say little, and how much a text's length counts.
_K1, _B = 1.2, 0.75
# A word in the title says as much as so many in the text.
_TITLE = 4.0
# Two words of the question that stand side by side, against a word by itself.
_PAIR = 0.5


class Words(NamedTuple):
    """The words of a document."""

    title: list[str]
    text: list[str]


def scores(terms: Sequence[Term], held: Mapping[Term, int], documents: int, found: Sequence[Words]) -> list[float]:
    """Return a number for each document, the larger the better.

    `held` says how many of all the `documents` have a term; what is missing there is as rare as can be.
    """
    rarity = {term: math.log(1 + (documents - n + 0.5) / (n + 0.5)) for term, n in held.items()}
    weighted = [(term, rarity.get(term, 1.0)) for term in terms]
    # The question's own order makes the better phrase of two that have the same words.
    weighted += [
        (
            Term((*one.tokens, *other.tokens), prefix=other.prefix),
            _PAIR * (rarity.get(one, 1.0) + rarity.get(other, 1.0)),
        )
        for one, other in pairwise(terms)
        if not one.prefix
    ]
    usual = sum(len(each.text) for each in found) / len(found) if found else 0.0
    return [sum(weight * _saturated(term, each, usual) for term, weight in weighted) for each in found]


def _saturated(term: Term, document: Words, usual: float) -> float:
    longer = len(document.text) / usual if usual else 1.0
    often = _TITLE * _count(term, document.title) + _count(term, document.text) / (1 - _B + _B * longer)
    return often * (_K1 + 1) / (often + _K1)


def _count(term: Term, tokens: list[str]) -> int:
    """How often a term stands among words."""
    *first, last = term.tokens
    if not first:
        return sum(token.startswith(last) for token in tokens) if term.prefix else tokens.count(last)
    length = len(first)
    return sum(
        tokens[at : at + length] == first and _ends(tokens[at + length], last, term.prefix)
        for at in range(len(tokens) - length)
        if tokens[at] == first[0]
    )


def _ends(token: str, last: str, prefix: bool) -> bool:
    return token.startswith(last) if prefix else token == last

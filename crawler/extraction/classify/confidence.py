"""How sure we may be that a page's text is right as a whole: a probability, from four plain numbers of the decision.

Right is a text whose runs of four words have an F1 of at least 0.9 against a person's marking. `scripts/train` fits
the weights (a logistic regression, in the model file under "confidence") on pages that were judged by a model that had
not seen their site; docs/formats.md says how well they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, NamedTuple

from crawler.html.elements import Cut
from crawler.html.words import Shingles, tokens
from storage.model import Block

#: What is much smaller than this part of a text counts as nothing.
_GRAIN = 0.01
#: A block of fewer characters is short.
_SHORT = 60


class Signs(NamedTuple):
    """What speaks against a text: 0 where nothing does, 1 at most. Shares are of characters."""

    #: How unlike the text is to trafilatura's first opinion: 1 less the F1 of their runs of four words.
    unlike: float
    #: Which part of the text is none, by the block model's own probabilities.
    wrong: float
    #: How much it expects in what is left out, as a part of the text.
    missing: float
    #: Which part of the text stands in short blocks: lists, labels and teasers are easier to mistake than paragraphs.
    pieces: float


def signs(cuts: Sequence[Cut], blocks: Sequence[Block], first: Shingles) -> Signs | None:
    """Return the signs of a decision, `None` where nothing is kept; `first` is trafilatura's first opinion.

    `blocks` are those of the cuts, maybe with some that were not cut from the page before them.
    """
    kept = [block for block in blocks if block.kept]
    size = sum(len(block.text) for block in kept)
    if not size:
        return None
    missing = sum(len(block.text) * (block.reason.probability or 0.0) for block in blocks if not block.kept)
    return Signs(
        unlike=_unlike(_kept_words(cuts, blocks), first),
        wrong=sum(len(block.text) * (1.0 - _answer(block)) for block in kept) / size,
        missing=min(1.0, missing / size),
        pieces=sum(len(block.text) for block in kept if len(block.text) < _SHORT) / size,
    )


def _kept_words(cuts: Sequence[Cut], blocks: Sequence[Block]) -> list[str]:
    more = len(blocks) - len(cuts)
    words = [word for block in blocks[:more] if block.kept for word in tokens(block.text)]
    # The page's blocks have been taken apart already.
    for cut, block in zip(cuts, blocks[more:], strict=True):
        if block.kept:
            words += cut.words
    return words


def _unlike(words: Sequence[str], first: Shingles) -> float:
    shared = first.share(words) * len(words)
    return 1.0 - min(1.0, 2.0 * shared / ((len(words) + first.length) or 1))


def _answer(kept: Block) -> float:
    """The model's probability of a kept block; where nobody asked it, neither yes nor no."""
    return 0.5 if kept.reason.probability is None else kept.reason.probability


def columns(found: Signs) -> list[float]:
    """Return the signs as the regression weighs them: on a scale where each doubling of a doubt counts the same."""
    return [log(_GRAIN + value) for value in found]


@dataclass(frozen=True, slots=True)
class Confidence:
    """The weights of the signs and the bias, in log-odds."""

    bias: float
    weights: tuple[float, ...]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Confidence:
        """Return what the model file holds under "confidence". Raises `ValueError` for other signs than ours."""
        if tuple(content["signs"]) != Signs._fields:
            raise ValueError("the confidence of model.json was fitted with other signs")
        return cls(float(content["bias"]), tuple(float(weight) for weight in content["weights"]))

    def probability(self, found: Signs) -> float:
        """Return how likely (0 to 1) the text is right as a whole."""
        odds = self.bias + sum(weight * value for weight, value in zip(self.weights, columns(found), strict=True))
        return 1.0 / (1.0 + exp(-odds))

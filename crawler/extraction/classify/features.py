"""What is known of each block, as numbers: its shape, its markup, its place, its neighbours, other opinions of it.

The columns are named, in the order of `NAMES`; the model file holds the names it was trained with. Nothing here knows
a language or a site: words are only counted and compared, class names are sorted into a few groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crawler.extraction.classify.class_tokens import GROUPS, groups_of
from crawler.extraction.classify.context_features import Numbers, Surroundings, bits
from crawler.extraction.classify.feature_names import BELOW_AT, INSIDE_AT, NAMES, TAGS
from crawler.extraction.classify.text_features import shape
from crawler.extraction.opinions import Opinions
from crawler.html.elements import HEADINGS, Cut
from crawler.html.words import Shingles, tokens

__all__ = ["NAMES", "Hints", "Matrix", "matrix"]

Matrix = NDArray[np.float32]
Column = NDArray[np.float32]
Wide = NDArray[np.float64]

_SENTENCE_END = tuple(".!?…。！？।؟")
_CLOSING = "\"”»’')]"


@dataclass(frozen=True)
class Hints:
    """What else is known of the page: trafilatura's opinions of it, and what it says of itself."""

    opinions: Opinions
    title: str = ""
    description: str = ""
    #: JSON-LD articleBody.
    body: str = ""
    #: The page's address.
    url: str = ""
    #: What the page says it is: "article", "product"; `None` where it says nothing.
    kind: str | None = None

    def by(self, text: str) -> Hints:
        """The same page by another account of where its text stands."""
        return replace(self, opinions=replace(self.opinions, first=text))


class _Page:
    """The blocks with their words, and where the text stands by trafilatura's account."""

    def __init__(self, cuts: Sequence[Cut], hints: Hints) -> None:
        self.cuts = cuts
        self.words = [cut.words for cut in cuts]
        sizes = [len(words) for words in self.words]
        self.lengths = np.array(sizes, dtype=np.float32)
        self.first_opinion = self.share_of(hints.opinions.passage)
        self.linked = np.array([cut.linked for cut in cuts], dtype=np.float32)
        self.ends = [cut.text.rstrip(_CLOSING).endswith(_SENTENCE_END) for cut in cuts]
        self.headings = [cut.kind in HEADINGS for cut in cuts]
        self.core = np.flatnonzero((self.first_opinion > 0.7) & (self.lengths >= 8)).tolist()
        self.core_words = sum(sizes[index] for index in self.core)
        self.places: Counter[str] = Counter()
        for index in self.core:
            self.places[cuts[index].within.place] += sizes[index]
        self.around = Surroundings(cuts, self.core, sizes, TAGS)

    def share_of(self, passage: Shingles) -> Column:
        """Return for each block which part of it stands in the passage."""
        return np.array([passage.share(words) for words in self.words], dtype=np.float32)


def matrix(cuts: Sequence[Cut], hints: Hints) -> Matrix:
    """Return the features, a row a block, columns as in `NAMES`. `cuts` must not be empty."""
    page = _Page(cuts, hints)
    parts: list[NDArray[Any]] = [
        shape(cuts, page.words, page.ends),
        _markup(page),
        _views(page, hints),
        _position(page),
        _around(page),
        _neighbours(page),
        _section(page),
        _groups(page),
    ]
    return np.hstack([part.astype(np.float32, copy=False) for part in parts])


def _markup(page: _Page) -> Wide:
    around = page.around
    inside, below = bits(around.inside, len(TAGS)), bits(around.below, len(TAGS))
    relation = [
        around.in_main,
        around.to_main,
        [cut.within.depth for cut in page.cuts],
        around.in_parent,
        around.parent_is_main,
        [page.places[cut.within.place] / max(1, page.core_words) for cut in page.cuts],
        *_places(page),
    ]
    kinds = np.array([_kinds(cut.within.tag, cut.kind) for cut in page.cuts])
    return np.column_stack([kinds, inside[:, INSIDE_AT], below[:, BELOW_AT], *relation])


def _places(page: _Page) -> list[Wide]:
    """Of all blocks at a block's place in the template: how many, the parts kept and linked, and words a block."""
    numbers: dict[str, int] = {}
    at = [numbers.setdefault(cut.within.place, len(numbers)) for cut in page.cuts]
    blocks = np.bincount(at).astype(np.float64)
    words = np.bincount(at, page.lengths)
    kept = np.bincount(at, page.lengths * page.first_opinion)
    linked = np.bincount(at, page.lengths * page.linked)
    some = np.maximum(1.0, words)
    return [each[at] for each in (blocks, kept / some, linked / some, words / blocks)]


@cache
def _kinds(tag: str, kind: str) -> tuple[bool, ...]:
    return (
        tag == "p",
        kind == "h1",
        kind in HEADINGS and kind != "h1",
        tag == "li",
        kind == "row" or tag in {"td", "th"},
        kind == "caption",
        kind == "quote",
        tag in {"div", "section", "article", "body"},
    )


def _views(page: _Page, hints: Hints) -> Wide:
    title, description = set(tokens(hints.title)), " ".join(tokens(hints.description))
    whole = [" ".join(words) for words in page.words]
    times = Counter(whole)
    json_ld = np.full(len(page.cuts), -1, np.float32)
    ratio = -1.0
    if hints.body:
        body = Shingles(hints.body)
        json_ld = page.share_of(body)
        ratio = min(3.0, body.length / max(1.0, float(page.first_opinion @ page.lengths)))
    rest = [
        (
            ratio,
            _overlap(title, words),
            len(words) >= 4 and text in description,
            times[text] > 1,
        )
        for words, text in zip(page.words, whole, strict=True)
    ]
    default, precision = (
        page.first_opinion if other is None else page.share_of(Shingles(other))
        for other in (hints.opinions.default, hints.opinions.precision)
    )
    return np.column_stack([page.first_opinion, default, precision, json_ld, np.array(rest)])


def _overlap(one: Set[str], words: Sequence[str]) -> float:
    """Which part of the words of both is in both."""
    # Most blocks share no word with a title, and need no set.
    if one.isdisjoint(words):
        return 0.0
    other = set(words)
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _position(page: _Page) -> Matrix:
    count = len(page.cuts)
    index = np.arange(count, dtype=np.float32)
    first, last = (page.core[0], page.core[-1]) if page.core else (0, count - 1)
    h1 = next((i for i, cut in enumerate(page.cuts) if cut.kind == "h1"), None)
    total = max(1.0, float(page.lengths.sum()))
    return np.column_stack(
        [
            (index - first) / max(1, last - first + 1),
            index - first,
            last - index,
            index < first,
            index > last,
            index - h1 if h1 is not None else np.full(count, -1),
            np.full(count, h1 is not None),
            (np.cumsum(page.lengths) - page.lengths) / total,
            np.full(count, page.core_words),
            np.full(count, count),
        ]
    ).astype(np.float32)


def _around(page: _Page) -> Wide:
    """Words, blocks, linked and kept share in the element itself, in its parent and in that one's parent."""
    lengths = page.lengths.astype(np.float64)
    sums = page.around.sums([lengths, np.ones(len(lengths)), page.linked * lengths, page.first_opinion * lengths])
    sums[2:] /= np.maximum(1.0, sums[0])
    # Block, level, value.
    return sums.transpose(1, 2, 0).reshape(len(lengths), -1)


def _neighbours(page: _Page) -> Matrix:
    parents = page.around.up[:, 1]
    values = np.column_stack([page.first_opinion, page.linked, page.lengths, page.ends]).astype(np.float32)
    headings = np.array(page.headings, dtype=np.float32)
    count = len(page.cuts)
    parts = []
    for distance in (-2, -1, 1, 2):
        part = np.full((count, 6), -1, dtype=np.float32)
        here = slice(max(0, -distance), max(0, count - max(0, distance)))
        there = slice(max(0, distance), max(0, count + min(0, distance)))
        part[here, :4] = values[there]
        part[here, 4] = (parents[here] >= 0) & (parents[here] == parents[there])
        part[here, 5] = headings[there]
        parts.append(part)
    return np.hstack(parts)


def _section(page: _Page) -> Matrix:
    """The stretch from a heading to the next, the words out of the text around a block, and the text nearby."""
    count = len(page.cuts)
    kept = page.first_opinion * page.lengths
    starts = np.cumsum(page.headings)
    words_in = np.bincount(starts, page.lengths)[starts]
    kept_in, linked_in = np.bincount(starts, kept)[starts], np.bincount(starts, page.linked * page.lengths)[starts]
    index = np.arange(count)
    heading = np.maximum.accumulate(np.where(page.headings, index, -1))
    since = np.where(heading >= 0, index - heading, 99)
    under = np.where(heading >= 0, page.first_opinion[np.maximum(heading, 0)], -1)
    window = np.ones(11)
    near = np.convolve(page.lengths, window)[5 : count + 5] - page.lengths
    near_kept = np.convolve(kept, window)[5 : count + 5] - kept
    return np.column_stack(
        [
            since,
            under,
            kept_in / np.maximum(1, words_in),
            linked_in / np.maximum(1, words_in),
            _gap(page),
            _gap(page, backwards=True),
            near_kept / np.maximum(1, near),
        ]
    ).astype(np.float32)


def _gap(page: _Page, *, backwards: bool = False) -> Column:
    """How many words outside of the text stand between a block and the text before (or, backwards, after) it."""
    order = range(len(page.cuts) - 1, -1, -1) if backwards else range(len(page.cuts))
    shares, lengths = page.first_opinion.tolist(), page.lengths.tolist()
    gaps = np.zeros(len(page.cuts), dtype=np.float32)
    gap = 500.0
    for index in order:
        gaps[index] = gap
        gap = 0.0 if shares[index] > 0.7 else min(500.0, gap + lengths[index])
    return gaps


def _groups(page: _Page) -> Numbers:
    """Groups of the names of the ancestors below the main element, of the element, and of its inline wrapper."""
    inline = np.array([groups_of(cut.inline_names) for cut in page.cuts])
    return np.hstack([bits(sets, len(GROUPS)) for sets in (page.around.near, page.around.own, inline)])

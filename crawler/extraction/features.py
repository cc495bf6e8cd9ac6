"""What is known of each block, as numbers: its shape, its markup, its place, its neighbours, other opinions of it.

The columns are named, in the order of `NAMES`; the model file holds the names it was trained with. Nothing here knows
a language or a site: words are only counted and compared, class names are sorted into a few groups.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crawler.extraction.blocks import HEADINGS, Cut
from crawler.extraction.columns import BELOW_AT, INSIDE_AT, NAMES, TAGS
from crawler.extraction.groups import GROUPS, groups_of
from crawler.extraction.surroundings import Numbers, Surroundings, bits
from crawler.extraction.words import Passage, tokens

__all__ = ["NAMES", "Hints", "Matrix", "matrix"]

Matrix = NDArray[np.float32]
Column = NDArray[np.float32]
Wide = NDArray[np.float64]

_SENTENCE_END = re.compile(r"[.!?…。！？।؟][\"”»’')\]]*$")
_OPENING = tuple("([|*-–—•·▶►›»")
_SYMBOLS = re.compile(r"[©®|→›»•▶►]|https?://|@\w|\bwww\.")
_NUMERIC_DATE = re.compile(r"\b(19|20)\d\d\b|\d{1,2}[:.h]\d\d\b")
_PUNCTUATION = tuple(".,;!?，。、؛،")


@dataclass(frozen=True, slots=True)
class Hints:
    """What else is known of the page: trafilatura's text, and what the page says of itself."""

    trafilatura: str
    title: str = ""
    description: str = ""
    #: JSON-LD articleBody.
    body: str = ""


class _Page:
    """The blocks with their words, and where the text stands by trafilatura's account."""

    def __init__(self, cuts: Sequence[Cut], hints: Hints) -> None:
        self.cuts = cuts
        self.words = [tokens(cut.text) for cut in cuts]
        sizes = [len(words) for words in self.words]
        self.lengths = np.array(sizes, dtype=np.float32)
        self.first_opinion = self.share_of(Passage(hints.trafilatura))
        self.linked = np.array([cut.linked for cut in cuts], dtype=np.float32)
        self.ends = [_SENTENCE_END.search(cut.text[-4:]) is not None for cut in cuts]
        self.headings = [cut.kind in HEADINGS for cut in cuts]
        self.core = np.flatnonzero((self.first_opinion > 0.7) & (self.lengths >= 8)).tolist()
        self.core_words = sum(sizes[index] for index in self.core)
        self.places: Counter[str] = Counter()
        for index in self.core:
            self.places[cuts[index].within.place] += sizes[index]
        self.around = Surroundings(cuts, self.core, sizes, TAGS)

    def share_of(self, passage: Passage) -> Column:
        """Return for each block which part of it stands in the passage."""
        return np.array([passage.share(words) for words in self.words], dtype=np.float32)


def matrix(cuts: Sequence[Cut], hints: Hints) -> Matrix:
    """Return the features, a row a block, columns as in `NAMES`. `cuts` must not be empty."""
    page = _Page(cuts, hints)
    parts: list[NDArray[Any]] = [
        _own(page),
        _markup(page),
        _views(page, hints),
        _position(page),
        _around(page),
        _neighbours(page),
        _section(page),
        _groups(page),
    ]
    return np.hstack([part.astype(np.float32, copy=False) for part in parts])


def _own(page: _Page) -> Wide:
    cuts, counts = page.cuts, np.maximum(1.0, page.lengths.astype(np.float64))
    texts = [cut.text for cut in cuts]
    chars = np.array([len(text) for text in texts])
    # The beginning tells the kind of a block.
    starts = [text[:80] for text in texts]
    upper, digits = _letters(starts)
    columns: list[ArrayLike] = [
        chars,
        page.lengths,
        chars / counts,
        page.linked,
        [cut.links for cut in cuts],
        [cut.starts_linked for cut in cuts],
        [cut.ends_linked for cut in cuts],
        [cut.bold for cut in cuts],
        [cut.italic for cut in cuts],
        page.ends,
        [text.endswith((":", "：")) for text in texts],
        np.array([sum(map(text.count, _PUNCTUATION)) for text in texts]) / counts,
        upper,
        digits,
        [_SYMBOLS.search(start) is not None for start in starts],
        [bool(some) and _NUMERIC_DATE.search(start) is not None for some, start in zip(digits, starts, strict=True)],
        [start[:1].islower() for start in starts],
        [":" in start[:25] or "：" in start[:25] for start in starts],
        [start.startswith(_OPENING) for start in starts],
        [cut.broken for cut in cuts],
        [cut.hidden for cut in cuts],
        [
            _slug_overlap(cut.href, words) if cut.linked > 0.3 else 0.0
            for cut, words in zip(cuts, page.words, strict=True)
        ],
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _letters(texts: Sequence[str]) -> tuple[Wide, Wide]:
    """The shares of capitals and of digits in each text; none of the texts is empty."""
    sizes = np.array([len(text) for text in texts])
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<U1")
    first = np.cumsum(sizes) - sizes
    upper, digits = (
        np.add.reduceat(found, first, dtype=np.int64) / sizes
        for found in (np.strings.isupper(characters), np.strings.isdigit(characters))
    )
    return upper, digits


def _slug_overlap(href: str, words: Sequence[str]) -> float:
    """Which part of a link's words stands in its address: high for links to other articles by their headline."""
    distinct = {word for word in words if len(word) > 3}
    if len(distinct) < 3:
        return 0.0
    path = href.partition("#")[0].partition("?")[0].rstrip("/")
    slug = set(tokens(unquote(path).rpartition("/")[2].replace("_", " ")))
    return len(slug & distinct) / len(distinct)


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
    ]
    kinds = np.array([_kinds(cut.within.tag, cut.kind) for cut in page.cuts])
    return np.column_stack([kinds, inside[:, INSIDE_AT], below[:, BELOW_AT], *relation])


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
        body = Passage(hints.body)
        json_ld = page.share_of(body)
        ratio = min(3.0, body.length / max(1.0, float(page.first_opinion @ page.lengths)))
    rest = [
        (
            ratio,
            _overlap(title, set(words)),
            len(words) >= 4 and text in description,
            times[text] > 1,
        )
        for words, text in zip(page.words, whole, strict=True)
    ]
    return np.column_stack([page.first_opinion, json_ld, np.array(rest)])


def _overlap(one: Set[str], other: Set[str]) -> float:
    """Which part of the words of both is in both."""
    common = len(one & other)
    return common / max(1, len(one) + len(other) - common)


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

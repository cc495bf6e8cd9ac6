"""What a block's own text and links tell of it: how long it is, how it begins and ends, what marks are in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache
from urllib.parse import unquote

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crawler.html.elements import Cut
from crawler.html.words import tokens

Numbers = NDArray[np.int64]
Wide = NDArray[np.float64]

_OPENING = tuple("([|*-–—•·▶►›»")
# Every alternative begins with a plain character: so the search goes from one of these to the next.
_SYMBOLS = re.compile(r"©|®|\||→|›|»|•|▶|►|https?://|@\w|www(?<=\bwww)\.")
_NUMERIC_DATE = re.compile(r"\b(19|20)\d\d\b|\d{1,2}[:.h]\d\d\b")
# What a line that names a picture's maker says, in the languages of most news; in scripts without spaces tokens are
# characters, here of "to photograph" and "picture".
_CREDITS = frozenset(
    [
        *("photo", "photos", "photograph", "photography", "photographer", "photographie", "foto", "fotos", "fotograf"),
        *("fotografie", "fotografía", "fotografia", "image", "images", "imagem", "imagen", "picture", "pictures"),
        *("pic", "bild", "bilder", "bildquelle", "illustration", "illustrasjon", "illustratie", "ilustración"),
        *("ilustração", "zdjęcie", "kuva", "kép", "fot", "credit", "credits", "crédit", "crédito", "credito"),
        *("courtesy", "screenshot", "screengrab", "getty", "shutterstock", "istock", "alamy", "imago", "afp"),
        *("reuters", "фото", "снимок", "撮", "摄", "図", "图"),
    ]
)
#: In words; longer blocks that say such a word are text.
_LONGEST_CREDIT = 40
_PUNCTUATION = ".,;!?，。、؛،"


def shape(cuts: Sequence[Cut], words: Sequence[Sequence[str]], ends: Sequence[bool]) -> NDArray[np.float64]:
    """Return the columns of `feature_names` from "chars" to "slug", a row a block; `words` are the blocks' tokens.

    `ends` says which of the blocks end as a sentence does.
    """
    lengths = np.array([len(block) for block in words])
    counts = np.maximum(1.0, lengths)
    texts = [cut.text for cut in cuts]
    chars = np.array([len(text) for text in texts])
    columns: list[ArrayLike] = [
        chars,
        lengths,
        chars / counts,
        [cut.linked for cut in cuts],
        [cut.links for cut in cuts],
        [cut.starts_linked for cut in cuts],
        [cut.ends_linked for cut in cuts],
        [cut.bold for cut in cuts],
        [cut.italic for cut in cuts],
        ends,
        [text.endswith((":", "：")) for text in texts],
        _punctuation(texts) / counts,
        *_beginnings(texts),
        [len(block) <= _LONGEST_CREDIT and not _CREDITS.isdisjoint(block) for block in words],
        [cut.pictured for cut in cuts],
        [*[cut.pictured for cut in cuts[1:]], False],
        [cut.broken for cut in cuts],
        [cut.hidden for cut in cuts],
        [_slug_overlap(cut.href, block) if cut.linked > 0.3 else 0.0 for cut, block in zip(cuts, words, strict=True)],
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _beginnings(texts: Sequence[str]) -> list[ArrayLike]:
    """The columns from "upper" to "opens": the beginning tells the kind of a block."""
    starts = [text[:80] for text in texts]
    upper, digits = _letters(starts)
    return [
        upper,
        digits,
        [_SYMBOLS.search(start) is not None for start in starts],
        [bool(some) and _NUMERIC_DATE.search(start) is not None for some, start in zip(digits, starts, strict=True)],
        [start[:1].islower() for start in starts],
        [":" in start[:25] or "：" in start[:25] for start in starts],
        [start.startswith(_OPENING) for start in starts],
    ]


def _letters(texts: Sequence[str]) -> tuple[Wide, Wide]:
    """The shares of capitals and of digits in each text; none of the texts is empty."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    capitals, figures = _letter_kinds()
    sizes, upper = _counted(texts, capitals.take(characters))
    return upper / sizes, _counted(texts, figures.take(characters))[1] / sizes


@cache
def _letter_kinds() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each character of Unicode, whether it is a capital, and whether it is a digit: to look it up takes a fraction
    of asking numpy."""
    characters = np.arange(sys.maxunicode + 1, dtype="<u4").view("<U1")
    return np.strings.isupper(characters), np.strings.isdigit(characters)


def _punctuation(texts: Sequence[str]) -> Numbers:
    """How many marks are in each text; none of the texts is empty."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    # The place after the last character of the table is for all that come after it.
    return _counted(texts, _marks().take(characters, mode="clip"))[1]


@cache
def _marks() -> NDArray[np.bool_]:
    """For each character up to the last mark, and one more, whether it is a mark."""
    codes = [ord(mark) for mark in _PUNCTUATION]
    marks = np.zeros(max(codes) + 2, dtype=np.bool_)
    marks[codes] = True
    return marks


def _counted(texts: Sequence[str], found: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """The length of each text, and how many of its characters were `found`, a value a character of all texts."""
    sizes = np.array([len(text) for text in texts])
    return sizes, np.add.reduceat(found, np.cumsum(sizes) - sizes, dtype=np.int64)


def _slug_overlap(href: str, words: Sequence[str]) -> float:
    """Which part of a link's words stands in its address: high for links to other articles by their headline."""
    distinct = {word for word in words if len(word) > 3}
    if len(distinct) < 3:
        return 0.0
    path = href.partition("#")[0].partition("?")[0].rstrip("/")
    slug = set(tokens(unquote(path).rpartition("/")[2].replace("_", " ")))
    return len(slug & distinct) / len(distinct)

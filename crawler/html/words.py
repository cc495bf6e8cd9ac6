"""Words of a text in every script, and runs of four of them: the measure of "the same text" in this room."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

# Thai, Lao, Burmese, Khmer, kana and Han are written without spaces: there each character is a token.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_SPACED_TOKEN = re.compile(r"\w+")
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")

Gram = tuple[str, str, str, str]


def tokens(text: str) -> list[str]:
    """Return the words in lower case; in scripts without spaces, the characters."""
    pattern = _SPACED_TOKEN if text.isascii() or not _HAS_UNSPACED.search(text) else _TOKEN
    return pattern.findall(text.lower())


def grams(words: Sequence[str]) -> list[Gram]:
    """Return each run of four words, in order; none when there are fewer."""
    return list(_grams(words))


def repeated(texts: Iterable[Sequence[str]]) -> int:
    """Return how many runs of four words are in some texts again, in the same or in another one."""
    total = 0
    distinct: set[Gram] = set()
    for words in texts:
        total += max(0, len(words) - 3)
        distinct.update(_grams(words))
    return total - len(distinct)


def _grams(words: Sequence[str]) -> Iterator[Gram]:
    return zip(words, words[1:], words[2:], words[3:], strict=False)


class Shingles:
    """A text to look other texts up in, by their runs of four words."""

    def __init__(self, text: str) -> None:
        words = tokens(text)
        self.length = len(words)
        self._distinct = set(words)
        self._grams = set(_grams(words))
        self._joined = f" {' '.join(words)} "

    def holds(self, words: Sequence[str]) -> bool:
        """Whether all the words stand here, one after the other."""
        # Most words of menus and adverts are not in the text at all.
        if len(words) < 2 or not self._distinct.issuperset(words):
            return self._distinct.issuperset(words)
        return f" {' '.join(words)} " in self._joined

    def share(self, words: Sequence[str]) -> float:
        """Return which part (0 to 1) of `words` stands here; fewer than four words do whole or not at all."""
        if not words or not self.length:
            return 0.0
        if len(words) < 4:
            return float(self.holds(words))
        return sum(map(self._grams.__contains__, _grams(words))) / (len(words) - 3)

"""Text <-> the words that search compares: the same for what is searched, what is asked, and what is highlighted.

A word is a run of letters and digits, without case, accents and forms: "Ærø" is "aero". Chinese, Japanese, Korean,
Thai, Lao, Khmer and Burmese are cut into pairs of characters, each overlapping the next, and the last one alone: where
no spaces (or endings written as one with their word) say what a word is, any two characters side by side can be found.

A change here needs a new version of the schema: what is held was cut by the rules of its time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

#: Characters of a word that count; what is longer is cut.
LONGEST = 64

_UNSPACED = (
    "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f\uff66-\uff9f\u3005-\u3007\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1780-\u17d3\u1000-\u1049\u1050-\u109f"
)
# What stands in a word and is not seen: soft hyphen, joiners and non-joiners, marks of direction, byte order mark.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
# Marks that belong to the letter before; Python's \w leaves them out.
_JOINED = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u0900-\u0903\u093a-\u094f"
    "\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u09e2\u09e3\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71\u0a75"
    "\u0a81-\u0a83\u0abc-\u0acd\u0ae2\u0ae3\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bd7\u0c00-\u0c04\u0c3e-\u0c56"
    "\u0c62\u0c63\u0c81-\u0c83\u0cbc-\u0cd6\u0ce2\u0ce3\u0d00-\u0d03\u0d3b-\u0d4d\u0d57\u0d62\u0d63\u0d81-\u0d83"
    "\u0dca-\u0df3\u0f18\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f84\u0f86\u0f87\u0f8d-\u0fbc\u1ab0-\u1aff\u1dc0-\u1dff"
    f"{_INVISIBLE}\u20d0-\u20ff\ufe20-\ufe2f"
)
# ASCII stands first: most text is decided by its small set.
_LETTER = rf"[^\x00-\x7f\W{_UNSPACED}]"
_WORD = re.compile(
    rf"(?:[A-Za-z0-9]+|{_LETTER})(?:[A-Za-z0-9]+|{_LETTER}|[{_JOINED}])*"
    rf"|[{_UNSPACED}](?:[{_INVISIBLE}]*[{_UNSPACED}])*"
)
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_UNSPACED_FIRST = re.compile(f"[{_UNSPACED}]")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
# What "the same without accents" leaves out: accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic.
_LEFT_OUT = re.compile(
    f"[{_INVISIBLE}\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f]"
)
# Letters that no Unicode form takes apart, as people without the key for them write them.
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŧ": "t", "ŋ": "n"}
)
# A compatibility form may bring signs along, such as "⑴".
_SIGNS = re.compile(r"[\x00-/:-@\[-`{-\x7f]")


class Word(NamedTuple):
    token: str
    #: Where it stands in the text.
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text in order."""
    for match in _WORD.finditer(text):
        word, (start, end) = match[0], match.span()
        if word.isascii():
            yield Word(word.lower()[:LONGEST], start, end)
        elif is_unspaced(word):
            # Pairs of what is seen.
            seen = [at for at in range(start, end) if not _UNSEEN.match(text, at)]
            for at, following in zip(seen, [*seen[1:], None], strict=True):
                until = at + 1 if following is None else following + 1
                yield Word(_folded(text[at:until]), at, until)
        elif token := _folded(word):
            yield Word(token, start, end)


def tokens(text: str) -> list[str]:
    """Return the words of a text as they are compared; `words` without the places, three times as fast."""
    if text.isascii():
        return [word[:LONGEST] for word in _ASCII_WORD.findall(text.lower())]
    found: list[str] = []
    for word in _WORD.findall(text):
        if word.isascii():
            found.append(word.lower()[:LONGEST])
        elif is_unspaced(word):
            seen = _UNSEEN.sub("", word)
            found += [_folded(seen[at : at + 2]) for at in range(len(seen))]
        elif token := _folded(word):
            found.append(token)
    return found


def is_named(wanted: str, names: Iterable[str]) -> bool:
    """Whether the words of `wanted` follow each other in one of the names: what `author=` means everywhere.

    The index asks FTS5 the same, by the same words.
    """
    sought = tokens(wanted)
    length = len(sought)
    held = map(tokens, names) if sought else ()
    return any(sought == name[at : at + length] for name in held for at in range(len(name) - length + 1))


def is_unspaced(word: str) -> bool:
    """Whether a word comes from a script that is cut into pairs."""
    return _UNSPACED_FIRST.match(word) is not None


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    """A word without case, accents and compatibility forms."""
    bare = _LEFT_OUT.sub("", unicodedata.normalize("NFKD", word[: 4 * LONGEST].casefold()))
    return _SIGNS.sub("", unicodedata.normalize("NFC", bare).casefold().translate(_LETTERS))[:LONGEST]

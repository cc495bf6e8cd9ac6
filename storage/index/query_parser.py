"""What a person typed into a search box -> what must stand in an article, what must not, and where it stands.

All words must occur, in any order; "several words" as they follow each other; -word must not; word* begins so. Nothing
that can be typed is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from storage.index.tokenizer import Word, is_unspaced, tokens, words

#: Terms of a question, and words of one, that count; more would only take long.
MOST_TERMS, MOST_WORDS = 32, 32
#: Places of a text that are marked.
MOST_MARKS = 200
#: A beginning shorter than this is a word: what begins with one letter is half of the dictionary.
_SHORTEST_PREFIX = 2

# A term: a minus behind a space, then a phrase (maybe never closed) or what stands up to the next space or quote.
_TERM = re.compile(
    r'(?P<minus>(?<!\S)-)?(?:["“”„«»](?P<phrase>[^"“”„«»]*)["“”„«»]?|(?P<plain>[^\s"“”„«»]+))(?P<star>\*?)'
)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one behind the other; with `prefix` the last of them may go on."""

    tokens: tuple[str, ...]
    prefix: bool = False

    @property
    def match(self) -> str:
        """The term in the language of FTS5; tokens hold no quotation marks."""
        return f'"{" ".join(self.tokens)}"{" *" if self.prefix else ""}'

    def end(self, found: Sequence[Word], at: int, text: str) -> int | None:
        """Return where the term ends that begins with word `at` of a text; `None` if it does not begin there."""
        last = at + len(self.tokens) - 1
        if last >= len(found):
            return None
        for number, token in enumerate(self.tokens, at):
            held = found[number].token
            if not (held.startswith(token) if self.prefix and number == last else held == token):
                return None
        # Of a pair of characters only what was asked for.
        cut = self.prefix and is_unspaced(text[found[last].start])
        return found[last].start + len(self.tokens[-1]) if cut else found[last].end


@dataclass(frozen=True, slots=True)
class SearchQuery:
    required: tuple[Term, ...]
    excluded: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, typed: str) -> Self:
        required: list[Term] = []
        excluded: list[Term] = []
        for match in _TERM.finditer(typed):
            if len(required) + len(excluded) == MOST_TERMS:
                break
            written = match["phrase"] if match["phrase"] is not None else match["plain"]
            term = _term(written, bool(match["star"]) or written.endswith("*"))
            if term is not None:
                (excluded if match["minus"] else required).append(term)
        return cls(tuple(dict.fromkeys(required)), tuple(dict.fromkeys(excluded)))

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded)

    def marks(self, text: str, most: int = MOST_MARKS) -> list[tuple[int, int]]:
        """Return where the required terms stand in a text, the first of them, in order, without overlaps."""
        begins = tuple({term.tokens[0] for term in self.required})
        marks: list[tuple[int, int]] = []
        found = list(words(text)) if begins else []
        for at, word in enumerate(found):
            if not word.token.startswith(begins):
                continue
            ends = [end for term in self.required if (end := term.end(found, at, text)) is not None]
            if not ends:
                continue
            if marks and word.start <= marks[-1][1]:
                marks[-1] = (marks[-1][0], max(*ends, marks[-1][1]))
            elif len(marks) == most:
                break
            else:
                marks.append((word.start, max(ends)))
        return marks


def _term(written: str, star: bool) -> Term | None:
    found = tokens(written)[:MOST_WORDS]
    if not found:
        return None
    if is_unspaced(found[-1]):
        # The last character of a run stands alone only where the run ends; here it may go on.
        pair = found[-2] if len(found) > 1 else ""
        if len(pair) > 1 and pair.endswith(found[-1]):
            return Term(tuple(found[:-1]))
        return Term(tuple(found), prefix=True)
    return Term(tuple(found), prefix=star and len(found[-1]) >= _SHORTEST_PREFIX)

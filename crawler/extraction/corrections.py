"""Readers' corrections put over an article: what a reader said of a block counts before model, rules and site memory.

A block is known by its words, wherever it stands and whatever else of the page has changed: by exactly these, else by
these with other numbers, else, of the article that the correction was made on, as the one block that is nearly the
same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import NamedTuple

from crawler.extraction.duplicates import fingerprinted
from crawler.html.words import tokens
from storage.corrections import Correction
from storage.model import Article, Block, Reason

KEPT, REMOVED = Reason("a reader kept it"), Reason("a reader removed it")
#: What has so many words and such a share of them in common, in order, is the same block edited: a paragraph may lose a
#: sentence's end or get a name; two reports of one pattern share less. Comparing takes time by the square of the words.
_EDITED_WORDS, _EDITED = range(8, 2_000), 0.8

Words = tuple[str, ...]


def corrected(article: Article, corrections: Iterable[Correction]) -> Article:
    """Return the article as its site's corrections have it: those that it has from before are taken back first."""
    about = [each for each in corrections if each.is_about(article.url, article.canonical_url)]
    blocks = [block.as_extracted for block in article.blocks]
    for at, correction in matches([block.text for block in blocks], about).items():
        blocks[at] = _overruled(blocks[at], correction.verdict == "keep")
    return article if tuple(blocks) == article.blocks else fingerprinted(replace(article, blocks=tuple(blocks)))


def matches(texts: Sequence[str], corrections: Iterable[Correction]) -> Mapping[int, Correction]:
    """Return the positions of the blocks that corrections are about, each with the one that counts.

    Exact words count before like ones, what was said of this article before what was said of the site, the later
    before the earlier.
    """
    given = list(corrections)
    if not given:
        return {}
    page = _Page(texts)
    found = [_Found(*page.places(each), not each.whole_site, each) for each in given]
    counts: dict[int, Correction] = {}
    for each in sorted(found, key=lambda each: (each.exact, each.own, each.correction.made)):
        counts |= dict.fromkeys(each.places, each.correction)
    return counts


def occurrence(texts: Sequence[str], position: int) -> int | None:
    """Return which of the blocks with its words a block is, from 1; `None` for the only one."""
    places = _Page(texts).exact[_words(texts[position])]
    return places.index(position) + 1 if len(places) > 1 else None


def beginning_with(texts: Sequence[str], words: str) -> list[int]:
    """Return the positions of the blocks that begin with these words, the last of which may be cut.

    Case and signs do not count.
    """
    wanted = " ".join(_words(words))
    return [at for at, text in enumerate(texts) if wanted and " ".join(_words(text)).startswith(wanted)]


class _Found(NamedTuple):
    exact: bool
    places: Sequence[int]
    own: bool
    correction: Correction


class _Page:
    """The blocks of a page by their words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = [_words(text) for text in texts]
        self.exact: defaultdict[Words, list[int]] = defaultdict(list)
        for at, words in enumerate(self._words):
            self.exact[words].append(at)

    def places(self, correction: Correction) -> tuple[bool, Sequence[int]]:
        """Return where the block of a correction stands, and whether it does with exactly its words."""
        wanted = _words(correction.text)
        if wanted in self.exact:
            places = self.exact[wanted]
            number = None if correction.whole_site else correction.occurrence
            return True, places if number is None else places[number - 1 : number]
        alike = list(self._renumbered(wanted))
        if not alike and not correction.whole_site:
            alike = list(self._edited(wanted))
        # Several rows of a table are alike, and nobody knows which of them it was.
        return False, alike if correction.whole_site or len(alike) == 1 else []

    def _renumbered(self, wanted: Words) -> Iterator[int]:
        """Yield what has other numbers, and words too: "9 kr a month" is "12 kr a month" tomorrow."""
        folded = _unnumbered(wanted)
        if folded != wanted and set(folded) != {"0"}:
            yield from (at for at, words in enumerate(self._words) if _unnumbered(words) == folded)

    def _edited(self, wanted: Words) -> Iterator[int]:
        """Yield what is nearly the same."""
        if len(wanted) not in _EDITED_WORDS:
            return
        compared = SequenceMatcher(b=wanted, autojunk=False)
        for at, words in enumerate(self._words):
            compared.set_seq1(words)
            # Upper bounds first: nearly every block is another one.
            if min(compared.real_quick_ratio(), compared.quick_ratio()) >= _EDITED and compared.ratio() >= _EDITED:
                yield at


def _words(text: str) -> Words:
    """The words of a block; of one that has none, what it has."""
    return tuple(tokens(text)) or (text.strip(),)


def _unnumbered(words: Words) -> Words:
    return tuple("0" if word.isdecimal() else word for word in words)


def _overruled(block: Block, keep: bool) -> Block:
    if block.kept == keep:
        return block
    return replace(block, kept=keep, reason=KEPT if keep else REMOVED, overruled=block.reason)

"""What trafilatura takes for a page's text, asked more than once where one answer is not to be relied on.

It finds most when it is shown only the part of the page that most text stands in; but on some pages that part is a
notice or a standfirst, and the article is lost. So where that answer leaves running text out, the whole page is asked
about as well. Where the two answers differ, trafilatura's slower ways decide which of them to go by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from crawler.extraction.container import most_text, running
from crawler.extraction.trafilatura_text import first_opinion, opinion
from crawler.html.document import Tree, body
from crawler.html.elements import Cut
from crawler.html.words import Gram, Shingles, grams, tokens

#: From this likeness on (0 to 1) two texts are the same opinion.
_SAME = 0.98
# An answer that leaves out so little of the page's running text can have lost no article. On half of all pages it does;
# the whole page, asked all the same, then gave another text on 10 % of them, as often worse as better.
_LEFT_OUT = 0.15
# A block stands in an answer when this part of its runs of words does.
_STANDS = 0.6


@dataclass(frozen=True)
class Opinions:
    """`first` is the one to go by; the others, trafilatura's default and precise modes, are `None` where nobody asked
    for them: where the main part of the page gave all of its text, or the page as a whole the same."""

    first: str
    default: str | None = None
    precision: str | None = None

    @cached_property
    def passage(self) -> Shingles:
        """The first opinion, to look blocks up in."""
        return Shingles(self.first)


def ask(tree: Tree, blocks: Sequence[Cut]) -> Opinions:
    """Return what is thought of a page that was cut into these blocks."""
    page = body(tree)
    part = most_text(blocks, page)
    if part is page:
        return Opinions(first_opinion(page))
    narrowed = Opinions(first_opinion(part))
    if _says_all(narrowed.passage, blocks):
        return narrowed
    return choose(first_opinion(page), narrowed.first, lambda: (opinion(tree, "default"), opinion(tree, "precision")))


def _says_all(passage: Shingles, blocks: Sequence[Cut]) -> bool:
    """Whether next to all running text that a reader sees stands in it."""
    total = left_out = 0.0
    for block in blocks:
        if not block.hidden and (length := running(block)):
            total += length
            left_out += length if passage.share(block.words) < _STANDS else 0.0
    return left_out <= _LEFT_OUT * total


def choose(whole: str, narrowed: str, slower: Callable[[], tuple[str, str]]) -> Opinions:
    """Return the opinion of the part where that of the whole is the same; else the one that agrees with `slower`."""
    if whole == narrowed:
        return Opinions(narrowed)
    runs = _runs(whole), _runs(narrowed)
    if _likeness(*runs) >= _SAME:
        return Opinions(narrowed)
    default, precision = slower()
    votes = _runs(default), _runs(precision)
    of_whole, of_part = (sum(_likeness(one, vote) for vote in votes) for one in runs)
    return Opinions(narrowed if of_part >= of_whole else whole, default, precision)


def likeness(one: str, other: str) -> float:
    """Return how much of two texts is the same, 0 to 1."""
    return _likeness(_runs(one), _runs(other))


def _runs(text: str) -> Counter[Gram]:
    return Counter(grams(tokens(text)))


def _likeness(one: Counter[Gram], other: Counter[Gram]) -> float:
    """Twice what is in both, by what is in each: the F1 of one against the other."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0

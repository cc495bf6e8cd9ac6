"""What belongs together on a page, whatever each of its blocks looks like by itself.

A table is whole or absent; a list belongs to the text that it stands in, and to the sentence that announces it; a
heading belongs to the text under it; an article begins at its first sentence, also when that stands in another
container. The model judges blocks one by one and is at its best with paragraphs; these rules give back what it took
apart. They only add, and only what is shown, is no menu and mostly no links.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crawler.extraction.classify.class_tokens import GROUPS, groups_of
from crawler.html.elements import HEADINGS, Cut, Element

#: Groups of class names of what stands within an article and is none of it.
_FOREIGN = sum(
    1 << bit
    for bit, group in enumerate(GROUPS)
    if group in {"share", "related", "newsletter", "advert", "comment", "author", "navigation", "consent", "caption"}
)
#: Among these names are those of teasers: of other articles, or of the beginning of this one.
_RELATED = 1 << list(GROUPS).index("related")
_SENTENCE_END = tuple(".!?…。！？।؟:：")
_CLOSING = "\"”»’')] "
_COLON = (":", "：")
#: In words: a sentence that announces a list, items that are more than names, a sentence an article begins with.
_ANNOUNCES, _SAYS, _BEGINS = 4, 4, 12
#: A part is of the text when this much of its words is.
_HALF, _MOST = 0.5, 0.6
#: In words; a heading over less is not missed.
_SECTION = 10
#: The model may be unsure of a first paragraph; where it is sure, it is a standfirst or an advert.
_POSSIBLE = 0.03


@dataclass(frozen=True, slots=True)
class Judged:
    """A page's blocks as they were judged: the model's answers (`None`: not asked), and what is kept so far."""

    cuts: Sequence[Cut]
    answers: Sequence[float | None]
    kept: Sequence[bool]

    def open(self, at: int) -> bool:
        """Whether a block that was left out may be text."""
        cut = self.cuts[at]
        return not self.kept[at] and cut.excluded is None and not cut.hidden and cut.linked < _HALF

    def size(self, at: int) -> int:
        """How many words are in a block."""
        return len(self.cuts[at].words)

    def words(self, blocks: Sequence[int], *, kept: bool = False) -> int:
        """How many words are in some blocks, or in those of them that are kept."""
        return sum(self.size(at) for at in blocks if self.kept[at] or not kept)

    def bounds(self) -> tuple[int, int]:
        """The first and the last block of the text; the last is before the first where there is none."""
        kept = [at for at, one in enumerate(self.kept) if one]
        return (kept[0], kept[-1]) if kept else (0, -1)


def tables(page: Judged) -> Iterator[int]:
    """Rows of a table of which the text has half the rows."""
    for rows in _together(page.cuts, "row", {"table"}):
        if sum(page.kept[at] for at in rows) >= _HALF * len(rows):
            yield from filter(page.open, rows)


def lists(page: Judged) -> Iterator[int]:
    """Items of lists between kept blocks that say something, and of those that are announced ("…:")."""
    first, last = page.bounds()
    for items in _together(page.cuts, "li", {"ul", "ol", "dl"}):
        before, after = items[0] - 1, items[-1] + 1
        if not first <= before <= last:
            continue
        cut = page.cuts[before]
        announced = page.kept[before] and cut.text.endswith(_COLON) and page.size(before) >= _ANNOUNCES
        headlines = _linked(page, items) and page.words(items) > _SAYS * len(items)
        if announced and not headlines:
            yield from (at for at in items if page.cuts[at].excluded is None and not page.kept[at])
            continue
        within = page.kept[before] and after <= last and (page.kept[after] or page.cuts[after].kind in HEADINGS)
        says = page.words(items) >= _SAYS * len(items) and not _linked(page, items)
        if within and says and not any(_foreign(page.cuts[at], levels=3) for at in items):
            yield from filter(page.open, items)


def _linked(page: Judged, items: Sequence[int]) -> bool:
    return any(page.cuts[at].linked >= _HALF for at in items)


def key_points(page: Judged) -> Iterator[int]:
    """A list of sentences between the headline and the first paragraph."""
    start = _headline(page)
    first = next((at for at, cut in enumerate(page.cuts) if page.kept[at] and cut.kind == "p"), -1)
    if start is None or first < start:
        return
    for items in _together(page.cuts, "li", {"ul", "ol"}):
        if not start < items[0] <= items[-1] < first or len(items) < 2:
            continue
        texts = [page.cuts[at] for at in items]
        if all(
            page.size(at) >= _SAYS and cut.linked == 0.0 and not _foreign(cut, levels=3)
            for at, cut in zip(items, texts, strict=True)
        ) and page.words(items) >= 2 * _SAYS * len(items):
            yield from filter(page.open, items)


def headings(page: Judged) -> Iterator[int]:
    """Headings between kept blocks, over a section that is kept for the most part."""
    first, last = page.bounds()
    tops = [at for at, cut in enumerate(page.cuts) if cut.kind in HEADINGS and cut.kind != "h1"]
    found = []
    for at, end in pairwise([*tops, len(page.cuts)]):
        section = range(at + 1, end)
        near = any(page.kept[at + 1 : at + 3])
        if near and page.open(at) and page.words(section, kept=True) >= max(_SECTION, _MOST * page.words(section)):
            found.append(at)
    inside = [at for at in found if first < at < last]
    # The first of a page's sections stands before all text.
    places = {page.cuts[at].within.place for at in inside}
    yield from (at for at in found if page.cuts[at].within.place in places)


def beginning(page: Judged, description: str) -> Iterator[int]:
    """Sentences between the headline and the first kept paragraph.

    One alone may be a standfirst or an advert: it is taken where the model would not rule it out, or where the page
    names no description that it could be. Several on end in one element are a text.
    """
    start = _headline(page)
    if start is None:
        return
    found: list[int] = []
    for at in range(start + 1, len(page.cuts)):
        if page.kept[at] and page.cuts[at].kind == "p":
            break
        if _is_sentence(page, at):
            found.append(at)
    runs = Counter(page.cuts[at].within.parent for at in found)
    for at in found:
        if (
            not description
            or (page.answers[at] or 0.0) >= _POSSIBLE
            or (runs[page.cuts[at].within.parent] > 1 and page.cuts[at].within.tag == "p")
        ):
            yield at


def _is_sentence(page: Judged, at: int) -> bool:
    cut = page.cuts[at]
    return (
        cut.kind == "p"
        and page.open(at)
        and page.size(at) >= _BEGINS
        and cut.text.rstrip(_CLOSING).endswith(_SENTENCE_END)
        and not _foreign(cut, _FOREIGN & ~_RELATED)
    )


def _headline(page: Judged) -> int | None:
    """The last h1 before the text's first paragraph."""
    found = None
    for at, cut in enumerate(page.cuts):
        if page.kept[at] and cut.kind == "p":
            break
        if cut.kind == "h1" and cut.excluded is None and not cut.hidden:
            found = at
    return found


def _foreign(cut: Cut, groups: int = _FOREIGN, levels: int = 2) -> bool:
    """Whether the names of so many elements around a block say that it is another's."""
    element: Element | None = cut.within
    for _ in range(levels):
        if element is not None:
            if groups_of(element.names) & groups:
                return True
            element = element.parent
    return False


def _together(cuts: Sequence[Cut], kind: str, tags: set[str]) -> Iterator[list[int]]:
    """The blocks of a kind by the innermost element of these tags that they are in."""
    found: dict[Element, list[int]] = {}
    for at, cut in enumerate(cuts):
        if cut.kind != kind:
            continue
        element: Element | None = cut.within
        while element is not None and element.tag not in tags:
            element = element.parent
        if element is not None:
            found.setdefault(element, []).append(at)
    yield from found.values()

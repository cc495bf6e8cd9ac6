"""What a page says twice: its article again for a print view or a paywall, one caption under every picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crawler.html.elements import Cut, Element
from crawler.html.words import Gram, grams

#: In runs of four words; less is a quotation or a refrain.
_LEAST = 100
#: A copy has this part of its runs from the rest of the text: it may have been shortened, or have a line of its own.
_SAID = 0.8


def copies(cuts: Sequence[Cut], kept: Sequence[bool]) -> Iterator[int]:
    """Yield the kept blocks that only say what other kept blocks say.

    Of two copies the hidden one goes; else a single block where the other has paragraphs; else what is outside
    of <article> and <main>; else the later one. What stands in the one alone stays.
    """
    yield from _captions(cuts, kept)
    # A listing that grows from step to step says much twice.
    runs = {at: grams(cut.words) for at, cut in enumerate(cuts) if kept[at] and cut.kind != "pre"}
    if sum(map(len, runs.values())) - len(set().union(*runs.values())) < _SAID * _LEAST:
        return
    for inside in _parts(cuts, runs):
        blocks = [at for at in inside if at in runs]
        size = sum(len(runs[at]) for at in blocks)
        if size < _LEAST:
            continue
        own = set(blocks)
        elsewhere = {run for at, some in runs.items() if at not in own for run in some}
        if sum(_said(runs[at], elsewhere) for at in blocks) < _SAID * size:
            continue
        for at in blocks:
            if _said(runs[at], elsewhere) >= _SAID * len(runs[at]):
                del runs[at]
                yield at


def _said(runs: Sequence[Gram], elsewhere: set[Gram]) -> int:
    return sum(map(elsewhere.__contains__, runs))


def _parts(cuts: Sequence[Cut], blocks: Iterable[int]) -> list[list[int]]:
    """The blocks of each element, those first that are to go if they are a copy; outer elements before inner ones."""
    within: dict[Element, list[int]] = {}
    for at in blocks:
        element: Element | None = cuts[at].within
        while element is not None and element.parent is not None:
            within.setdefault(element, []).append(at)
            element = element.parent

    def order(item: tuple[Element, list[int]]) -> tuple[bool, bool, bool, int, int]:
        element, inside = item
        shown = not all(cuts[at].hidden for at in inside)
        return shown, len(inside) > 1, _in_article(element), -inside[0], element.depth

    return [inside for _, inside in sorted(within.items(), key=order)]


def _in_article(element: Element | None) -> bool:
    while element is not None and element.tag not in {"article", "main"}:
        element = element.parent
    return element is not None


def _captions(cuts: Sequence[Cut], kept: Sequence[bool]) -> Iterator[int]:
    seen: set[str] = set()
    for at, cut in enumerate(cuts):
        if kept[at] and cut.kind == "caption":
            if cut.text in seen:
                yield at
            seen.add(cut.text)

"""What a page says twice: its article again for a print view or a paywall, one caption under every picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from crawler.html.elements import Cut, Element
from crawler.html.words import grams, repeated

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
    texts = {at: cut.words for at, cut in enumerate(cuts) if kept[at] and cut.kind != "pre"}
    if repeated(texts.values()) < _SAID * _LEAST:
        return
    sizes = {at: max(0, len(words) - 3) for at, words in texts.items()}
    runs = {at: grams(words) for at, words in texts.items()}
    times = Counter(chain.from_iterable(runs.values()))
    # A run that is there once is in no copy, and most are.
    again = {at: [run for run in some if times[run] > 1] for at, some in runs.items()}
    for inside in _parts(cuts, texts):
        blocks = [at for at in inside if at in again]
        size = sum(sizes[at] for at in blocks)
        if size < _LEAST:
            continue
        own = Counter(run for at in blocks for run in again[at])
        said = {at: sum(times[run] > own[run] for run in again[at]) for at in blocks}
        if sum(said.values()) < _SAID * size:
            continue
        for at in blocks:
            if said[at] >= _SAID * sizes[at]:
                times.subtract(again.pop(at))
                yield at


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

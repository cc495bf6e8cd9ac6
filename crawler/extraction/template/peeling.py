"""What turns in one place of a site's pages: one of six adverts below each article, the biography of whoever wrote it.

A single advert is on a sixth of the pages, as the background of an affair may be. But in its place something repeated
stands on nearly every page. So pages are peeled from their end, from their beginning, or from a line that all have, a
block at a time: as long as nearly all that were peeled as far have something repeated next, that is the template's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from crawler.extraction.template.evidence import AMID, MANY, SLOT, Evidence
from crawler.extraction.template.story import Seen

#: More blocks than that at an end are no template.
_DEEPEST = 40
#: A line on so many pages may tell what stands beside it there: the foot of one section among two or three.
_TELLING = 0.4


class Slot(NamedTuple):
    """So many blocks from where the peeling began, or from a line that tells."""

    key: str = ""
    blocks: int = 0


class Peeling:
    """The slots of pages whose lines are given from where they are peeled from.

    `labelled`: that is below a label that all have. What stands in the first slot then goes though it is new.
    """

    def __init__(self, evidence: Evidence, pages: Mapping[str, Sequence[Seen]], *, labelled: bool = False) -> None:
        self._evidence = evidence
        self._slots: dict[Slot, _Turning] = {}
        front = {name: (0, Slot()) for name in pages}
        for _ in range(_DEEPEST):
            front = self._peel(front, pages)
        first = self._slots.get(Slot())
        self._takes_new = labelled and first is not None and first.stories >= AMID * len(pages)

    def run(self, lines: Sequence[Seen], told: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Yield (position, number of stories) for the lines of a page that are peeled off it; `told`: of which story.

        Labels and rates, which repeat but for their numbers, belong to it below a line that repeats as it is: an
        article may end in figures.
        """
        slot, waiting = Slot(), list[tuple[int, int]]()
        for at, each in enumerate(lines):
            turning = self._slots.get(slot)
            in_frame = each.key in self._evidence.frame
            new = at == 0 and self._takes_new
            if not (in_frame or new or (turning and self._turns(slot, each, told))):
                return
            waiting.append((at, self._evidence.count(each) if in_frame or not turning else turning.stories))
            if new or self._evidence.elsewhere(each, told):
                yield from waiting
                waiting.clear()
            slot = self._next(slot, each)

    def _turns(self, slot: Slot, each: Seen, told: frozenset[str]) -> bool:
        """Whether a line repeats in a slot, or in one beside it: a page may lack a block."""
        return any(turning.holds(each, told) for other, turning in self._slots.items() if other.key == slot.key)

    def _peel(
        self, front: Mapping[str, tuple[int, Slot]], pages: Mapping[str, Sequence[Seen]]
    ) -> dict[str, tuple[int, Slot]]:
        """Peel one block, and the labels before it, off the pages where it is template; return how far these are."""
        groups: defaultdict[Slot, dict[str, int]] = defaultdict(dict)
        for name, (start, slot) in front.items():
            labels = takewhile(self._is_passed, pages[name][start:])
            groups[slot][name] = start + sum(1 for _ in labels)
        further: dict[str, tuple[int, Slot]] = {}
        for slot, places in groups.items():
            lines = {name: pages[name][at] for name, at in places.items() if at < len(pages[name])}
            framed = {name for name, each in lines.items() if each.key in self._evidence.frame}
            # Beside a line of the frame on most pages, one on the rest does not turn with it: it may be a correction.
            turning = _Turning({name: each for name, each in lines.items() if name not in framed}, self._evidence)
            if len(places) >= MANY and turning.stories >= SLOT * len(places):
                self._slots[slot] = turning
                framed |= turning.names
            further |= {name: (places[name] + 1, self._next(slot, lines[name])) for name in framed}
        return further

    def _is_passed(self, each: Seen) -> bool:
        """Whether a line is a label of the frame: some pages lack it, and what is beside it holds its place."""
        return each.key in self._evidence.frame and not each.prose

    def _next(self, slot: Slot, each: Seen) -> Slot:
        """The slot beside a line that stands in a slot."""
        if self._is_passed(each):
            return slot
        if self._evidence.count(each) >= MANY and self._evidence.share(each) >= _TELLING:
            return Slot(each.key)
        return Slot(slot.key, slot.blocks + 1)


class _Turning:
    """The lines that stand in one slot, a story each, and repeat: prose there, as it is; labels and rates anywhere."""

    def __init__(self, lines: Mapping[str, Seen], evidence: Evidence) -> None:
        self._evidence = evidence
        self._on: defaultdict[str, set[str]] = defaultdict(set)
        for name, each in lines.items():
            self._on[each.key].add(name)
        self.names = {name for name, each in lines.items() if self.holds(each, frozenset({name}))}

    @property
    def stories(self) -> int:
        return len(self.names)

    def holds(self, each: Seen, told: frozenset[str]) -> bool:
        """Whether a line of one of the stories `told` repeats in another."""
        return not each.notice and (
            self._evidence.loosely_elsewhere(each, told) or not self._on.get(each.key, set()) <= told
        )

"""What turns in one place of a site's pages: one of six adverts below each article, the biography of whoever wrote it.

A single advert is on a sixth of the pages, as the background of an affair may be. But in its place something repeated
stands on nearly every page. So pages are peeled from their end, from their beginning, or from a line that all have, a
block at a time: as long as nearly all that were peeled as far have something repeated next, that is the template's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from crawler.extraction.template.evidence import MANY, SLOT, Evidence
from crawler.extraction.template.story import Seen

#: More blocks than that at an end are no template.
_DEEPEST = 40
#: A line on so many pages may tell what stands beside it there: the foot of one section among two or three.
_TELLING = 0.3


class Slot(NamedTuple):
    """So many blocks from where the peeling began, or from a line that tells."""

    key: str = ""
    blocks: int = 0


class Peeling:
    """The slots of pages whose lines are given from where they are peeled from."""

    def __init__(self, evidence: Evidence, pages: Mapping[str, Sequence[Seen]]) -> None:
        self._evidence = evidence
        #: Slot -> the number of stories where it holds template.
        self.slots: dict[Slot, int] = {}
        front = {name: Slot() for name in pages}
        for depth in range(_DEEPEST):
            front = self._peel(front, pages, depth)

    def run(self, lines: Sequence[Seen], told: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Yield (position, number of stories) for the lines of a page that are peeled off it.

        Labels and rates, which repeat but for their numbers, belong to it below a line that repeats as it is: an
        article may end in figures.
        """
        slot, waiting = Slot(), list[tuple[int, int]]()
        for at, each in enumerate(lines):
            in_frame = each.key in self._evidence.frame
            if not in_frame and (slot not in self.slots or not self._repeats(each, told)):
                return
            waiting.append((at, max(self.slots.get(slot, 0), self._evidence.count(each) * in_frame)))
            if self._evidence.elsewhere(each, told):
                yield from waiting
                waiting.clear()
            slot = self._next(slot, each)

    def _peel(self, front: Mapping[str, Slot], pages: Mapping[str, Sequence[Seen]], depth: int) -> dict[str, Slot]:
        """Peel one block off the pages where it is template; return how far these are."""
        groups: defaultdict[Slot, list[str]] = defaultdict(list)
        for name, slot in front.items():
            groups[slot].append(name)
        further: dict[str, Slot] = {}
        for slot, names in groups.items():
            at = {name: pages[name][depth] for name in names if depth < len(pages[name])}
            framed = [name for name, each in at.items() if each.key in self._evidence.frame]
            # Beside a line of the frame on most pages, one on the rest does not turn with it: it may be a correction.
            turning = [n for n, each in at.items() if n not in framed and self._repeats(each, frozenset({n}))]
            if len(names) >= MANY and len(turning) >= SLOT * len(names):
                self.slots[slot] = len(turning)
                framed += turning
            further |= {name: self._next(slot, at[name]) for name in framed}
        return further

    def _repeats(self, each: Seen, told: frozenset[str]) -> bool:
        return self._evidence.elsewhere(each, told) or self._evidence.loosely_elsewhere(each, told)

    def _next(self, slot: Slot, each: Seen) -> Slot:
        """The slot beside a line that stands in a slot."""
        if self._evidence.count(each) >= MANY and self._evidence.share(each) >= _TELLING:
            return Slot(each.key)
        return Slot(slot.key, slot.blocks + 1)

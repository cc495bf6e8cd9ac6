"""The elements around a page's blocks: what each takes from those it is in, and which of them holds the text.

Blocks share their ancestors, so everything is worked out once an element, not once a block. Elements have numbers, an
outer one a smaller number than those in it; -1 stands for <body>, whose values are the last of every array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crawler.extraction.classify.class_tokens import groups_of
from crawler.html.elements import Cut, Element

Numbers = NDArray[np.int64]

#: No element.
_NONE = -2
#: Where the main element is not around a block, it is taken to be so far away.
_FAR = 15


class Surroundings:
    """The elements around some blocks; `core` are the blocks (positions) that are text, `sizes` the blocks' words.

    Every array has a row or a value a block.
    """

    def __init__(self, cuts: Sequence[Cut], core: Sequence[int], sizes: Sequence[int], tags: Sequence[str]) -> None:
        self._elements: list[Element] = []
        self._outer: list[int] = []
        self._numbers: dict[Element, int] = {}
        within = [self._number(cut.within) for cut in cuts]
        self._within = np.array(within)
        outer = np.array([*self._outer, -1])
        levels = [self._within]
        for _ in range(3):
            levels.append(outer[levels[-1]])
        #: The numbers of the element itself and the next three around it, a row a block.
        self.up: Numbers = np.column_stack(levels)
        main = self._main(within, core, sizes)
        parent = self._parent(within, core, sizes)
        self.in_parent = (self.up[:, :3] == parent).any(axis=1)
        self.parent_is_main = self.up[:, 1] == parent
        self._inherit(main, {tag: 1 << bit for bit, tag in enumerate(tags)})

    def _number(self, element: Element) -> int:
        """Return the element's number; it and those around it get theirs when they are first met."""
        new = []
        while element.parent is not None and element not in self._numbers:
            new.append(element)
            element = element.parent
        number = self._numbers.get(element, -1)
        for each in reversed(new):
            self._outer.append(number)
            number = self._numbers[each] = len(self._elements)
            self._elements.append(each)
        return number

    def _main(self, within: Sequence[int], core: Sequence[int], sizes: Sequence[int]) -> int:
        """The smallest element around four fifths of the words of the text."""
        words = [0] * (len(self._elements) + 1)
        for at in core:
            words[within[at]] += sizes[at]
        for number in range(len(self._elements) - 1, -1, -1):
            words[self._outer[number]] += words[number]
        enough = 0.8 * words[-1]
        best = [number for number, inside in enumerate(words[:-1]) if inside and inside >= enough]
        return max(best, key=lambda number: self._elements[number].depth, default=_NONE)

    def _parent(self, within: Sequence[int], core: Sequence[int], sizes: Sequence[int]) -> int:
        """The element that is the parent of most words of the text."""
        words: Counter[int] = Counter()
        for at in core:
            if within[at] >= 0 and self._outer[within[at]] >= 0:
                words[self._outer[within[at]]] += sizes[at]
        return max(words, key=words.__getitem__, default=_NONE)

    def _inherit(self, main: int, bits: dict[str, int]) -> None:
        """Hand down from the outside to the inside what holds for all that is in an element."""
        size = len(self._elements) + 1
        inside, below, groups, near = [0] * size, [0] * size, [0] * size, [0] * size
        steps = [-1] * size
        for number, (element, outer) in enumerate(zip(self._elements, self._outer, strict=True)):
            bit = bits.get(element.tag, 0)
            inside[number] = inside[outer] | bit
            groups[number] = groups_of(element.names)
            if number == main:
                steps[number] = 0
                continue
            below[number] = below[outer] | bit
            near[number] = near[outer] | groups[number]
            if steps[outer] >= 0:
                steps[number] = steps[outer] + 1
        #: Bit sets: the tags around a block, and those of them below the main element.
        self.inside, self.below = self._of_blocks(inside), self._of_blocks(below)
        #: Bit sets as of `groups_of`: of the element itself; of it and all around it below the main element.
        self.own, self.near = self._of_blocks(groups), self._of_blocks(near)
        to_main = self._of_blocks(steps)
        self.in_main = to_main >= 0
        self.to_main = np.where(self.in_main, to_main, _FAR)

    def _of_blocks(self, values: Sequence[int]) -> Numbers:
        found: Numbers = np.array(values, dtype=np.int64)[self._within]
        return found

    def sums(self, values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the sums of some values of the blocks (first axis) in the elements around each block (second axis):
        in its own, in that one's parent, and in that one's (third axis); 0 where there is no such element.

        An element's sum is over the blocks that are at most three elements below it.
        """
        numbers = self.up.ravel()
        nothing = len(self._elements)
        numbers = np.where(numbers < 0, nothing, numbers)
        found = np.array([np.bincount(numbers, np.repeat(each, 4), nothing + 1) for each in values])
        found[:, nothing] = 0.0
        return found[:, numbers.reshape(-1, 4)[:, :3]]


def bits(sets: Numbers, count: int) -> Numbers:
    """Return `count` columns of 0 and 1, the lowest bit first, for the bit sets."""
    return (sets[:, None] >> np.arange(count)) & 1

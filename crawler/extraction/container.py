"""Where on the page its text stands: the part that trafilatura is asked about."""

from __future__ import annotations

from collections.abc import Sequence

from crawler.html.document import Tree
from crawler.html.elements import Cut, Element

# Characters outside of links: so long a block is running text.
_RUNNING = 40
# The part of a page's running text that is in one element.
_MOST = 0.8


def running(cut: Cut) -> float:
    """How many characters of running text a block has: those outside of links, if they are many; else 0."""
    own = len(cut.text) * (1.0 - cut.linked)
    return own if own >= _RUNNING and cut.excluded is None else 0.0


def most_text(cuts: Sequence[Cut], body: Tree) -> Tree:
    """Return the element two levels around the one that most running text of <body> is in."""
    around = _around(cuts)
    total = sum(length for element, length in around.items() if element.parent is None)
    inside = [element for element, length in around.items() if element.parent is not None and length >= _MOST * total]
    found = max(inside, key=lambda element: element.depth, default=None)
    for _ in range(2):
        found = found.parent if found is not None else None
    return body if found is None else found.node


def _around(cuts: Sequence[Cut]) -> dict[Element, float]:
    """How many characters of running text are in each element that has some, down to <body>."""
    found: dict[Element, float] = {}
    for cut in cuts:
        own = running(cut)
        if not own:
            continue
        element: Element | None = cut.within
        while element is not None and element not in found:
            found[element] = 0.0
            element = element.parent
        found[cut.within] += own
    # Each element once, the innermost first: a page may be a thousand elements deep.
    for element in sorted(found, key=lambda element: -element.depth):
        if element.parent is not None:
            found[element.parent] += found[element]
    return found

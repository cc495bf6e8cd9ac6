"""Blocks that say something, and the elements around them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from crawler.html.elements import Cut, Element

#: The share of running text that may be in links.
_LINKED = 0.3
#: In characters: a paragraph; a headline that is in no heading.
_PARAGRAPH, _HEADLINE = 60, 15


def is_text(cut: Cut, least: int, *, hidden: bool = False) -> bool:
    """Return whether a block is running text of so many characters, or, in other scripts than ours, of as many bytes
    as twice that: half the characters of Chinese say the same. `hidden`: also one that is not shown."""
    shown = cut.excluded is None and (hidden or not cut.hidden) and cut.linked < _LINKED
    return shown and (len(cut.text) >= least or (not cut.text.isascii() and len(cut.text.encode()) >= 2 * least))


def around(element: Element) -> Iterator[Element]:
    """Yield an element and all around it, the innermost first, without <body>."""
    while element.parent is not None:
        yield element
        element = element.parent


def own_element(cuts: Sequence[Cut], title: str, beside: Collection[Element] = ()) -> Element | None:
    """Return the innermost element around the page's headline and the first paragraph under it, the article's own.

    The headline is the first <h1> that is no link, else the first line that is or begins the page's `title`. Paragraphs
    in `beside` are not the article's. `None` where there is no such element within <body>.
    """
    at = next((at for at, cut in enumerate(cuts) if cut.kind == "h1" and _is_shown(cut)), None)
    if at is None:
        lines = (at for at, cut in enumerate(cuts) if len(cut.text) >= _HEADLINE and title.startswith(cut.text))
        at = next((at for at in lines if _is_shown(cuts[at])), None)
    if at is None:
        return None
    for cut in cuts[at + 1 :]:
        if is_text(cut, _PARAGRAPH) and not any(element in beside for element in around(cut.within)):
            of_text = set(around(cut.within))
            return next((element for element in around(cuts[at].within) if element in of_text), None)
    return None


def _is_shown(cut: Cut) -> bool:
    return cut.excluded is None and not cut.hidden and cut.linked < _LINKED

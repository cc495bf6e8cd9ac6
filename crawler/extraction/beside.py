"""What stands beside an article and is put aside before anybody is asked what of the page is text: there may be more
of it than of the article, and whoever looks for the part of a page that most text stands in finds that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crawler.extraction.running_text import around, is_text
from crawler.extraction.teasers import teasers
from crawler.extraction.threads import threads
from crawler.html.document import Tree
from crawler.html.elements import BESIDE, Cut, Element

#: What is left of a page has a paragraph of so many characters, or that is what it is about.
_LEFT = 60


def put_aside(tree: Tree, cuts: Sequence[Cut], url: str) -> Mapping[Element, str]:
    """Say of blocks that they stand in teasers or comments, and make asides of these elements, which are returned.

    None is where the page, which was cut into these blocks, holds nothing else.
    """
    title = " ".join((tree.findtext(".//title") or "").split())
    found = {**dict.fromkeys(teasers(cuts, url, title), "teaser"), **dict.fromkeys(threads(cuts), "comments")}
    if not found:
        return found
    inside = [next((found[each] for each in around(cut.within) if each in found), None) for cut in cuts]
    left = (cut for cut, word in zip(cuts, inside, strict=True) if word is None and cut.within.tag != "footer")
    if not any(is_text(cut, _LEFT) for cut in left):
        return {}
    for cut, word in zip(cuts, inside, strict=True):
        cut.excluded = cut.excluded or word
    for element in found:
        element.node.tag = "aside"
    return found


def bring_back(cuts: Sequence[Cut], found: Mapping[Element, str]) -> None:
    """Undo it, for a page that says it is a list, or a thread."""
    for cut in cuts:
        if cut.excluded in BESIDE:
            cut.excluded = None
    for element in found:
        element.node.tag = element.tag

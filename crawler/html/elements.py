"""What a page is cut into: blocks of text, and the block-level elements around them, each with its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crawler.html.document import Tree
from crawler.html.words import tokens


def names(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


#: Tags that end the line before and after them. Everything else is inline: no space is put at its edges.
BLOCK_TAGS = names(
    "address amp-img article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html label legend li main nav noscript ol p picture pre"
    " section summary table tbody td tfoot th thead tr ul"
)
HEADINGS = names("h1 h2 h3 h4 h5 h6")
#: Tags whose content is no text.
SKIPPED = names("script style template svg head iframe object embed canvas audio video map math input source track img")
#: Why a block is excluded that says something, of another article or of the readers.
BESIDE = frozenset({"teaser", "comments"})
#: Attributes that name an element.
NAMING = names("class id role itemprop data-component data-testid data-type")
# Class names that tell one page or one build from another: counters, dates, hashes.
_VOLATILE = re.compile(r"\d{2,}|^\W*\d+$|^(?=.*\d)(?=.*[A-Z])")
_PLACE_DEPTH = 8


@dataclass(slots=True, eq=False)
class Element:
    """A block-level element around some text; compared by identity."""

    tag: str
    attributes: Sequence[tuple[str, str]]
    parent: Element | None
    depth: int
    node: Tree
    _place: str = ""

    @property
    def names(self) -> str:
        """Its class, id, role and the like, parted by spaces."""
        return " ".join([value for name, value in self.attributes if name in NAMING])

    @property
    def place(self) -> str:
        """Its path in the site's template: the same on every page, whatever is counted or dated in class names."""
        if self._place:
            return self._place
        unknown = []
        element = self
        while not element._place and element.parent is not None:
            unknown.append(element)
            element = element.parent
        place = element._place or element.tag
        for element in reversed(unknown):
            if element.depth > _PLACE_DEPTH:
                place = ">".join(place.split(">")[-_PLACE_DEPTH:])
            place = element._place = f"{place}>{_step(element.tag, element.attributes)}"
        return place


@dataclass(slots=True, eq=False)
class Cut:
    """A block as cut from the page, with what the features need of its markup. Shares are of its characters."""

    text: str
    kind: str
    within: Element
    linked: float = 0.0
    bold: float = 0.0
    italic: float = 0.0
    links: int = 0
    starts_linked: bool = False
    ends_linked: bool = False
    #: After a <br>, not at the start of an element.
    broken: bool = False
    #: A picture or film stands between this block and the one before it.
    pictured: bool = False
    hidden: bool = False
    #: Names (class, id …) of the inline element all the text is in.
    inline_names: str = ""
    #: Target of its first link.
    href: str = ""
    #: Why this can be no text of the article ("navigation", "control", …), if so.
    excluded: str | None = None
    _words: list[str] | None = None

    @property
    def words(self) -> list[str]:
        """Its words, as of `html.words.tokens`."""
        if self._words is None:
            self._words = tokens(self.text)
        return self._words


def _step(tag: str, attributes: Sequence[tuple[str, str]]) -> str:
    """Return a tag with the class names that do not vary."""
    for name, value in attributes:
        if name == "class":
            return tag + _stable(value)
    return tag


@lru_cache(maxsize=16384)
def _stable(classes: str) -> str:
    return "".join([f".{name}" for name in classes.split()[:6] if not _VOLATILE.search(name)][:3])

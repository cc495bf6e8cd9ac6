"""The page's <body> cut into blocks: runs of text between two block tags or line breaks, in page order.

Nothing is thrown away here but what is no text (scripts, styles); menus, buttons and hidden text become blocks too,
with the reason why they can be no article text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from crawler.extraction.document import Tree


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


#: Tags that end the line before and after them. Everything else is inline: no space is put at its edges.
BLOCK_TAGS = _set(
    "address amp-img article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html label legend li main nav noscript ol p picture pre"
    " section summary table tbody td tfoot th thead tr ul"
)
HEADINGS = _set("h1 h2 h3 h4 h5 h6")
_SKIPPED = _set("script style template svg head iframe object embed canvas audio video map math input source track img")
_EXCLUDED = {
    "nav": "navigation",
    "dialog": "dialog",
    "noscript": "noscript",
    "button": "control",
    "select": "control",
    "option": "control",
    "datalist": "control",
    "textarea": "control",
}
_EXCLUDED_ROLES = {"navigation": "navigation", "dialog": "dialog", "alertdialog": "dialog", "menu": "navigation"}
_BOLD = _set("b strong")
_ITALIC = _set("i em")
#: Tags that say something without attributes.
_TELLING = BLOCK_TAGS | _BOLD | _ITALIC | _EXCLUDED.keys()
_NAMING = _set("class id role itemprop data-component data-testid data-type")
_NOT_IN_ROWS = _set("table ul ol dl h1 h2 h3 h4 h5 h6 blockquote figure form pre hr")
# A row longer than this, in characters, is a page laid out with tables.
_MAX_ROW = 600
_WORD = re.compile(r"\w")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# Class names that tell one page or one build from another: counters, dates, hashes.
_VOLATILE = re.compile(r"\d{2,}|^\W*\d+$|^(?=.*\d)(?=.*[A-Z])")
_PLACE_DEPTH = 8


@dataclass(slots=True, eq=False)
class Element:
    """A block-level element around some text; compared by identity."""

    tag: str
    #: Its class, id, role and the like, parted by spaces.
    names: str
    parent: Element | None
    depth: int
    place: str

    def chain(self) -> list[Element]:
        """Return the element and its ancestors below <body>, innermost first."""
        found: list[Element] = []
        element: Element | None = self
        while element is not None and element.parent is not None:
            found.append(element)
            element = element.parent
        return found


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
    hidden: bool = False
    #: Names (class, id …) of the inline element all the text is in.
    inline_names: str = ""
    #: Target of its first link.
    href: str = ""
    #: Why this can be no text of the article ("navigation", "control", …), if so.
    excluded: str | None = None


class _State(NamedTuple):
    """What holds at a point of the walk; the same for a child unless its tag or attributes change it."""

    linked: bool = False
    bold: bool = False
    italic: bool = False
    hidden: bool = False
    pre: bool = False
    inline_names: str = ""
    href: str = ""
    excluded: str | None = None


#: Where the walk is: the block-level element, and what holds there.
_Point = tuple[Element, _State]


@dataclass(slots=True)
class _Walk:
    cuts: list[Cut] = field(default_factory=list)
    pieces: list[tuple[str, _State]] = field(default_factory=list)
    broken: bool = False
    #: The last list item that got its block: what follows in the same item is a paragraph.
    item: Element | None = None

    def add(self, text: str, state: _State) -> None:
        """Add text to the block under way; none starts with white space."""
        if self.pieces or not text.isspace():
            self.pieces.append((text, state))

    def flush(self, element: Element) -> None:
        """End the block under way, if it has a word."""
        broken, self.broken = self.broken, False
        if not self.pieces:
            return
        pieces, self.pieces = self.pieces, []
        joined = "".join([piece[0] for piece in pieces])
        if not _WORD.search(joined):
            return
        pre = pieces[0][1].pre
        text = joined.strip("\r\n").rstrip() if pre else " ".join(joined.split())
        self.cuts.append(_measure(Cut(text, self._kind(element, pre), element, broken=broken), pieces))

    def _kind(self, element: Element, pre: bool) -> str:
        quoted = False
        up: Element | None = element
        while up is not None:
            tag = up.tag
            if tag in HEADINGS:
                return tag
            if tag in {"figcaption", "caption"}:
                return "caption"
            if tag in {"li", "dt", "dd"} and not pre:
                if up is self.item:
                    break
                self.item = up
                return "li"
            quoted = quoted or tag == "blockquote"
            if tag in {"td", "article", "main", "section", "aside"}:
                break
            up = up.parent
        return "pre" if pre else "quote" if quoted else "p"


def _measure(cut: Cut, pieces: list[tuple[str, _State]]) -> Cut:
    """Fill in what the pieces of the text tell of its markup."""
    inked = [(len(text.strip()), state) for text, state in pieces if not text.isspace()]
    first, last = inked[0][1], inked[-1][1]
    total = 0
    cut.hidden, cut.excluded, cut.inline_names = True, first.excluded, first.inline_names
    for length, state in inked:
        total += length
        if state.linked:
            cut.linked += length
            cut.links += 1
            cut.href = cut.href or state.href
        if state.bold:
            cut.bold += length
        if state.italic:
            cut.italic += length
        if not state.hidden:
            cut.hidden = False
        if state.inline_names != cut.inline_names:
            cut.inline_names = ""
    cut.linked, cut.bold, cut.italic = cut.linked / total, cut.bold / total, cut.italic / total
    cut.starts_linked, cut.ends_linked = first.linked, last.linked
    return cut


def cut(body: Tree) -> list[Cut]:
    """Return the blocks of an element (normally <body>) of a readable tree, in page order."""
    walk = _Walk()
    point: _Point = Element("body", "", None, 0, "body"), _State()
    stack: list[_Point] = []
    events = etree.iterwalk(body, events=("start", "end"))
    for event, node in events:
        tag = node.tag
        if event == "start":
            stack.append(point)
            if tag in _SKIPPED and node is not body:
                events.skip_subtree()
                continue
            if node is not body:
                point = _enter(node, tag, point, walk)
            if tag == "tr" and (row := _row(node, *point)) is not None:
                walk.cuts.append(row)
                events.skip_subtree()
            elif text := node.text:
                walk.add(text, point[1])
            continue
        if tag in BLOCK_TAGS:
            walk.flush(point[0])
        point = stack.pop()
        if node is not body and (text := node.tail):
            walk.add(text, point[1])
    return walk.cuts


def _enter(node: Tree, tag: str, outer: _Point, walk: _Walk) -> _Point:
    """Return what holds inside of `node`; a block tag or <br> ends the block before it."""
    element, state = outer
    if tag == "br":
        if state.pre:
            walk.pieces.append(("\n", state))
        else:
            walk.flush(element)
            walk.broken = True
        return outer
    attributes = node.items()
    if not attributes and tag not in _TELLING:
        return outer
    names, classes, href, hidden, excluded = _attributes(attributes, state)
    excluded = excluded if state.excluded is not None else _EXCLUDED.get(tag, excluded)
    if tag in BLOCK_TAGS:
        walk.flush(element)
        element = Element(tag, names, element, element.depth + 1, _place(element.place, tag, classes))
        pre = state.pre or tag == "pre"
        if (hidden, pre, excluded, "") != (state.hidden, state.pre, state.excluded, state.inline_names):
            state = state._replace(hidden=hidden, pre=pre, inline_names="", excluded=excluded)
        return element, state
    linked, bold, italic, _, pre, inline_names, outer_href, _ = state
    return element, _State(
        linked or tag == "a",
        bold or tag in _BOLD,
        italic or tag in _ITALIC,
        hidden,
        pre,
        names or inline_names,
        href if tag == "a" else outer_href,
        excluded,
    )


def _attributes(attributes: Iterable[tuple[str, str]], outer: _State) -> tuple[str, str, str, bool, str | None]:
    """Return the names, the class, the link target, whether it is hidden, and why it is excluded by its role."""
    names, classes, href = [], "", ""
    hidden, excluded = outer.hidden, outer.excluded
    for name, value in attributes:
        if name in _NAMING:
            names.append(value)
            if name == "class":
                classes = value
            elif name == "role" and excluded is None:
                excluded = _EXCLUDED_ROLES.get(value)
        elif name == "href":
            href = value
        elif name == "hidden" or (name == "style" and _HIDDEN_STYLE.search(value)):
            hidden = True
    return " ".join(names), classes, href, hidden, excluded


def _row(node: Tree, element: Element, state: _State) -> Cut | None:
    """Return a table row as one block, its cells joined by " | "; `None` where a table only lays out the page."""
    cells = [child for child in node if child.tag in {"td", "th"}]
    if len(cells) < 2 or next(node.iterdescendants(*_NOT_IN_ROWS), None) is not None:
        return None
    texts = [_cell_text(cell) for cell in cells]
    text = " | ".join(texts)
    if len(text) > _MAX_ROW or not _WORD.search(text):
        return None
    anchors = list(node.iterdescendants("a"))
    linked = sum(len("".join(anchor.itertext()).strip()) for anchor in anchors)
    return Cut(
        text,
        "row",
        element,
        linked=min(1.0, linked / max(1, sum(map(len, texts)))),
        links=len(anchors),
        hidden=state.hidden,
        href=(anchors[0].get("href") or "") if anchors else "",
        excluded=state.excluded,
    )


def _cell_text(cell: Tree) -> str:
    """Return a cell's text on one line, with a space where a block tag or <br> ends a line and nowhere else."""
    parts: list[str] = []
    for event, node in etree.iterwalk(cell, events=("start", "end")):
        if node.tag in BLOCK_TAGS or node.tag == "br":
            parts.append(" ")
        text = node.text if event == "start" else node.tail
        if text and node.tag not in _SKIPPED and not (event == "end" and node is cell):
            parts.append(text)
    return " ".join("".join(parts).split())


@lru_cache(maxsize=16384)
def _place(outer: str, tag: str, classes: str) -> str:
    """Return the template path of an element: `outer`, then its tag with the class names that do not vary."""
    stable = [name for name in classes.split()[:6] if not _VOLATILE.search(name)][:3]
    path = outer.split(">")
    return ">".join([*path[-_PLACE_DEPTH:], ".".join([tag, *stable])])

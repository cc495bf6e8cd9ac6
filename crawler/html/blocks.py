"""The page's <body> cut into blocks: runs of text between two block tags or line breaks, in page order.

Nothing is thrown away here but what is no text (scripts, styles); menus, buttons and hidden text become blocks too,
with the reason why they can be no article text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from crawler.html.document import Tree
from crawler.html.elements import BLOCK_TAGS, HEADINGS, NAMING, SKIPPED, Cut, Element, names
from crawler.html.table_rows import row

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
_PICTURES = names("img video iframe object embed")
_BOLD = names("b strong")
_ITALIC = names("i em")
#: Tags that say something without attributes.
_TELLING = BLOCK_TAGS | _BOLD | _ITALIC | _EXCLUDED.keys()
#: Block tags that change what holds in them, without attributes.
_CHANGING = _EXCLUDED.keys() | {"pre"}
#: Attributes that say whether an element is to be read.
_CONDITIONS = names("hidden style role")
_WORD = re.compile(r"\w")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


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


@dataclass(slots=True)
class _Walk:
    """Where the walk over the page is: in `element`, where `state` holds, with the text of the block under way."""

    element: Element
    state: _State = field(default_factory=_State)
    cuts: list[Cut] = field(default_factory=list)
    pieces: list[tuple[str, _State]] = field(default_factory=list)
    #: What held outside of each element the walk is in.
    outside: list[tuple[Element, _State]] = field(default_factory=list)
    broken: bool = False
    #: A picture was met after the last block.
    pictured: bool = False
    #: The last list item that got its block: what follows in the same item is a paragraph.
    item: Element | None = None

    def enter(self, node: Tree, tag: str) -> bool:
        """Meet an element; return whether its children are to be walked over, and the element left after them."""
        if tag == "br":
            self._line_break()
            return False
        text, filled = node.text, len(node)
        is_block = tag in BLOCK_TAGS
        if is_block and (self.pieces or self.broken):
            self.flush()
        if not text and not filled:
            return False
        if not (is_block or filled):
            # A leaf within a line: nothing to come back from.
            if self.pieces or not text.isspace():
                attributes = node.items()
                inner = _inline(tag, attributes, self.state) if attributes or tag in _TELLING else self.state
                self.pieces.append((text, inner))
            return False
        attributes = node.items()
        self.outside.append((self.element, self.state))
        if is_block:
            self.element = Element(tag, attributes, self.element, self.element.depth + 1, node)
            self.state = _in_block(tag, attributes, self.state)
        elif attributes or tag in _TELLING:
            self.state = _inline(tag, attributes, self.state)
        if (
            tag == "tr"
            and (line := row(node, self.element, hidden=self.state.hidden, excluded=self.state.excluded)) is not None
        ):
            self.cuts.append(line)
            filled = 0
        elif text and (self.pieces or not text.isspace()):
            self.pieces.append((text, self.state))
        if not filled:
            self.leave(tag)
        return bool(filled)

    def leave(self, tag: str) -> None:
        """Come to the end of an element."""
        if tag in BLOCK_TAGS and (self.pieces or self.broken):
            self.flush()
        self.element, self.state = self.outside.pop()

    def _line_break(self) -> None:
        if self.state.pre:
            self.pieces.append(("\n", self.state))
        else:
            self.flush()
            self.broken = True

    def flush(self) -> None:
        """End the block under way, if it has a word; a button in it is a block of its own."""
        broken, self.broken = self.broken, False
        if not self.pieces:
            return
        pieces = self.pieces[:]
        self.pieces.clear()
        if len(pieces) == 1 or len({state.excluded for _, state in pieces}) == 1:
            self._end(pieces, broken)
            return
        self._end([piece for piece in pieces if piece[1].excluded is None], broken)
        for excluded, run in groupby(pieces, key=lambda piece: piece[1].excluded):
            if excluded is not None:
                self._end(list(run), broken)

    def _end(self, pieces: list[tuple[str, _State]], broken: bool) -> None:
        element = self.element
        joined = pieces[0][0] if len(pieces) == 1 else "".join([piece[0] for piece in pieces])
        if not _WORD.search(joined):
            return
        pre = pieces[0][1].pre
        text = joined.strip("\r\n").rstrip() if pre else " ".join(joined.split())
        made = Cut(text, self._kind(element, pre), element, broken=broken, pictured=self.pictured)
        self.pictured = False
        self.cuts.append(_measure(made, pieces))

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
    if len(pieces) == 1:
        return _measure_one(cut, pieces[0][1])
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


def _measure_one(cut: Cut, state: _State) -> Cut:
    """The same for a block all of whose text is in the same state."""
    if state.linked:
        cut.linked, cut.links, cut.href, cut.starts_linked, cut.ends_linked = 1.0, 1, state.href, True, True
    cut.bold, cut.italic = float(state.bold), float(state.italic)
    cut.hidden, cut.excluded, cut.inline_names = state.hidden, state.excluded, state.inline_names
    return cut


def cut(body: Tree) -> list[Cut]:
    """Return the blocks of an element (normally <body>) of a readable tree, in page order."""
    walk = _Walk(Element("body", (), None, 0, body))
    pieces = walk.pieces
    if body.text and not body.text.isspace():
        pieces.append((body.text, walk.state))
    # The elements that the walk is in, each with what follows in the row of its children.
    rows: list[tuple[Iterator[Tree], Tree]] = [(iter(body), body)]
    while True:
        row, parent = rows[-1]
        for node in row:
            tag = node.tag
            if tag in SKIPPED:
                walk.pictured = walk.pictured or tag in _PICTURES
            elif walk.enter(node, tag):
                rows.append((iter(node), node))
                break
            # White space before a block is nothing, within it is a space.
            if (text := node.tail) and (pieces or not text.isspace()):
                pieces.append((text, walk.state))
        else:
            rows.pop()
            if not rows:
                walk.flush()
                return walk.cuts
            walk.leave(parent.tag)
            if (text := parent.tail) and (pieces or not text.isspace()):
                pieces.append((text, walk.state))


def _inline(tag: str, attributes: Sequence[tuple[str, str]], outer: _State) -> _State:
    """Return what holds inside of an inline element."""
    linked, bold, italic, hidden, pre, inline_names, href, excluded = outer
    is_link = tag == "a"
    names = []
    for name, value in attributes:
        if name in NAMING:
            names.append(value)
        elif is_link and name == "href":
            href = value
    hidden, excluded = _conditions(tag, attributes, outer)
    return _State(
        linked or is_link,
        bold or tag in _BOLD,
        italic or tag in _ITALIC,
        hidden,
        pre,
        " ".join(names) or inline_names,
        href,
        excluded,
    )


def _in_block(tag: str, attributes: Sequence[tuple[str, str]], state: _State) -> _State:
    if not (attributes or state.inline_names or tag in _CHANGING):
        return state
    hidden, excluded = _conditions(tag, attributes, state)
    if hidden is state.hidden and excluded is state.excluded and not state.inline_names and (state.pre or tag != "pre"):
        return state
    return state._replace(hidden=hidden, pre=state.pre or tag == "pre", inline_names="", excluded=excluded)


def _conditions(tag: str, attributes: Sequence[tuple[str, str]], state: _State) -> tuple[bool, str | None]:
    """Return whether an element is hidden, and why it is excluded."""
    hidden, excluded = state.hidden, state.excluded or _EXCLUDED.get(tag)
    for name, value in attributes:
        if name in _CONDITIONS:
            if name == "role":
                excluded = excluded or _EXCLUDED_ROLES.get(value)
            elif name == "hidden" or _HIDDEN_STYLE.search(value):
                hidden = True
    return hidden, excluded

"""Table rows as lines of text: "2020 | 40 kr"."""

from __future__ import annotations

import re

from lxml import etree

from crawler.html.document import Tree
from crawler.html.elements import BLOCK_TAGS, SKIPPED, Cut, Element, names

_NOT_IN_ROWS = names("table dl h1 h2 h3 h4 h5 h6 blockquote figure form pre hr")
_LISTS = names("ul ol")
# A row longer than this, in characters, is a page laid out with tables.
_MAX_ROW = 600
_WORD = re.compile(r"\w")


def row(node: Tree, element: Element, hidden: bool, excluded: str | None) -> Cut | None:
    """Return a table row as one block, its cells joined by " | "; `None` where a table only lays out the page.

    `element` is the row's own; `hidden` and `excluded` are what holds there.
    """
    cells = [child for child in node if child.tag in {"td", "th"}]
    if len(cells) < 2 or next(node.iterdescendants(*_NOT_IN_ROWS), None) is not None:
        return None
    # Lists of links in cells are menus, of a page laid out with tables.
    if any(next(found.iterdescendants("a"), None) is not None for found in node.iterdescendants(*_LISTS)):
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
        hidden=hidden,
        href=(anchors[0].get("href") or "") if anchors else "",
        excluded=excluded,
    )


def _cell_text(cell: Tree) -> str:
    """Return a cell's text on one line, with a space where a block tag or <br> ends a line and nowhere else."""
    parts: list[str] = []
    for event, node in etree.iterwalk(cell, events=("start", "end")):
        if node.tag in BLOCK_TAGS or node.tag == "br":
            parts.append(" ")
        text = node.text if event == "start" else node.tail
        if text and node.tag not in SKIPPED and not (event == "end" and node is cell):
            parts.append(text)
    return " ".join("".join(parts).split())

"""An article's kept blocks as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from storage.model import Article, Block, Reason

_ESCAPED = re.compile(r"([\\`*_\[\]<])")
# At the start of a line these would make a heading, a list, a quote or a rule of a paragraph.
_LEADING = re.compile(r"^(#{1,6}(?=\s)|[-+](?=\s)|>|\d+(?=[.)]\s)|={3,}$|-{3,}$|~{3,})")


def to_markdown(article: Article) -> str:
    """Return title and text as CommonMark (tables as in GitHub's); "" when there is neither.

    Headings keep their level, h1 at the top only; items of a list and rows of a table follow each other closely.
    """
    kept = [block for block in article.blocks if block.kept]
    if article.title and not (kept and kept[0].kind == "h1"):
        kept.insert(0, Block(article.title, "h1", True, Reason("title")))
    if not kept:
        return ""
    parts = [_markdown(kept[0], first_row=True)]
    for before, block in pairwise(kept):
        close = before.kind == block.kind and block.kind in {"li", "row"}
        parts.append("\n" if close else "\n\n")
        if block.kind == before.kind == "quote":
            parts[-1] = "\n>\n"
        parts.append(_markdown(block, first_row=not close))
    return "".join(parts) + "\n"


def _markdown(block: Block, *, first_row: bool) -> str:
    text, kind = block.text, block.kind
    if kind == "pre":
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        return f"{fence}\n{text}\n{fence}"
    if kind == "row":
        return "\n".join(_row(text, first_row))
    escaped = _ESCAPED.sub(r"\\\1", text)
    if re.fullmatch(r"h[1-6]", kind):
        return f"{'#' * int(kind[1])} {escaped}"
    if kind == "li":
        return f"- {escaped}"
    if kind == "quote":
        return f"> {escaped}"
    if kind == "caption":
        return f"*{escaped}*"
    return (
        _LEADING.sub(r"\\\1", escaped) if not escaped[:1].isdigit() else re.sub(r"^(\d+)([.)]\s)", r"\1\\\2", escaped)
    )


def _row(text: str, first: bool) -> Iterator[str]:
    """A row, and under the first of a table the line that makes it one."""
    cells = text.split(" | ")
    escaped = [_ESCAPED.sub(r"\\\1", cell).replace("|", "\\|") for cell in cells]
    yield f"| {' | '.join(escaped)} |"
    if first:
        yield f"|{' --- |' * len(cells)}"

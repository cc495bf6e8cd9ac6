"""An article's blocks put together as a reader finds them: headings, lists, quotes, tables, and what was removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from newskeep.web.reading_room import humanize
from storage.model import Article, Block
from storage.text import is_same_title

#: Kinds that stand together: lines of one list, rows of one table.
_JOINED = {"li": "list", "row": "table", "quote": "quote", "pre": "code"}


#: Characters up to which removed lines share a line: menus are long lists of short ones.
_SHORT = 40


@dataclass(frozen=True, slots=True)
class RemovedBlock:
    """A removed block, and what its reason adds to that of its run."""

    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Run:
    """Removed blocks with one reason: `rows` of them, short ones side by side."""

    reason: str
    rows: tuple[tuple[RemovedBlock, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A run of blocks that are one thing on the page: `kind` is "paragraph", "heading", "list", "quote", "table",
    "code", "caption", or "removed"."""

    kind: str
    lines: tuple[str, ...] = ()
    #: Of a heading, 2 to 6.
    level: int = 0
    #: What was removed.
    runs: tuple[Run, ...] = ()

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table."""
        cells = [line.split(" | ") for line in self.lines]
        width = max(map(len, cells), default=0)
        return [row + [""] * (width - len(row)) for row in cells]


def parts(article: Article) -> Iterator[Part]:
    """Yield the blocks in page order, kept and removed. A first heading that is the title again is passed over."""
    level = 1
    for kind, same in groupby(_numbered(article), key=lambda pair: _kind(*pair)):
        blocks = [block for _, block in same]
        lines = tuple(block.text for block in blocks)
        if kind[0] == "heading":
            # No level may be left out, whatever the page did: readers go by them.
            level = min(max(int(blocks[0].kind[1]), 2), level + 1)
            yield Part("heading", lines, level)
        elif kind[0] == "removed":
            yield Part("removed", runs=tuple(_runs(blocks)))
        else:
            yield Part(kind[0], lines)


def _runs(blocks: list[Block]) -> Iterator[Run]:
    for reason, same in groupby(blocks, key=lambda block: humanize.reason(block.reason)[0]):
        rows: list[tuple[RemovedBlock, ...]] = []
        for is_short, near in groupby(same, key=lambda block: len(block.text) <= _SHORT):
            lines = [RemovedBlock(block.text, humanize.reason(block.reason)[1]) for block in near]
            rows += [tuple(lines)] if is_short else [(line,) for line in lines]
        yield Run(reason, tuple(rows))


def _numbered(article: Article) -> Iterator[tuple[int, Block]]:
    first = True
    for number, block in enumerate(article.blocks):
        if block.kept and first:
            first = False
            if block.kind == "h1" and article.title and is_same_title(block.text, article.title):
                continue
        yield number, block


def _kind(number: int, block: Block) -> tuple[str, str | int]:
    """What a block is part of; equal neighbours are one part."""
    if not block.kept:
        return "removed", ""
    if block.kind in _JOINED:
        return _JOINED[block.kind], ""
    if block.kind[:1] == "h" and block.kind[1:].isdigit():
        return "heading", number
    return ("caption" if block.kind == "caption" else "paragraph"), number


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a page says of itself, where it stood, and what another part of the page said."""

    name: str
    values: tuple[str, ...]
    source: str | None
    doubt: str | None


_FIELDS = (
    ("title", "Title"),
    ("authors", "Authors"),
    ("published", "Published"),
    ("modified", "Modified"),
    ("language", "Language"),
    ("section", "Section"),
    ("topics", "Topics"),
    ("description", "Description"),
    ("canonical_url", "Canonical address"),
    ("image", "Picture"),
    ("paywalled", "Behind a paywall"),
)


def fields(article: Article) -> list[Field]:
    """What an article says of itself; what is not known and not doubted is left out."""
    found = [
        Field(label, _values(getattr(article, name)), article.sources.get(name), article.doubts.get(name))
        for name, label in _FIELDS
    ]
    return [field for field in found if field.values or field.doubt]


def _values(value: object) -> tuple[str, ...]:
    if value is None or value == ():
        return ()
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(str, value))
    return (str(value),)

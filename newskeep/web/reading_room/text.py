"""An article's blocks put together as a reader finds them: headings, lists, quotes, tables, and what was removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from newskeep.web.language import gettext
from newskeep.web.reading_room import humanize
from newskeep.web.reading_room.vocabulary import FIELDS
from storage.model import Article, Block
from storage.text import is_same_title

#: Kinds that stand together: lines of one list, rows of one table.
_JOINED = {"li": "list", "row": "table", "quote": "quote", "pre": "code"}


#: Characters up to which removed lines share a line: menus are long lists of short ones.
_SHORT = 40


@dataclass(frozen=True, slots=True)
class NumberedBlock:
    """A block with its number in the article, from 1, as `newskeep explain` shows it."""

    number: int
    text: str
    kept: bool
    #: Whether a reader had it so.
    corrected: bool
    #: What the reason of a removed one adds to that of its run.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Removed blocks with one reason: `rows` of them, short ones side by side."""

    reason: str
    rows: tuple[tuple[NumberedBlock, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A run of blocks that are one thing on the page: `kind` is "paragraph", "heading", "list", "quote", "table",
    "code", "caption", or "removed"."""

    kind: str
    blocks: tuple[NumberedBlock, ...] = ()
    #: Of a heading, 2 to 6.
    level: int = 0
    #: What was removed.
    runs: tuple[Run, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(block.text for block in self.blocks)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table."""
        cells = [line.split(" | ") for line in self.lines]
        width = max(map(len, cells), default=0)
        return [row + [""] * (width - len(row)) for row in cells]


def parts(article: Article, whole: bool = False) -> Iterator[Part]:
    """Yield the blocks in page order, kept and removed.

    A first heading that is the title again is passed over, unless it is to be the `whole` article.
    """
    level = 1
    numbered = enumerate(article.blocks, 1) if whole else _numbered(article)
    for kind, same in groupby(numbered, key=lambda pair: _kind(*pair)):
        pairs = list(same)
        blocks = tuple(_placed(*pair) for pair in pairs)
        if kind[0] == "heading":
            # No level may be left out, whatever the page did: readers go by them.
            level = min(max(int(pairs[0][1].kind[1]), 2), level + 1)
            yield Part("heading", blocks, level)
        elif kind[0] == "removed":
            yield Part("removed", runs=tuple(_runs(pairs)))
        else:
            yield Part(kind[0], blocks)


def _placed(number: int, block: Block) -> NumberedBlock:
    note = "" if block.kept else humanize.reason(block.reason)[1]
    return NumberedBlock(number, block.text, block.kept, block.overruled is not None, note)


def _runs(pairs: list[tuple[int, Block]]) -> Iterator[Run]:
    for reason, same in groupby(pairs, key=lambda pair: humanize.reason(pair[1].reason)[0]):
        rows: list[tuple[NumberedBlock, ...]] = []
        for is_short, near in groupby(same, key=lambda pair: len(pair[1].text) <= _SHORT):
            blocks = [_placed(*pair) for pair in near]
            rows += [tuple(blocks)] if is_short else [(block,) for block in blocks]
        yield Run(reason, tuple(rows))


def _numbered(article: Article) -> Iterator[tuple[int, Block]]:
    first = True
    for number, block in enumerate(article.blocks, 1):
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


def fields(article: Article) -> list[Field]:
    """What an article says of itself; what is not known and not doubted is left out."""
    found = [
        Field(gettext(label), _values(getattr(article, name)), article.sources.get(name), article.doubts.get(name))
        for name, label in FIELDS
    ]
    return [field for field in found if field.values or field.doubt]


def _values(value: object) -> tuple[str, ...]:
    if value is None or value == ():
        return ()
    if isinstance(value, bool):
        return (gettext("yes") if value else gettext("no"),)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(str, value))
    return (str(value),)

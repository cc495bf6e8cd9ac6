"""An article as the site memory keeps it: no text, but what it takes to see the same line again, and where it stood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, Self

from crawler.extraction.template.lines import lead, line, short_hash
from storage.model import Article, Block
from storage.urls import timestamp14

#: Why the memory itself removes.
REASON = "repeated"
#: Why a block of a document that is no page of a site, such as a PDF, is kept.
DOCUMENT = "document"
UNDATED = "0" * 14
#: A block with so much of its text in links is a link.
_LINKED = 0.5
#: With so much, it is nothing else but for a full stop.
_ONLY = 0.95
#: So many words make prose; fewer are a label, a name, a row of a table.
_PROSE = 8
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
#: Lists and tables as editors write them, without a class of their own, and what of them a block stands in.
_ROW = re.compile(
    r"(?:>(?:figure|ul|ol|dl|table|thead|tbody)(?:\.wp-block-[\w-]+)*)+(?:>(?:li|tr|td|th|dt|dd)(?:>p)?)?$"
)
#: Of a long live blog: enough to know where its template begins and ends.
_MOST_LINES = 120
#: Blocks that were left out and stand so near to the text may be kept on another page.
_NEAR = 40


class Seen(NamedTuple):
    """A line where it stood in an article."""

    key: str
    #: The key for any number.
    loose: str
    #: Hash of the place in the markup; links have a place of their own within it.
    place: str
    #: A letter each: "p" prose, "a" mostly a link, "o" only a link, "h" a heading, "q" somebody speaks, "s" a sentence,
    #: "c" a correction or another notice about the article, "r" a row of a list or table in the text's own element,
    #: "i" a question.
    flags: str
    words: int
    #: Hash of what leads in to a link, "Read also"; empty if nothing does.
    lead: str = ""
    #: Hashes of some runs of words of prose and sentences: what reports that are written to a pattern have in common.
    form: tuple[str, ...] = ()

    @classmethod
    def of(cls, block: Block, row: bool = False) -> Self:
        """Return a block's line; `row`: it belongs to a list or table that stands where the text does."""
        found = line(block.text)
        linked, heading = block.link_share >= _LINKED, block.kind in _HEADINGS
        flags = (
            "p" * (found.words >= _PROSE and not linked and not heading)
            + "a" * linked
            + "o" * (block.link_share >= _ONLY)
            + "h" * heading
            + "q" * found.quoted
            + "s" * (found.ended and not linked and not heading)
            + "c" * (found.notice and found.ended and not linked)
            + "r" * (row and not linked)
            + "i" * (found.asks and not linked)
        )
        led = (lead(block.text) or "") if linked else ""
        place, form = short_hash(block.place + ">a" * linked), found.form if "p" in flags or "s" in flags else ()
        return cls(found.key, found.loose, place, flags, found.words, led, form)

    @classmethod
    def unpack(cls, packed: str) -> Self:
        """Return the line of a file; raises `ValueError`."""
        # Older files have no form.
        key, loose, place, flags, words, led, *form = packed.split(" ")
        return cls(key, loose or key, place, flags, int(words), led, tuple(form))

    def pack(self) -> str:
        loose = "" if self.loose == self.key else self.loose
        return " ".join((self.key, loose, self.place, self.flags, str(self.words), self.lead, *self.form))

    @property
    def prose(self) -> bool:
        return "p" in self.flags

    @property
    def linked(self) -> bool:
        return "a" in self.flags

    @property
    def sentence(self) -> bool:
        return "s" in self.flags

    @property
    def notice(self) -> bool:
        return "c" in self.flags

    @property
    def row(self) -> bool:
        return "r" in self.flags

    @property
    def asks(self) -> bool:
        return "i" in self.flags

    @property
    def only_link(self) -> bool:
        return "o" in self.flags


@dataclass(frozen=True)
class Story:
    """One article in its newest edition."""

    #: When it was fetched, or else published: 14 digits, `UNDATED` if neither is known.
    at: str
    #: Hash of the title.
    title: str
    #: Hash of the element most of its prose stands in: the site's design.
    design: str
    #: What was kept before the memory looked at it, in page order.
    lines: Sequence[Seen]
    #: Keys of labels and links near by that were not. Prose that is left out may be another article's teaser: it would
    #: make that article's own first paragraph look repeated.
    left_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, article: Article) -> Self:
        text = _text_place(article.blocks)
        lines = [Seen.of(block, _is_row(block.place, text)) for block in article.blocks if is_read(block)]
        return cls(
            _day(article),
            line(article.title or article.url).key,
            short_hash(text),
            tuple(lines),
            _left_out(article.blocks),
        )

    @classmethod
    def unpack(cls, found: Mapping[str, Any]) -> Self:
        """Return the story of a file; raises `ValueError`, `KeyError`, `TypeError` or `AttributeError`."""
        lines = tuple(Seen.unpack(each) for each in found["lines"])
        if len(found["at"]) != len(UNDATED) or not found["at"].isdecimal():
            raise ValueError(f"time {found['at']}")
        return cls(found["at"], found["title"], found["design"], lines, frozenset(found["left_out"].split()))

    def pack(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "title": self.title,
            "design": self.design,
            "left_out": " ".join(sorted(self.left_out)),
            "lines": [each.pack() for each in self.lines],
        }

    def ends(self) -> Self:
        """Return the story without the middle of a very long one."""
        if len(self.lines) <= _MOST_LINES:
            return self
        half = _MOST_LINES // 2
        return replace(self, lines=(*self.lines[:half], *self.lines[-half:]))

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(each.key for each in self.lines)

    @cached_property
    def body(self) -> str:
        """The place most of its prose stands in; empty if it has none."""
        sizes: Counter[str] = Counter()
        for each in self.lines:
            sizes[each.place] += each.words * each.prose
        return max(sizes, key=lambda place: (sizes[place], place), default="")


def is_read(block: Block) -> bool:
    """Whether a block was kept before the memory looked at it, and a reader; of a document nothing is template."""
    extracted = block.as_extracted
    return (extracted.kept and extracted.reason.word != DOCUMENT) or extracted.reason.word == REASON


def _day(article: Article) -> str:
    if article.timestamp:
        return timestamp14(article.timestamp)
    try:
        published = datetime.fromisoformat(article.published or "")
        return timestamp14(published if published.tzinfo else published.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return UNDATED


def _text_place(blocks: Sequence[Block]) -> str:
    """The element most of the text stands in."""
    sizes: Counter[str] = Counter()
    for block in filter(is_read, blocks):
        sizes[block.place.rpartition(">")[0]] += len(block.text) * (block.link_share < _LINKED)
    return max(sizes, key=lambda place: (sizes[place], place), default="")


def _is_row(place: str, text: str) -> bool:
    """Whether a list or table stands in the element of the text, and in none of its own as a widget does."""
    inner = _ROW.sub("", place)
    return inner != place and inner == _ROW.sub("", text)


def _left_out(blocks: Sequence[Block]) -> frozenset[str]:
    read = [at for at, block in enumerate(blocks) if is_read(block)]
    if not read:
        return frozenset()
    near = [block for block in blocks[max(0, read[0] - _NEAR) : read[-1] + _NEAR] if not is_read(block)]
    return frozenset(each.key for each in map(Seen.of, near) if not each.prose)

"""An article as the site memory reads it: its lines, and where the article's own text stands among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from heapq import nlargest
from typing import NamedTuple, Protocol, TypeVar

from crawler.extraction.template.lines import Line, lead, line, short_hash
from storage.model import Article, Block


class Sighting(NamedTuple):
    """When a thing was last seen in a story, and how; a later one is the larger."""

    #: "2026-11-21", or `UNDATED`.
    day: str
    #: A letter each; what they mean stands where they are kept.
    flags: str = ""

    @classmethod
    def unpack(cls, packed: str) -> Sighting:
        """Return the sighting that a file of the memory has as "2026-11-21 ik"."""
        day, _, flags = packed.partition(" ")
        return cls(day, flags)

    def pack(self) -> str:
        return f"{self.day} {self.flags}".rstrip()


#: Story -> its sighting.
Sightings = Mapping[str, Sighting]
#: Sightings kept of each thing, the newest; enough to count by and to see what is current.
SIGHTINGS = 24
UNDATED = "0000-00-00"
#: Why the memory itself removes.
REASON = "repeated"
#: A block with so much of its text in links is a link.
LINKED = 0.5
#: So many words that stand in no other story are the article's own text.
_OWN_WORDS = 8


class Dated(Protocol):
    @property
    def day(self) -> str: ...


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True)
class ArticleLines:
    """An article's blocks with their lines."""

    article: Article

    @cached_property
    def blocks(self) -> Sequence[tuple[Block, Line]]:
        """The blocks that were kept before the memory looked at them, in page order."""
        return [(block, line(block.text)) for block in self.article.blocks if is_read(block)]

    @cached_property
    def left_out(self) -> Sequence[Line]:
        """The lines of the other blocks."""
        return [line(block.text) for block in self.article.blocks if not is_read(block)]

    @cached_property
    def day(self) -> str:
        """When the article was fetched, or else published, as "2026-11-21"; `UNDATED` if neither is known."""
        if self.article.timestamp:
            return self.article.timestamp.date().isoformat()
        try:
            return date.fromisoformat((self.article.published or "")[:10]).isoformat()
        except ValueError:
            return UNDATED

    @cached_property
    def title(self) -> str:
        """The title's hash."""
        return short_hash(" ".join(line(self.article.title or self.article.url).words))

    def own(self, is_repeated: Callable[[Line], bool]) -> list[bool]:
        """Return for each block whether it is plainly the article's own: a sentence, no link, in no other story."""
        return [
            len(each.words) >= _OWN_WORDS and block.link_share < LINKED and not is_repeated(each)
            for block, each in self.blocks
        ]


def is_read(block: Block) -> bool:
    """Whether a block was kept before the memory looked at it."""
    return block.kept or block.reason.word == REASON


def place(block: Block) -> str:
    """Return a block's place in the template; links have a place of their own within it."""
    return f"{block.place}>a" if block.link_share >= LINKED else block.place


def link_lead(block: Block) -> str | None:
    """Return what leads in to a link within the block, folded: "read also"; `None` if nothing does."""
    return lead(block.text) if block.link_share >= 0.3 else None


def newest(on: Mapping[str, D], most: int) -> dict[str, D]:
    """The latest sightings."""
    if len(on) <= most:
        return dict(on)
    return dict(nlargest(most, on.items(), key=lambda item: (item[1].day, item[0])))

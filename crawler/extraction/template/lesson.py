"""What a site memory learns of an article, a tenth of its size: who has this need not read the article to judge it."""

from __future__ import annotations

import json
from typing import NamedTuple, Self

from crawler.extraction.template.lines import LONGEST
from crawler.extraction.template.story import Story, is_read
from storage.model import Article


class Lesson(NamedTuple):
    """An article's story, and the beginnings of its lines for people to read."""

    url: str
    story: Story
    #: One for each of the story's lines.
    texts: tuple[str, ...]

    @classmethod
    def of(cls, article: Article) -> Self:
        texts = (block.text[:LONGEST] for block in article.blocks if is_read(block))
        return cls(article.url, Story.of(article), tuple(texts))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return what `pack` gave."""
        found = json.loads(packed)
        return cls(found["url"], Story.unpack(found["story"]), tuple(found["texts"]))

    def pack(self) -> bytes:
        """The same as JSON, in ASCII and on one line."""
        return json.dumps({"url": self.url, "story": self.story.pack(), "texts": self.texts}).encode("ascii")

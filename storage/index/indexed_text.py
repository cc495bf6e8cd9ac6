"""What is searched of an article, as it goes into the index: pure, so that any process can make it ready."""

from __future__ import annotations

import json
import zlib
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from storage.index.field_words import BREAK, author_words, language_words
from storage.index.rows import seconds
from storage.index.tokenizer import tokens

if TYPE_CHECKING:
    from storage.index import ArticleEntry


class IndexedText(NamedTuple):
    """What is searched of an article."""

    site: str
    language: str | None
    authors: tuple[str, ...]
    title: str | None
    text: str

    @classmethod
    def of(cls, entry: ArticleEntry) -> IndexedText:
        return cls(entry.site, entry.language, entry.authors, entry.title, entry.text or "")

    def pack(self) -> bytes:
        return zlib.compress(json.dumps(self, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))

    @classmethod
    def unpack(cls, packed: bytes) -> IndexedText:
        site, language, authors, title, text = json.loads(zlib.decompress(packed))
        return cls(site, language, tuple(authors), title, text)

    @property
    def words(self) -> str:
        """All words, a space between, as FTS5 takes them in."""
        found = [f"s:{self.site.casefold()}", *language_words(self.language)]
        for author in self.authors:
            found += [BREAK, *author_words(author)]
        return " ".join([*found, BREAK, *tokens(self.title or ""), BREAK, *tokens(self.text)])


class ReadyText(NamedTuple):
    """A text packed and cut into words; it costs more than all else that an article takes on its way into the index."""

    #: Of URL, time and text.
    digest: bytes
    packed: bytes
    #: As FTS5 takes them in; `None` for who shall cut them once it is known that they are needed.
    words: str | None

    @classmethod
    def of(cls, entry: ArticleEntry, *, has_words: bool = True) -> ReadyText:
        document = IndexedText.of(entry)
        packed = document.pack()
        key = json.dumps([entry.url, seconds(entry.timestamp)]).encode()
        digest = blake2b(packed, digest_size=12, key=blake2b(key, digest_size=32).digest()).digest()
        return cls(digest, packed, document.words if has_words else None)

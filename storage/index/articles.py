"""A text part's articles as entries of the index."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from storage.articles import PlacedArticle, read_texts
from storage.errors import Corrupt
from storage.index import ArticleEntry
from storage.index.indexed_text import ReadyText
from storage.urls import site_of

#: Bytes of a piece, packed: some fifty articles, a tenth of a second.
PIECE_BYTES = 512 << 10
#: Reads the entries of a text part, a file here, whose key is given as well. Raises `Corrupt`.
ReadEntries = Callable[[Path, str], Generator[ArticleEntry]]


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some lines of a text part on disk, from a byte on at which one begins."""

    path: Path
    #: Its key.
    part: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class PieceRead:
    """The entries of a piece, their texts made ready, and where the next piece begins; `None` at the end."""

    entries: tuple[ArticleEntry, ...]
    end: int | None


def read_piece(piece: TextPiece) -> PieceRead:
    """Read the lines of a piece, of about `PIECE_BYTES`. Raises `Corrupt`."""
    entries: list[ArticleEntry] = []
    with piece.path.open("rb") as stream:
        stream.seek(piece.start)
        for entry in entries_of(stream, piece.part):
            end = entry.part_offset + entry.part_length
            ready = ReadyText.of(entry)
            entries.append(replace(entry, part_offset=piece.start + entry.part_offset, text=None, ready=ready))
            if end >= PIECE_BYTES:
                return PieceRead(tuple(entries), piece.start + end)
    return PieceRead(tuple(entries), None)


def read_entries(path: Path, part: str) -> Generator[ArticleEntry]:
    """Yield the entries of a text part one after the other."""
    with path.open("rb") as stream:
        yield from entries_of(stream, part)


def entries_of(stream: BinaryIO, part: str) -> Iterator[ArticleEntry]:
    """Yield the index entries of a text part that this version wrote. Raises `Corrupt`."""
    for placed, text, words in read_texts(stream):
        yield replace(entry_of(placed, part), text=text, words=words)


def entry_of(placed: PlacedArticle, part: str) -> ArticleEntry:
    """The index entry of an article in a text part."""
    article = placed.article
    if article.timestamp is None or article.warc is None:
        raise Corrupt(f"{part}: the article of {article.url} does not say which record it was made from")
    return ArticleEntry(
        url=article.url,
        timestamp=article.timestamp,
        site=site_of(article.url),
        title=article.title,
        published=article.published,
        language=article.language,
        words=article.words,
        filename=article.warc.filename,
        offset=article.warc.offset,
        part=part,
        part_offset=placed.offset,
        part_length=placed.length,
        fingerprint=article.fingerprint,
        noarchive=article.noarchive,
        rights=article.rights,
        confidence=article.confidence,
        text=article.text,
        authors=article.authors,
    )

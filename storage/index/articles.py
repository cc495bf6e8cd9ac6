"""A text part's articles as entries of the index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from storage.articles import PlacedArticle, read_texts
from storage.errors import Corrupt
from storage.index import ArticleEntry
from storage.urls import site_of


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

"""Article <-> line of a text part, and the parts: `text/…/<stem>.jsonl.gz`, a gzip member a line."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from isal import igzip

from storage.errors import Corrupt, UsageError
from storage.fingerprints import Fingerprint
from storage.model import Article, Block, Extractor, Reason, TextSource
from storage.urls import parse_timestamp, timestamp14

_GZIP_LEVEL = 2
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class PlacedArticle:
    """An article and where its line lies in a text part, in bytes."""

    article: Article
    offset: int
    length: int


def to_json(article: Article) -> dict[str, Any]:
    """The article line of docs/formats.md, fields in its order."""
    return {
        "url": article.url,
        "canonical_url": article.canonical_url,
        "timestamp": timestamp14(article.timestamp) if article.timestamp else None,
        "title": article.title,
        "authors": list(article.authors),
        "published": article.published,
        "modified": article.modified,
        "language": article.language,
        "section": article.section,
        "topics": list(article.topics),
        "image": article.image,
        "description": article.description,
        "text": article.text,
        "words": article.words,
        "removed": [{"text": block.text, "reason": str(block.reason)} for block in article.removed],
        "warc": _warc(article.warc),
        "extractor": _extractor(article.extractor),
        "paywalled": article.paywalled,
        "fingerprint": article.fingerprint.to_json() if article.fingerprint else None,
        "sources": dict(article.sources),
        "doubts": dict(article.doubts),
        "blocks": [_block(block) for block in article.blocks],
    }


def from_json(line: dict[str, Any]) -> Article:
    """The article of a line; fields this version does not know are left out. Raises `Corrupt`."""
    try:
        return Article(
            url=line["url"],
            title=line.get("title"),
            authors=tuple(line.get("authors") or ()),
            published=line.get("published"),
            modified=line.get("modified"),
            language=line.get("language"),
            section=line.get("section"),
            topics=tuple(line.get("topics") or ()),
            image=line.get("image"),
            description=line.get("description"),
            canonical_url=line.get("canonical_url"),
            paywalled=line.get("paywalled"),
            blocks=tuple(_block_of(block) for block in line.get("blocks") or ()),
            sources=line.get("sources") or {},
            doubts=line.get("doubts") or {},
            extractor=_known(Extractor, line["extractor"]) if line.get("extractor") else None,
            fingerprint=Fingerprint.parse(line.get("fingerprint")),
            timestamp=parse_timestamp(line["timestamp"]) if line.get("timestamp") else None,
            warc=_source(line["warc"]) if line.get("warc") else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        # UsageError: what a person may write wrong, here stands in the file.
        raise Corrupt(f"not an article line: {error!r}") from error


def to_line(article: Article) -> bytes:
    """One JSON line, UTF-8, with its line end."""
    return json.dumps(to_json(article), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write_part(out: BinaryIO, articles: Iterable[Article]) -> Iterator[PlacedArticle]:
    """Write articles as a text part and yield each with its place; nothing is written ahead of the consumer."""
    offset = 0
    for article in articles:
        member = igzip.compress(to_line(article), _GZIP_LEVEL, mtime=0)
        out.write(member)
        yield PlacedArticle(article, offset, len(member))
        offset += len(member)


def read_part(stream: BinaryIO) -> Iterator[PlacedArticle]:
    """Yield the articles of a text part with their places; raises `Corrupt`."""
    offset = 0
    for line, length in _members(stream):
        yield PlacedArticle(parse_line(line), offset, length)
        offset += length


def read_member(member: bytes) -> Article:
    """The article of one gzip member; raises `Corrupt`."""
    try:
        return parse_line(zlib.decompress(member, 31))
    except zlib.error as error:
        raise Corrupt(f"not a member of a text part: {error}") from error


def parse_line(line: bytes) -> Article:
    """The article of a JSON line; raises `Corrupt`."""
    try:
        return from_json(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"not an article line: {error}") from error


def move_part(stream: BinaryIO, out: BinaryIO, old: str, new: str, shift: int) -> Iterator[PlacedArticle]:
    """Write the lines of WARC `old`'s text part to `out` for when its records lie in `new`, `shift` bytes further on.

    Nothing else in a line changes, known to this version or not. Yields each article with its place in `out`, counted
    from where that stands. Raises `Corrupt`.
    """
    offset = 0
    for held, _ in _members(stream):
        article = parse_line(held)
        if article.warc is None or article.warc.filename != old:
            raise Corrupt(f"the article of {article.url} was not made from a record of {old}")
        fields = json.loads(held)
        fields["warc"] |= {"filename": new, "offset": article.warc.offset + shift}
        line = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        member = igzip.compress(line, _GZIP_LEVEL, mtime=0)
        out.write(member)
        yield PlacedArticle(parse_line(line), offset, len(member))
        offset += len(member)


def _members(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    pending = b""
    while pending or (pending := stream.read(_READ)):
        decoder, line, length = zlib.decompressobj(31), bytearray(), 0
        while not decoder.eof:
            if not pending and not (pending := stream.read(_READ)):
                raise Corrupt("a text part ends in the middle of a line")
            try:
                line += decoder.decompress(pending)
            except zlib.error as error:
                raise Corrupt(f"not a text part: {error}") from error
            length += len(pending) - len(decoder.unused_data)
            pending = decoder.unused_data
        yield bytes(line), length


def _block(block: Block) -> dict[str, Any]:
    reason = block.reason
    fields: dict[str, Any] = {"kind": block.kind, "text": block.text, "kept": block.kept, "reason": reason.word}
    if reason.detail:
        fields["detail"] = reason.detail
    if reason.probability is not None:
        fields["probability"] = reason.probability
    if block.place:
        fields["place"] = block.place
    if block.link_share:
        fields["link_share"] = block.link_share
    return fields


def _block_of(fields: dict[str, Any]) -> Block:
    """The block of `_block`'s fields; unknown ones are left out. An older version's reason is all in its word."""
    reason = Reason(fields["reason"], fields.get("detail", ""), fields.get("probability"))
    place, link_share = fields.get("place", ""), fields.get("link_share", 0.0)
    return Block(fields["text"], fields["kind"], fields["kept"], reason, place, link_share)


def _warc(source: TextSource | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {"filename": source.filename, "offset": source.offset, "length": source.length, "digest": source.digest}


def _source(fields: dict[str, Any]) -> TextSource:
    source: TextSource = _known(TextSource, fields)
    # What a range is read by. Not isinstance(): True is an int.
    if type(source.offset) is not int or type(source.length) is not int or min(source.offset, source.length) < 0:
        raise ValueError(f"{source.offset!r}+{source.length!r} is no place in a WARC")
    if not isinstance(source.filename, str):
        raise TypeError(f"{source.filename!r} is no WARC")
    return source


def _extractor(extractor: Extractor | None) -> dict[str, Any] | None:
    if extractor is None:
        return None
    return {
        "name": extractor.name,
        "version": extractor.version,
        "model": extractor.model,
        "method": extractor.method,
    }


def _known(cls: type[Any], fields: dict[str, Any]) -> Any:
    """Build a value of `cls` from a newer writer's fields, the unknown ones left out."""
    return cls(**{name: value for name, value in fields.items() if name in cls.__slots__})

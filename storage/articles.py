"""Article <-> line of a text part, and the parts: `text/…/<stem>.jsonl.gz`, a gzip member a line."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO

from isal import igzip

from storage.bounds import ARTICLE_LINE_MAX, parse_json, unpack
from storage.errors import Corrupt, UsageError
from storage.fingerprints import Fingerprint
from storage.json_fields import as_text, as_text_or_none
from storage.model import Article, Block, Extractor, Reason, TextSource
from storage.rights.signal import Signal
from storage.rights.signal import from_json as rights_from_json
from storage.rights.signal import to_json as rights_to_json
from storage.urls import parse_timestamp, timestamp14

logger = logging.getLogger(__name__)

#: How the method of an article begins whose text is that of the page's twin: its AMP or print form, in a record of
#: another address.
TWIN = "twin, "

_GZIP_LEVEL = 2
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class PlacedArticle:
    """An article and where its line lies in a text part, in bytes."""

    article: Article
    offset: int
    length: int


def is_twins(article: Article) -> bool:
    """Whether the record that an article was made from is that of another address than the article's."""
    return article.extractor is not None and article.extractor.method.startswith(TWIN)


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
        "noarchive": article.noarchive,
        "rights": rights_to_json(article.rights),
        "confidence": article.confidence,
        "fingerprint": article.fingerprint.to_json() if article.fingerprint else None,
        "sources": dict(article.sources),
        "doubts": dict(article.doubts),
        "blocks": [_block(block) for block in article.blocks],
    }


def from_json(line: dict[str, Any]) -> Article:
    """The article of a line; fields this version does not know are left out. Raises `Corrupt`."""
    try:
        return Article(
            url=as_text(line["url"]),
            title=as_text_or_none(line.get("title")),
            authors=tuple(map(as_text, line.get("authors") or ())),
            published=as_text_or_none(line.get("published")),
            modified=as_text_or_none(line.get("modified")),
            language=as_text_or_none(line.get("language")),
            section=as_text_or_none(line.get("section")),
            topics=tuple(map(as_text, line.get("topics") or ())),
            image=as_text_or_none(line.get("image")),
            description=as_text_or_none(line.get("description")),
            canonical_url=as_text_or_none(line.get("canonical_url")),
            paywalled=line.get("paywalled"),
            noarchive=line.get("noarchive") is True,
            rights=rights_from_json(line.get("rights")),
            confidence=_share_or_none(line.get("confidence")),
            blocks=tuple(_block_of(block) for block in line.get("blocks") or ()),
            sources=_texts(line.get("sources") or {}),
            doubts=_texts(line.get("doubts") or {}),
            extractor=_known(Extractor, line["extractor"]) if line.get("extractor") else None,
            fingerprint=Fingerprint.parse(line.get("fingerprint")),
            timestamp=parse_timestamp(line["timestamp"]) if line.get("timestamp") else None,
            warc=_source(line["warc"]) if line.get("warc") else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        # UsageError: what a person may write wrong, here stands in the file.
        raise Corrupt(f"not an article line: {error!r:.200}") from error


def _share_or_none(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0.0 <= value <= 1.0 else None


def to_line(article: Article) -> bytes:
    """One JSON line, UTF-8, with its line end."""
    return json_line(to_json(article))


def json_line(fields: dict[str, Any]) -> bytes:
    """The line of the fields that `to_json` gives."""
    # Pages cut their JSON in the middle of an emoji; half of one has no bytes.
    return _packed(fields) + b"\n"


def with_record(line: bytes, source: TextSource, noarchive: bool, rights: tuple[Signal, ...]) -> bytes:
    """The line of an article that names no record and no rights, with both; all else stays as written."""
    unsaid = b',"noarchive":false,"rights":[],"confidence":'
    if unsaid not in line:
        # Of an older version, which waited in the spool.
        return to_line(replace(parse_line(line), noarchive=noarchive, rights=rights, warc=source))
    # Quotes inside of a text are escaped: these two stand nowhere but where they are fields.
    line = line.replace(b',"warc":null,"extractor":', b',"warc":%b,"extractor":' % _packed(_warc(source)), 1)
    said = b"true" if noarchive else b"false"
    both = b',"noarchive":%b,"rights":%b,"confidence":' % (said, _packed(rights_to_json(rights)))
    return line.replace(unsaid, both, 1)


def _packed(fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def write_part(out: BinaryIO, articles: Iterable[Article]) -> Iterator[PlacedArticle]:
    """Write articles as a text part and yield each with its place; nothing is written ahead of the consumer."""
    offset = 0
    for article in articles:
        if length := write_line(out, to_line(article), article.url):
            yield PlacedArticle(article, offset, length)
            offset += length


def write_line(out: BinaryIO, line: bytes, url: str) -> int:
    """Write a line of the article of `url` to a text part; return the bytes that it takes, 0 where it is left out."""
    if len(line) > ARTICLE_LINE_MAX:
        # A reader would take it for damage, and all behind it for lost.
        logger.warning("the text of %s is left out: its line would have %s bytes", url, f"{len(line):,}")
        return 0
    return out.write(igzip.compress(line, _GZIP_LEVEL, mtime=0))


def read_part(stream: BinaryIO) -> Iterator[PlacedArticle]:
    """Yield the articles of a text part with their places; raises `Corrupt`."""
    offset = 0
    for line, length in _members(stream):
        yield PlacedArticle(parse_line(line), offset, length)
        offset += length


def read_texts(stream: BinaryIO) -> Iterator[tuple[PlacedArticle, str, int]]:
    """Yield the articles of a part that this version wrote, without their blocks, and the text and words of each.

    Nine tenths of a line are blocks; who wants none of them need not read them. Raises `Corrupt`.
    """
    offset = 0
    for line, length in _members(stream):
        fields = _fields(_without_blocks(line))
        article = from_json(fields)
        text, words = fields.get("text"), fields.get("words")
        if not isinstance(text, str) or type(words) is not int:
            raise Corrupt(f"not an article line: no text of {article.url}")
        yield PlacedArticle(article, offset, length), text, words
        offset += length


def _without_blocks(line: bytearray) -> bytearray:
    """A line as `json_line` writes it, the lists of its blocks cut out."""
    # Quotes inside of a text are escaped: these stand nowhere but where they are fields.
    removed = line.find(b',"removed":[')
    warc = line.find(b'],"warc":', removed)
    blocks = line.find(b',"blocks":[', warc)
    return line[:removed] + line[warc + 1 : blocks] + b"}" if 0 < removed < warc < blocks else line


def read_member(member: bytes) -> Article:
    """The article of one gzip member; raises `Corrupt`."""
    for line, _ in _members(BytesIO(member)):
        return parse_line(line)
    raise Corrupt("not a member of a text part: it is empty")


def parse_line(line: bytes | bytearray) -> Article:
    """The article of a JSON line; raises `Corrupt`."""
    return from_json(_fields(line))


def _fields(line: bytes | bytearray) -> Any:
    try:
        return parse_json(line, ARTICLE_LINE_MAX)
    except Corrupt as error:
        raise Corrupt(f"not an article line: {error}") from error


def check_part(stream: BinaryIO) -> None:
    """Read a text part to its end, as gzip has it; raises `Corrupt`."""
    for _ in _members(stream):
        pass


def move_part(
    stream: BinaryIO, out: BinaryIO, old: str, new: str, moved: Callable[[int], int | None]
) -> Iterator[PlacedArticle]:
    """Write the lines of WARC `old`'s text part to `out` for when its records lie in `new`.

    `moved` says where the record at an offset lies now; `None` leaves the line out. Nothing else in a line changes,
    known to this version or not. Yields each article with its place in `out`, counted from where that stands. Raises
    `Corrupt`.
    """
    offset = 0
    for held, _ in _members(stream):
        fields = _fields(held)
        article = from_json(fields)
        if article.warc is None or article.warc.filename != old:
            raise Corrupt(f"the article of {article.url} was not made from a record of {old}")
        place = moved(article.warc.offset)
        if place is None:
            continue
        fields["warc"] |= {"filename": new, "offset": place}
        line = json_line(fields)
        member = igzip.compress(line, _GZIP_LEVEL, mtime=0)
        out.write(member)
        yield PlacedArticle(parse_line(line), offset, len(member))
        offset += len(member)


def change_part(stream: BinaryIO, out: BinaryIO, change: Callable[[Article], Article]) -> Iterator[bool]:
    """Write the lines of a text part to `out`, those of which `change` makes another article with that one's fields.

    Fields that this version does not know stay. Yields of each article whether it changed. Raises `Corrupt`.
    """
    for held, _ in _members(stream):
        fields = _fields(held)
        before = from_json(fields)
        article = change(before)
        line = bytes(held) if article is before else json_line(fields | to_json(article))
        out.write(igzip.compress(line, _GZIP_LEVEL, mtime=0))
        yield article is not before


def _members(stream: BinaryIO) -> Iterator[tuple[bytearray, int]]:
    """Yield each line and the length of its gzip member; raises `Corrupt`, also of a line that is too long."""
    pending = b""
    while pending or (pending := stream.read(_READ)):
        decoder, line, length = zlib.decompressobj(31), bytearray(), 0
        while not decoder.eof:
            if not pending and not (pending := stream.read(_READ)):
                raise Corrupt("a text part ends in the middle of a line")
            data, rest = unpack(decoder, pending, ARTICLE_LINE_MAX - len(line))
            line += data
            if len(line) > ARTICLE_LINE_MAX:
                raise Corrupt(f"a line of more than {ARTICLE_LINE_MAX:,} bytes")
            length += len(pending) - len(rest)
            pending = rest
        yield line, length


def _block(block: Block) -> dict[str, Any]:
    fields = {"kind": block.kind, "text": block.text, "kept": block.kept, **_reason(block.reason)}
    if block.place:
        fields["place"] = block.place
    if block.link_share:
        fields["link_share"] = block.link_share
    if block.overruled is not None:
        fields["overruled"] = _reason(block.overruled)
    return fields


def _reason(reason: Reason) -> dict[str, Any]:
    fields: dict[str, Any] = {"reason": reason.word}
    if reason.detail:
        fields["detail"] = reason.detail
    if reason.probability is not None:
        fields["probability"] = reason.probability
    return fields


def _block_of(fields: dict[str, Any]) -> Block:
    """The block of `_block`'s fields; unknown ones are left out. An older version's reason is all in its word."""
    reason, overruled = _reason_of(fields), fields.get("overruled")
    place, link_share = as_text(fields.get("place", "")), fields.get("link_share", 0.0)
    before = None if overruled is None else _reason_of(overruled)
    return Block(
        as_text(fields["text"]), as_text(fields["kind"]), bool(fields["kept"]), reason, place, link_share, before
    )


def _reason_of(fields: dict[str, Any]) -> Reason:
    return Reason(as_text(fields["reason"]), as_text(fields.get("detail", "")), fields.get("probability"))


def _texts(fields: dict[str, Any]) -> dict[str, str]:
    return {name: as_text(value) for name, value in fields.items()}


def _warc(source: TextSource | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "filename": source.filename,
        "offset": source.offset,
        "length": source.length,
        "digest": source.digest,
        "insecure": source.insecure,
    }


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

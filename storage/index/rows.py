"""Capture and ArticleEntry <-> rows, packed: the table of captures is most of the index."""

from __future__ import annotations

import json
import re
from base64 import b32decode, b32encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from storage.fingerprints import Fingerprint
from storage.index import ArticleEntry, WarcEntry
from storage.model import Capture
from storage.rights.signal import Signal, pack, shown_until, unpack
from storage.urls import surt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# First byte of a packed digest.
_OTHER, _SHA1, _SHA256 = b"\x00", b"\x01", b"\x02"
_HEX = re.compile(r"sha256:[0-9a-f]{64}")
# A row of a B-tree takes 2,704 bytes in PostgreSQL; names of values that are SURTs.
_LONGEST_KEY = 2_000
_KEYS = ("surt", "first", "last", "subject")
# What stands before the host in most URLs; one of these marks is the packed URL when the SURT says the rest.
_STARTS = {"=0": "https://", "=1": "https://www.", "=2": "http://", "=3": "http://www."}

Row = tuple[Any, ...]


def seconds(time: datetime) -> int:
    """Return whole seconds since 1970, cut like a 14-digit timestamp."""
    return (time - _EPOCH) // timedelta(seconds=1)


def pack_digest(digest: str | None) -> bytes | None:
    """Return a SHA-1 as we wrote it in 21 bytes, a SHA-256 as we write it in 33, all others as they are."""
    if digest is None:
        return None
    if _HEX.fullmatch(digest):
        return _SHA256 + bytes.fromhex(digest[7:])
    if digest.startswith("sha1:") and len(digest) == 37:
        try:
            packed = b32decode(digest[5:])
        except ValueError:
            return _OTHER + digest.encode()
        return _SHA1 + packed
    return _OTHER + digest.encode()


def unpack_digest(packed: bytes | None) -> str | None:
    if packed is None:
        return None
    kind, value = packed[:1], packed[1:]
    if kind == _SHA256:
        return f"sha256:{value.hex()}"
    return f"sha1:{b32encode(value).decode()}" if kind == _SHA1 else value.decode()


def pack_url(url: str, key: str) -> str:
    """Return the mark of a URL's start if the SURT `key` says the rest, else the URL. One URL has one form."""
    rest = _unsurt(key)
    if url.endswith(rest):
        start = url[: len(url) - len(rest)]
        for mark, known in _STARTS.items():
            if start == known:
                return mark
    return url


def unpack_url(packed: str, key: str) -> str:
    start = _STARTS.get(packed)
    return packed if start is None else start + _unsurt(key)


def _unsurt(key: str) -> str:
    host, bracket, path = key.partition(")")
    return ".".join(reversed(host.split(","))) + path if bracket else key


def fitted(dialect: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return values, of a row or of a question, with their SURTs cut to what PostgreSQL's indexes take.

    Another database gets them as they are. What is cut ends in its digest. A URL whose SURT no longer says what it is,
    is whole; a range that begins with what is cut is that SURT alone.
    """
    long = [name for name in _KEYS if len(values.get(name) or "") > _LONGEST_KEY] if dialect == "postgresql" else ()
    if not long:
        return values
    made = {**values, **{name: _cut(values[name]) for name in long}}
    if "surt" in long and "url" in values:
        made["url"] = unpack_url(values["url"], values["surt"])
    for start in {"surt", "first"} & set(long):
        if values.get("end") is not None:
            # "!" is the first character that a key can hold.
            made["end"] = f"{made[start]}!"
    return made


def _cut(key: str) -> str:
    # "~" is the last character that a key can hold: what is cut stands behind what is not.
    return f"{key[: _LONGEST_KEY - 66]}~{sha256(key.encode()).hexdigest()}"


def capture_row(capture: Capture) -> dict[str, Any]:
    key = surt(capture.url)
    return {
        "surt": key,
        "timestamp": seconds(capture.timestamp),
        "offset": capture.offset,
        "length": capture.length,
        "status": capture.status,
        "mime": capture.mime,
        "url": pack_url(capture.url, key),
        "digest": pack_digest(capture.digest),
        "framed_digest": pack_digest(capture.framed_digest),
        "microseconds": capture.timestamp.microsecond or None,
        "wall": capture.wall,
        "insecure": capture.insecure,
        "noarchive": 1 if capture.noarchive else None,
        **_rights(capture.rights),
    }


def article_row(article: ArticleEntry, parts: tuple[str, ...]) -> dict[str, Any]:
    if article.part not in parts:
        raise ValueError(f"{article.part} is no text part of {article.filename}")
    return {
        "surt": surt(article.url),
        "url": article.url,
        "timestamp": seconds(article.timestamp),
        "site": article.site,
        "title": article.title,
        "published": article.published,
        "language": article.language,
        "words": article.words,
        "offset": article.offset,
        "part": parts.index(article.part),
        "part_offset": article.part_offset,
        "part_length": article.part_length,
        "digest": pack_digest(article.fingerprint.digest) if article.fingerprint else None,
        "sketch": bytes.fromhex(article.fingerprint.sketch) if article.fingerprint else None,
        "noarchive": 1 if article.noarchive else None,
        **_rights(article.rights),
        "confidence": article.confidence,
    }


def _rights(signals: tuple[Signal, ...]) -> dict[str, Any]:
    end = shown_until(signals)
    return {"rights": pack(signals) if signals else None, "shown_until": None if end is None else seconds(end)}


def capture_of(row: Row) -> Capture:
    key, timestamp, _, offset, length, status, mime, url, digest, framed_digest, micros, *marks, filename = row
    wall, insecure, noarchive, rights = marks
    return Capture(
        unpack_url(url, key),
        _EPOCH + timedelta(seconds=timestamp, microseconds=micros or 0),
        status,
        mime,
        unpack_digest(digest),
        filename,
        offset,
        length,
        unpack_digest(framed_digest),
        wall,
        insecure,
        bool(noarchive),
        unpack(rights),
    )


def article_of(row: Row) -> ArticleEntry:
    number, url, timestamp, site, title, published, language, words, filename, offset, parts, part, *rest = row
    at, length, digest, sketch, noarchive, confidence, rights = rest
    return ArticleEntry(
        url=url,
        timestamp=_EPOCH + timedelta(seconds=timestamp),
        site=site,
        title=title,
        published=published,
        language=language,
        words=words,
        filename=filename,
        offset=offset,
        part=json.loads(parts)[part],
        part_offset=at,
        part_length=length,
        fingerprint=fingerprint_of(digest, sketch),
        noarchive=bool(noarchive),
        confidence=confidence,
        rights=unpack(rights),
        id=number,
    )


def fingerprint_of(digest: bytes | None, sketch: bytes | None) -> Fingerprint | None:
    known = unpack_digest(digest)
    return None if known is None else Fingerprint(known, (sketch or b"").hex())


def warc_of(row: Row) -> WarcEntry:
    filename, size, sha256, parts, captures, articles = row
    return WarcEntry(filename, size, sha256, tuple(json.loads(parts)), captures, articles)

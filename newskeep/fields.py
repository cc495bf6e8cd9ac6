"""Captures, articles and versions as JSON: the fields that the command line and the API have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.rights.signal import to_json
from storage.urls import timestamp14

if TYPE_CHECKING:
    from datetime import datetime

    from storage.annotations import Annotation
    from storage.archive import Archive
    from storage.index import ArticleEntry
    from storage.model import Capture
    from storage.versions import Piece, Removal, Version


def of_capture(capture: Capture) -> dict[str, Any]:
    return {
        "url": capture.url,
        "timestamp": timestamp14(capture.timestamp),
        "status": capture.status,
        "mime": capture.mime,
        "wall": capture.wall,
        "digest": capture.digest,
        "filename": capture.filename,
        "offset": capture.offset,
        "length": capture.length,
        "insecure": capture.insecure,
        "noarchive": capture.noarchive,
        "rights": to_json(capture.rights),
    }


def of_article(entry: ArticleEntry) -> dict[str, Any]:
    return {
        "url": entry.url,
        "timestamp": timestamp14(entry.timestamp),
        "site": entry.site,
        "title": entry.title,
        "published": entry.published,
        "language": entry.language,
        "words": entry.words,
        "noarchive": entry.noarchive,
        "rights": to_json(entry.rights),
        "confidence": entry.confidence,
    }


def of_annotations(archive: Archive, url: str, timestamp: datetime) -> dict[str, Any]:
    """The tags and notes of what was captured of a URL at a second; empty where it has none."""
    tags = archive.index.tags_of(url, timestamp)
    notes = [of_note(note) for note in archive.index.notes(url, timestamp)]
    return {**({"tags": list(tags)} if tags else {}), **({"notes": notes} if notes else {})}


def of_note(note: Annotation) -> dict[str, Any]:
    return {"text": note.text, "by": note.by, "moment": note.moment.isoformat(timespec="seconds")}


def of_version(version: Version) -> dict[str, Any]:
    """Without its removals, see `of_removal`."""
    return {
        "url": version.entry.url,
        "timestamp": timestamp14(version.entry.timestamp),
        "last": timestamp14(version.last),
        "captures": version.captures,
        "title": version.article.title,
        "words": version.article.words,
    }


def of_changes(before: Version, version: Version) -> dict[str, Any]:
    """What is another in a version than in the one before, title and text, word by word."""
    from storage.versions import changed_text, changed_title

    text = changed_text(before.article, version.article)
    return {
        "title": _pairs(changed_title(before.article, version.article)),
        "text": [{"same_before": passage.skipped, "pieces": _pairs(passage.pieces)} for passage in text],
    }


def _pairs(pieces: tuple[Piece, ...]) -> list[dict[str, str]]:
    return [{piece.of: piece.text} for piece in pieces]


def of_removal(removal: Removal) -> dict[str, Any]:
    return {
        "timestamp": timestamp14(removal.timestamp),
        "status": removal.status,
        "until": timestamp14(removal.until) if removal.until else None,
    }

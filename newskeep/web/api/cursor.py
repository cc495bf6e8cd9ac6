"""A place in the list of articles, as a few characters."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage.errors import UsageError
from storage.index import ArticleEntry

_SURE = re.compile(r"(\d\.\d{1,20}(?:e-\d{1,3})?|\de-\d{1,3})_(.+)", re.ASCII)
_CURSOR = re.compile(r"(-?\d{1,11})\.(\d{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def article_cursor(entry: ArticleEntry) -> str:
    """Return what names the place behind an entry of this index."""
    return f"{(entry.timestamp - _EPOCH) // timedelta(seconds=1)}.{entry.id or 0}"


def parse_article_cursor(text: str) -> ArticleEntry:
    """Return an entry that stands for a place; nothing but the place is true of it. Raises `UsageError`."""
    match = _CURSOR.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        moment = _EPOCH + timedelta(seconds=int(match[1]))
    except (ValueError, OverflowError):
        raise UsageError("after is not one that was given out here") from None
    return ArticleEntry("", moment, "", None, None, None, 0, "", 0, "", 0, 0, id=int(match[2]))


def doubt_cursor(entry: ArticleEntry) -> str:
    """The same in the list of doubtful articles."""
    return f"{entry.confidence or 0.0!r}_{article_cursor(entry)}"


def parse_doubt_cursor(text: str) -> ArticleEntry:
    """Return an entry that stands for a place, as `parse_article_cursor` does. Raises `UsageError`."""
    match = _SURE.fullmatch(text)
    if match is None:
        raise UsageError("after is not one that was given out here")
    return replace(parse_article_cursor(match[2]), confidence=float(match[1]))

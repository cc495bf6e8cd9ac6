"""What happened in the archive since the last look: WARCs that are new in the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from newskeep.alerts.event import Event, EventKind
from newskeep.alerts.matching import Found, told_of
from storage import cdxj
from storage.errors import Corrupt, NotArchived, ObjectMissing
from storage.rights.signal import is_closed
from storage.urls import site_of, timestamp14
from storage.versions import GONE, is_edited
from storage.warc import key_of, make_stem

if TYPE_CHECKING:
    from newskeep.alerts.alert import Alert
    from newskeep.alerts.outbox import Outbox
    from storage.archive import Archive
    from storage.index import ArticleEntry
    from storage.model import Article, Capture

#: How far back captures are looked at: what a store that was away let wait comes late.
WINDOW = timedelta(days=30)
_SUMMARY_CHARS = 300


def oldest_name(at: datetime) -> str:
    """The name behind which the WARCs are that are looked at."""
    return make_stem(at - WINDOW, "", 0)


def look(archive: Archive, outbox: Outbox, alerts: Mapping[str, Alert], at: datetime) -> None:
    """Look at the WARCs that came into the index since the last look, and enter what is to be told.

    Raises `StoreUnavailable`; what was looked at until then stays so.
    """
    begun = outbox.begun()
    since = max(min(begun.values(), default=at), at - WINDOW)
    outbox.forget(oldest_name(at), at - WINDOW)
    known = outbox.known_warcs()
    for warc in archive.index.warcs(oldest_name(at)):
        if warc.filename in known:
            continue
        found = _found(archive, outbox, warc.filename, since, any("removed" in each.on for each in alerts.values()))
        told = (
            (name, channel, event)
            for name, alert in alerts.items()
            for each in found.values()
            if each is not None and each.at >= begun[name] and (event := told_of(archive, alert, each))
            for channel in alert.channels
        )
        outbox.looked_at(warc.filename, found, told)


def _found(
    archive: Archive, outbox: Outbox, filename: str, since: datetime, removals: bool
) -> dict[tuple[str, datetime], Found | None]:
    """Captures of a WARC that were not looked at before, by URL and second, and what happened with each."""
    entries = {
        (each.url, each.timestamp): each
        for each in archive.index.articles_of(filename)
        if each.timestamp >= since and each.fingerprint is not None
    }
    gone = {
        (each.url, each.timestamp.replace(microsecond=0)): each
        for each in (_gone(archive, filename) if removals else ())
        if each.timestamp >= since
    }
    unseen = sorted(outbox.unseen([*entries, *gone]), key=lambda place: place[::-1])
    return {
        place: _article_event(archive, entries[place]) if place in entries else _removal(archive, gone[place])
        for place in unseen
    }


def _gone(archive: Archive, filename: str) -> Iterator[Capture]:
    """Yield the captures of a WARC that say that a page is not there any more."""
    key = key_of(filename, "cdxj")
    try:
        with archive.store.open(key) as stream:
            yield from (each for each in cdxj.read_file(stream, key) if each.status in GONE and not each.wall)
    except (ObjectMissing, Corrupt):
        # Moved by a compaction just now, which brings it again, or damaged, which `verify` tells.
        return


def _article_event(archive: Archive, entry: ArticleEntry) -> Found | None:
    """What a capture with text brought: an article that is new, or one that a reader would find changed."""
    versions = list(archive.index.versions(entry.url))
    places = [number for number, each in enumerate(versions) if each.timestamp == entry.timestamp]
    article = _read(archive, entry)
    if not places or article is None:
        return None
    if places[0] == 0:
        return Found(_event("new", entry, article), entry.timestamp, entry)
    before = versions[places[0] - 1]
    old = _read(archive, before)
    if old is None or not is_edited(old, article):
        return None
    return Found(
        _event("changed", entry, article, before=timestamp14(before.timestamp)), entry.timestamp, entry, before
    )


def _removal(archive: Archive, capture: Capture) -> Found | None:
    """The first capture that says that an article is gone, with the article as it was."""
    if archive.index.article(capture.url, capture.timestamp) is None:
        return None
    try:
        versions = archive.versions(capture.url)
    except (NotArchived, ObjectMissing, Corrupt):
        return None
    second = capture.timestamp.replace(microsecond=0)
    for version in versions:
        if any(removal.timestamp.replace(microsecond=0) == second for removal in version.removals):
            event = _event("removed", version.entry, version.article, before=timestamp14(version.last))
            event = replace(event, timestamp=timestamp14(capture.timestamp), status=capture.status)
            return Found(event, capture.timestamp, version.entry)
    return None


def _event(kind: EventKind, entry: ArticleEntry, article: Article, before: str | None = None) -> Event:
    summary = None if is_closed(entry, datetime.now(UTC)) else " ".join((article.description or article.text).split())
    return Event(
        kind,
        site_of(entry.url),
        timestamp14(entry.timestamp),
        url=entry.url,
        title=entry.title,
        authors=article.authors,
        published=entry.published,
        language=entry.language,
        words=entry.words,
        summary=summary if summary is None or len(summary) <= _SUMMARY_CHARS else f"{summary[:_SUMMARY_CHARS]}…",
        before=before,
    )


def _read(archive: Archive, entry: ArticleEntry) -> Article | None:
    try:
        return archive.read_article(entry)
    except (ObjectMissing, Corrupt, NotArchived):
        # One that cannot be read must not keep the others back; `verify` tells of it.
        return None

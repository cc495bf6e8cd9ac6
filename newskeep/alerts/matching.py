"""Whether an alert wants to be told of what happened with an article."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from newskeep.alerts.event import Event
from storage.errors import NewskeepError
from storage.index import Filters

if TYPE_CHECKING:
    from newskeep.alerts.alert import Alert
    from storage.archive import Archive
    from storage.index import ArticleEntry, Hit
    from storage.index.query_parser import SearchQuery


@dataclass(frozen=True, slots=True)
class Found:
    """What happened with an article, when, the article's row, and that of the version before."""

    event: Event
    at: datetime
    entry: ArticleEntry
    before: ArticleEntry | None = None


def told_of(archive: Archive, alert: Alert, found: Found) -> Event | None:
    """Return what an alert is told of an event, `None` for nothing.

    An article that has got the words with a change is new to who looks for them.
    """
    event = found.event
    is_change_of_words = event.kind == "changed" and "new" in alert.on and alert.wanted is not None
    if not alert.is_about(event.site) or not (event.kind in alert.on or is_change_of_words):
        return None
    if alert.wanted is None:
        return event if _passes(archive, alert, found.entry) else None
    hit = _hit(archive, alert, alert.wanted, found.entry)
    if hit is None:
        return None
    if event.kind not in alert.on and found.before and _hit(archive, alert, alert.wanted, found.before):
        return None
    # The passage with the words tells more than the beginning.
    return event if event.summary is None else replace(event, summary=hit.snippet)


def _hit(archive: Archive, alert: Alert, wanted: SearchQuery, entry: ArticleEntry) -> Hit | None:
    return archive.index.match(entry, wanted, Filters(language=alert.language, author=alert.author))


def _passes(archive: Archive, alert: Alert, entry: ArticleEntry) -> bool:
    """Whether an article is in the language and by the author, where these are asked for."""
    if alert.language is not None:
        tag, wanted = (entry.language or "").lower(), alert.language.lower()
        if tag != wanted and not tag.startswith(f"{wanted}-"):
            return False
    try:
        return alert.author is None or archive.is_by(entry, alert.author)
    except NewskeepError:
        return False

"""When articles came out: as their page says; where it gives no date, or an impossible one, when they were captured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from storage.index import ArticleEntry

#: A page may be a zone ahead of us, and its clock a little; what is later is no date of publication.
_AHEAD = timedelta(hours=26)
_DAY_LETTERS = len("2026-03-01")


@dataclass(frozen=True, slots=True)
class DatedEntry:
    """An article and when it came out."""

    entry: ArticleEntry
    #: In UTC. Of a day alone its last moment, or when the article was captured on it.
    moment: datetime
    #: Whether the page gives it, and not only the capture; and with a time of day.
    is_published: bool
    has_clock: bool = True

    @property
    def day(self) -> date:
        return self.moment.date()


def dated(entry: ArticleEntry) -> DatedEntry:
    """When an article came out. A time without a zone counts as UTC."""
    captured = entry.timestamp.astimezone(UTC)
    try:
        found = datetime.fromisoformat(entry.published or "")
        has_clock = len(entry.published or "") > _DAY_LETTERS
        if not has_clock:
            found = datetime.combine(found, time.max)
        moment = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return DatedEntry(entry, captured, is_published=False)
    if moment > captured + _AHEAD:
        return DatedEntry(entry, captured, is_published=False)
    if not has_clock and captured.date() == moment.date():
        moment = captured
    return DatedEntry(entry, moment, is_published=True, has_clock=has_clock)


def latest(entries: Iterable[ArticleEntry]) -> list[DatedEntry]:
    """Each address once, as it was captured last, the latest published first; of one moment, the latest captured.

    `entries` are the newest captured first.
    """
    of_address: dict[str, ArticleEntry] = {}
    for entry in entries:
        of_address.setdefault(entry.url, entry)
    return sorted(map(dated, of_address.values()), key=lambda each: (each.moment, each.entry.timestamp), reverse=True)


def by_day(entries: Iterable[DatedEntry]) -> list[tuple[date, list[DatedEntry]]]:
    """Articles under the day on which they came out, in UTC."""
    return [(day, list(same)) for day, same in groupby(entries, key=lambda each: each.day)]

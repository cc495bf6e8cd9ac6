"""The mementos of a URL, in order of time, and which of them stand beside one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.archive import Archive
from storage.index.index import Index
from storage.model import Capture

_BEGIN, _END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The first and the last memento of a URL, and those before and behind one of them."""

    first: Capture
    last: Capture
    before: Capture | None
    after: Capture | None


def nearest(archive: Archive, url: str, at: datetime | None) -> Capture:
    """Return the memento nearest to `at`, the earlier one on a tie; without, the last. Raises `NotArchived`.

    What came in place of the page is passed over, as `Archive.find` does.
    """
    return archive.find(url, at or _END)


def neighbours(index: Index, capture: Capture) -> Neighbours:
    """Return what stands around a capture among those of exactly its URL.

    A time has whole seconds here: of two captures in one second, one is a memento.
    """
    url, second = capture.url, capture.timestamp.replace(microsecond=0)

    def of_url(other: Capture) -> bool:
        return other.url == url

    first = index.closest(url, _BEGIN, accept=of_url) or capture
    last = index.closest(url, _END, accept=of_url) or capture
    before = after = None
    # Asked only where there is one, so that the search ends there.
    if first.timestamp < second:
        before = index.closest(url, second - _SECOND, accept=lambda other: of_url(other) and other.timestamp < second)
    if last.timestamp >= second + _SECOND:
        after = index.closest(
            url, second + _SECOND, accept=lambda other: of_url(other) and other.timestamp >= second + _SECOND
        )
    return Neighbours(first, last, before, after)


def mementos(archive: Archive, url: str, since: datetime | None = None) -> Iterator[Capture]:
    """Yield the mementos of a URL in order of time, one a second.

    Those of exactly this URL if there is one, otherwise those of the URL nearest to it with the same SURT. Raises
    `NotArchived` where there is none at all.
    """
    held = archive.find(url, _END).url
    seen: datetime | None = None
    for capture in archive.index.captures(held, since=since):
        second = capture.timestamp.replace(microsecond=0)
        if capture.url == held and second != seen:
            seen = second
            yield capture

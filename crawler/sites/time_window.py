"""The time that a back-fill wants, and whether an article is of it, as far as is known before it is fetched. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Self

from crawler.discovery import Link, Span, dates_in_address

if TYPE_CHECKING:
    from crawler.frontier.address_state import AddressState
    from crawler.frontier.frontier import Rank

#: What a date without a time or a zone may be off by.
_SLACK = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_EVER = Span(datetime.min.replace(tzinfo=UTC) + 2 * _SLACK, datetime.max.replace(tzinfo=UTC) - 2 * _SLACK)


class Standing(IntEnum):
    """Whether an article is of the time wanted, as far as its dates tell; those that are asked first come first."""

    #: It was published then.
    INSIDE = 0
    #: In a month that reaches into it; changed then, or named by a list of that time.
    LIKELY = 1
    #: Beside it, by a date that may be off by a day.
    EDGE = 2
    #: No date, or one of a change after it.
    UNKNOWN = 3
    #: It was published at another time, or had last changed before.
    OUTSIDE = 4


@dataclass(frozen=True, slots=True)
class Dates:
    """What is told of an article before it is fetched; `exact`: `published` has a time and a zone."""

    url: str
    #: Address of the list that named it.
    named_by: str | None = None
    published: datetime | None = None
    exact: bool = False
    modified: datetime | None = None

    @classmethod
    def of_link(cls, link: Link, named_by: str) -> Self:
        if link.precision == "update":
            return cls(link.url, named_by, modified=link.modified or link.published)
        return cls(link.url, named_by, link.published, link.precision == "moment", link.modified)

    @classmethod
    def of_known(cls, known: AddressState) -> Self:
        return cls(known.url, known.source, known.published, modified=known.modified)


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to `until`, both in it; open where `None`, and false where both are."""

    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.since is not None or self.until is not None

    def standing(self, dates: Dates, now: datetime) -> Standing:
        """Judge an article by its dates. It is outside only where each date of publication is, or its change before."""
        claims = list(_claims(dates, now))
        if any(self._holds(span) for span, _ in claims):
            return Standing.INSIDE
        if any(self._meets(span) for span, _ in claims):
            return Standing.LIKELY
        if claims:
            return Standing.EDGE if any(self._meets(span, slack) for span, slack in claims) else Standing.OUTSIDE
        told = self._by_change(dates.modified)
        return self._by_list(dates.named_by, now) if told is None else told

    def _by_change(self, modified: datetime | None) -> Standing | None:
        """What a date of change tells; `None`, nothing, of a later one: it may have been published in the window."""
        if modified is None or (self.until is not None and modified > self.until):
            return None
        if self.since is None or modified >= self.since:
            return Standing.LIKELY
        return Standing.EDGE if _end(modified) + _SLACK > self.since else Standing.OUTSIDE

    def _by_list(self, address: str | None, now: datetime) -> Standing:
        spans = dates_in_address(address, now) if address else ()
        return Standing.LIKELY if any(self._meets(span) for span in spans) else Standing.UNKNOWN

    def rank(self, known: AddressState, now: datetime) -> Rank | None:
        """The place of a waiting article among others, the least first; `None` for one that is outside.

        What was never fetched goes before what is held; those that are surely of the time before others; then the
        newest. Of those that changed after the window the ones that changed first are likeliest to be of it.
        """
        dates = Dates.of_known(known)
        standing = self.standing(dates, now)
        if standing is Standing.OUTSIDE:
            return None
        if standing is Standing.UNKNOWN:
            date, sign = dates.modified, 1
        else:
            date, sign = next((span.start for span, _ in _claims(dates, now)), dates.modified), -1
        return known.state != "waiting", standing, date is None, sign * date.timestamp() if date else 0.0

    def _holds(self, span: Span) -> bool:
        last = max(span.start, span.end - _SECOND)
        return (self.since is None or span.start >= self.since) and (self.until is None or last <= self.until)

    def _meets(self, span: Span, slack: timedelta = timedelta()) -> bool:
        since, until = self.since or _EVER.start, self.until or _EVER.end
        return span.end + slack > since and span.start - slack <= until


def _end(told: datetime) -> datetime:
    """The end of what a date without a zone means: of a midnight, which stands for a day, the next one."""
    return told + timedelta(days=1) if told.time() == time.min else told


def _claims(dates: Dates, now: datetime) -> Iterator[tuple[Span, timedelta]]:
    """When an article may have been published, the surest first, each with what it may be off by."""
    published = dates.published
    if published is not None:
        yield Span(published, published if dates.exact else _end(published)), timedelta() if dates.exact else _SLACK
    for span in dates_in_address(dates.url, now):
        # One that says the same less exactly says nothing more.
        if published is None or not span.start - _SLACK <= published <= span.end + _SLACK:
            yield span, _SLACK

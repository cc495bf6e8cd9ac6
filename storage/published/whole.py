"""The index as one: the database, and the published months that it has let go.

A capture may be in both, since the database gets it back whenever its WARC is entered anew; it is told once. One that
is published under the name of a WARC that a compaction has taken up is told as the database has it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import chain, dropwhile, groupby, islice
from typing import Self, TypeVar

from storage.annotations import Collection as TagCollection
from storage.cdxj import in_seconds
from storage.errors import StoreUnavailable
from storage.index import queries, releasing
from storage.index.annotation_lookup import TagCount
from storage.index.capture_lookup import Accept
from storage.index.index import Index
from storage.index.queries import BATCH
from storage.index.rows import Row, capture_of, pack_url, seconds
from storage.model import Capture
from storage.published.hidden import Hidden
from storage.published.month import Month
from storage.published.months import PublishedMonths
from storage.published.not_whole import NotWhole
from storage.published.released import Released
from storage.published.search import WholeSearch
from storage.urls import equivalent_form, surt

T = TypeVar("T")
#: Where a capture stands: SURT, second, number of its WARC in the database (-1 for none), offset.
Place = tuple[str, int, int, int]
_END = "\x7f"
_LARGER = 10


class WholeIndex(WholeSearch, Index):
    """See the module. Where no month was let go, it is the database alone, and asks nothing of the store."""

    #: The months that were let go when this was last asked.
    _known: list[Released]

    @classmethod
    def over(cls, index: Index, months: PublishedMonths) -> Self:
        """Return `index` with the months that it has let go; it is closed with this one."""
        made = cls(index._database, sees_hidden=index._sees_hidden)
        made._months = months
        made._known = []
        return made

    def close(self) -> None:
        super().close()
        self._months.close()

    @property
    def with_hidden(self) -> WholeIndex:
        return WholeIndex.over(super().with_hidden, self._months)

    # Months let go

    def _answer(self, ask: Callable[[list[Released]], T]) -> T:
        """Return what `ask` answers where these months were let go.

        They are looked at behind it: a month is entered before its first row leaves, so that of a month that is not
        there then, no row had left before.
        """
        released = self._known
        while True:
            found = ask(released)
            now = self.released()
            if now == released:
                return found
            self._known = released = now

    def in_database(self) -> Index:
        """The database alone."""
        return Index(self._database, sees_hidden=self._sees_hidden)

    # What is published, released or not

    def published(self, month: Month, generation: int, first: str, end: str) -> Iterator[Capture]:
        """Yield all that is published of a range of SURTs, also what is hidden, in order of SURT and second."""
        sides = (self._months.captures(month, generation, first, end, withheld=side) for side in (False, True))
        yield from heapq.merge(*sides, key=_moment)

    def shown_lines(self, month: Month, generation: int, first: str = "", end: str = _END) -> Iterator[bytes]:
        """Yield the lines of a range of SURTs that everybody may read who reads the files, in their order."""
        yield from self._months.open(month, generation).shown.lines(first.encode(), end.encode())

    def withheld_lines(self, month: Month, generation: int) -> Iterator[bytes]:
        """Yield the lines of what was hidden when a month was published, in their order."""
        yield from self._months.open(month, generation).withheld.lines()

    def hidden_now(self) -> Hidden:
        return Hidden(self._fetch(releasing.HIDDEN_PLACES))

    # Lookups

    def _captures(
        self,
        cursor: Row,
        end: str,
        since: datetime | None,
        until: datetime | None,
        limit: int | None,
        tag: str | None = None,
    ) -> Iterator[Capture]:
        while True:
            # Of what was let go, more: each time the blocks of all months are begun anew.
            size = BATCH * _LARGER if self._known else BATCH
            most = size if limit is None else min(size, limit)

            def ask(released: list[Released], behind: Row = cursor, size: int = most) -> list[Capture]:
                return list(self._batch(released, behind, end, since, until, size, tag))

            some = self._answer(ask)
            yield from some
            limit = None if limit is None else limit - len(some)
            if len(some) < most or limit == 0:
                return
            cursor = self._place(some[-1])

    def _batch(
        self,
        released: list[Released],
        cursor: Row,
        end: str,
        since: datetime | None,
        until: datetime | None,
        limit: int,
        tag: str | None,
    ) -> Iterator[Capture]:
        """Yield the next captures behind a cursor, at most `limit`."""
        held = super()._captures(cursor, end, since, until, limit, tag)
        released = [each for each in released if each.may_have(since, until)]
        if not released:
            yield from held
            return
        ranges = [(cursor[0], end)] if tag is None else self._tagged(tag, cursor[0], end)
        published = (self._published(each, ranges, since, until, tag) for each in released)
        found = self._together(held, published)
        start, behind = tuple(cursor[:2]), tuple(cursor)

        def is_before(capture: Capture) -> bool:
            moment = _moment(capture)
            return moment < start or (moment == start and self._place(capture) <= behind)

        left = dropwhile(is_before, found)
        yield from islice(left, limit)

    def _together(self, held: Iterator[Capture], published: Iterable[Iterator[Capture]]) -> Iterator[Capture]:
        """Yield captures in order of their places, what is in both once; each comes in order of SURT and second."""
        sides = [((_moment(one), True, one) for one in held)]
        sides += [((_moment(one), False, one) for one in each) for each in published]
        merged = heapq.merge(*sides, key=lambda item: item[0])
        for _, same in groupby(merged, key=lambda item: item[0]):
            together = [(is_ours, capture) for _, is_ours, capture in same]
            ours = [capture for is_ours, capture in together if is_ours]
            theirs = [capture for is_ours, capture in together if not is_ours]
            if not theirs or not (ours or theirs[1:]):
                yield from ours or theirs
            else:
                yield from sorted([*ours, *self._others(theirs, ours)], key=self._place)

    def _others(self, published: Iterable[Capture], held: Collection[Capture]) -> Iterator[Capture]:
        """Yield what is published and not held, here or moved."""
        places = {(one.filename, one.offset) for one in held}
        for capture in published:
            if (capture.filename, capture.offset) in places:
                continue
            is_moved = self._number(capture.filename) < 0 and any(_is_moved(capture, one) for one in held)
            if not is_moved:
                yield capture

    def _published(
        self,
        released: Released,
        ranges: Iterable[tuple[str, str]],
        since: datetime | None,
        until: datetime | None,
        tag: str | None = None,
    ) -> Iterator[Capture]:
        low = None if since is None else seconds(since)
        high = None if until is None else seconds(until)
        for first, end in ranges:
            for capture in self._shown(released, first, end):
                second = seconds(capture.timestamp)
                inside = (low is None or second >= low) and (high is None or second <= high)
                if inside and (tag is None or tag in self.tags_of(capture.url, capture.timestamp)):
                    yield capture

    def _shown(self, released: Released, first: str, end: str) -> Iterator[Capture]:
        """Yield what is published in a range of SURTs, but for what is hidden now, in order of SURT and second."""
        hidden = self.hidden_now()
        found = self.published(released.month, released.generation, first, end)
        yield from (capture for capture in found if capture not in hidden)

    def _tagged(self, tag: str, first: str, end: str) -> list[tuple[str, str]]:
        """The ranges of SURTs within one in which something may have a tag; none meets another."""
        places = sorted((low, high or f"{low}!") for low, high in self._fetch(releasing.TAGGED_PLACES, tag=tag))
        found: list[tuple[str, str]] = []
        for low, high in ((max(low, first), min(high, end)) for low, high in places):
            if low >= high:
                continue
            if found and low <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], high)
            else:
                found.append((low, high))
        return found

    def closest(self, url: str, at: datetime, *, accept: Accept | None = None) -> Capture | None:
        def ask(released: list[Released]) -> Capture | None:
            if not released:
                return super(WholeIndex, self).closest(url, at, accept=accept)
            return self._closest(released, url, at, accept)

        return self._answer(ask)

    def _closest(self, released: list[Released], url: str, at: datetime, accept: Accept | None) -> Capture | None:
        key, form = surt(url), equivalent_form(url)
        passes: list[Callable[[str], bool]] = [lambda other: other == url]
        if "%" in url:
            passes.append(lambda other: equivalent_form(other) == form)
        passes.append(lambda other: True)
        found = list[Capture]()
        outward = self._outward(released, key, seconds(at))
        for is_meant in passes:
            # What the first pass went through need not be asked for again.
            for capture in chain(found, _noting(outward, found)):
                if is_meant(capture.url) and (accept is None or accept(capture)):
                    return capture
        return None

    def _outward(self, released: list[Released], key: str, time: int) -> Iterator[Capture]:
        """Yield the captures of a SURT by their distance in time, the earlier one first on a tie."""

        def distance(capture: Capture) -> tuple[int, bool]:
            second = seconds(capture.timestamp)
            return abs(second - time), second > time

        held = map(capture_of, self._nearest(queries.ALIKE, key, time, ""))
        places = set[tuple[str, int]]()
        for ours, capture in heapq.merge(
            ((True, one) for one in held),
            ((False, one) for one in self._months_outward(released, key, time, distance)),
            key=lambda item: distance(item[1]),
        ):
            place = (capture.filename, capture.offset)
            if ours or (place not in places and self._is_alone(capture)):
                places.add(place)
                yield capture

    def _months_outward(
        self, released: list[Released], key: str, time: int, distance: Callable[[Capture], tuple[int, bool]]
    ) -> Iterator[Capture]:
        """Yield what is published of a SURT by its distance in time; a month is read when what is nearer is told."""
        waiting = list[Capture]()
        for each in sorted(released, key=lambda each: each.distance(time)):
            near = [one for one in waiting if distance(one)[0] < each.distance(time)]
            yield from near
            waiting = sorted([*waiting[len(near) :], *self._shown(each, key, f"{key}!")], key=distance)
        yield from waiting

    def _is_alone(self, capture: Capture) -> bool:
        """Whether what is published is not in the database too, here or moved."""
        (key, second), moment = _moment(capture), capture.timestamp
        held = list(super()._captures((key, second, -1, -1), f"{key}!", moment, moment, None))
        return next(self._others([capture], held), None) is not None

    def latest(self, url: str, *, accept: Accept | None = None) -> Capture | None:
        """As of the database; where the store is away, what that has alone: a crawl goes on, and keeps more."""

        def ask(released: list[Released]) -> Capture | None:
            with suppress(StoreUnavailable):
                found = self._backward(released, url)
                return next((one for one in found if accept is None or accept(one)), None)
            return super(WholeIndex, self).latest(url, accept=accept)

        return self._answer(ask)

    def _backward(self, released: list[Released], url: str) -> Iterator[Capture]:
        """Yield the captures of exactly a URL, the newest first; a month is read when what is newer is told."""
        key = surt(url)
        rows = self._scan(queries.EXACT.before, key, (queries.LAST, -1, -1), pack_url(url, key), size=1)
        held = map(capture_of, rows)
        pending = next(held, None)
        for each in reversed(released):
            while pending is not None and pending.timestamp >= each.month.end:
                yield pending
                pending = next(held, None)
            ours = list[Capture]()
            while pending is not None and pending.timestamp >= each.month.start:
                ours.append(pending)
                pending = next(held, None)
            theirs = (one for one in self._shown(each, key, f"{key}!") if one.url == url)
            both = [*ours, *self._others(theirs, ours)]
            yield from sorted(both, key=lambda one: one.timestamp, reverse=True)
        if pending is not None:
            yield pending
        yield from held

    def find(self, url: str, timestamp: datetime, digest: str | None = None) -> Capture | None:
        def ask(released: list[Released]) -> Capture | None:
            found = super(WholeIndex, self).find(url, timestamp, digest)
            key = surt(url)
            months = (each for each in released if found is None and each.may_have(timestamp, timestamp))
            published = (self._published(each, [(key, f"{key}!")], timestamp, timestamp) for each in months)
            originals = (one for one in chain.from_iterable(published) if one.url == url and not one.is_revisit)
            return found or next((one for one in originals if digest in {None, one.digest}), None)

        return self._answer(ask)

    def revisits(self, digests: Collection[str]) -> Iterator[Capture]:
        wanted = set(digests)

        def ask(released: list[Released]) -> list[Capture]:
            held = list(super(WholeIndex, self).revisits(wanted))
            told = {(one.filename, one.offset) for one in held}
            published = chain.from_iterable(self._shown(each, "", _END) for each in released)
            others = (one for one in published if one.is_revisit and one.digest in wanted)
            return held + [one for one in others if (one.filename, one.offset) not in told and self._is_alone(one)]

        yield from self._answer(ask)

    def hidden_in(self, filename: str, end: int) -> list[Capture]:
        def ask(released: list[Released]) -> list[Capture]:
            held = super(WholeIndex, self).hidden_in(filename, end)
            places = {one.offset for one in held}
            return held + [one for one in self._hidden_in(released, filename, end) if one.offset not in places]

        return sorted(self._answer(ask), key=lambda one: one.offset)

    def _hidden_in(self, released: list[Released], filename: str, end: int) -> set[Capture]:
        """The captures of a WARC that are published, are hidden, and begin before a place in it."""
        if not released:
            return set()
        hidden, everything = self.hidden_now(), self.with_hidden
        return {
            capture
            for first, last in hidden.ranges()
            for each in released
            for capture in everything._shown(each, first, last)
            if capture.filename == filename and capture.offset < end and capture in hidden
        }

    def tag(self, tag: str, about: TagCollection | None = None) -> TagCount:
        counted = super().tag(tag, about)
        if not self.released():
            return counted
        captures, addresses, last = 0, 0, None
        for capture in self.all_captures(tag=tag):
            key = surt(capture.url)
            captures, addresses, last = captures + 1, addresses + (key != last), key
        return replace(counted, captures=captures, addresses=addresses)

    def _miscounted(self) -> Iterator[tuple[str, int, int]]:
        """As of the database, but for WARCs of which no more rows lack than are published of them."""
        released = self.released()
        for filename, expected, found in super()._miscounted():
            elsewhere = sum(self._count(each, filename) for each in released)
            if not 0 < expected - found <= elsewhere:
                yield filename, expected, found

    def _count(self, released: Released, filename: str) -> int:
        """How many captures of a WARC are published of a month."""
        with suppress(NotWhole):
            source = self._months.open(released.month, released.generation).manifest.sources.get(filename)
            return 0 if source is None else source.captures
        return 0

    # Places

    def _place(self, capture: Capture) -> Place:
        return (*_moment(capture), self._number(capture.filename), capture.offset)

    def _number(self, filename: str) -> int:
        """The number of a WARC in the database, -1 where it is not there."""
        rows = self._fetch(queries.WARC_ID, filename=filename)
        return int(rows[0][0]) if rows else -1


def _moment(capture: Capture) -> tuple[str, int]:
    return surt(capture.url), seconds(capture.timestamp)


def _is_moved(capture: Capture, now: Capture) -> bool:
    """Whether one is the other in another WARC."""
    return in_seconds(replace(now, filename=capture.filename, offset=capture.offset)) == in_seconds(capture)


def _noting(captures: Iterator[Capture], told: list[Capture]) -> Iterator[Capture]:
    for capture in captures:
        told.append(capture)
        yield capture

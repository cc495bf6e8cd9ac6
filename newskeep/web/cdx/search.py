"""Captures for a CDX query: looked up in the index, filtered, collapsed, and cut, with bounds on the work."""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from newskeep.web.cdx.fields import CdxLine, value
from newskeep.web.cdx.query import CdxQuery
from newskeep.web.errors import Busy
from storage.index.index import Index
from storage.model import Capture

#: Captures that one question may go through.
SCAN_MAX = 2_000_000
#: Originals that are remembered to explain the revisits of a URL.
_ORIGINALS_MAX = 10_000
#: How far back the last captures of a URL are looked for, ever farther, before all of them are gone through.
_BACK = (timedelta(days=1), timedelta(days=10), timedelta(days=100))


class Search:
    """One question to the index. `resume` is known when `lines` has ended."""

    def __init__(self, index: Index, query: CdxQuery, after: Capture | None = None) -> None:
        self._index = index
        self._query = query
        self._after = after or query.resume
        self._scanned = 0
        self._collapsed: tuple[str | None, ...] | None = None
        self._originals: OrderedDict[str, Capture] = OrderedDict()
        self._original_url = ""
        #: The capture behind which there may be more.
        self.resume: Capture | None = None

    def lines(self) -> Iterator[CdxLine]:
        """Yield the lines of the answer. Raises `Busy` when too many captures would have to be gone through."""
        query = self._query
        if query.closest is not None:
            return iter(self._closest(query.closest))
        if query.last:
            return iter(self._last())
        return self._forward()

    def _forward(self) -> Iterator[CdxLine]:
        left, skip = self._query.limit, self._query.offset
        before: Capture | None = self._after
        try:
            for line in self._kept(self._captures(self._query.since)):
                if skip:
                    skip -= 1
                elif left:
                    left -= 1
                    yield line
                else:
                    self.resume = before
                    return
                before = line.capture
        except _Enough as enough:
            if not self._query.show_resume_key:
                raise Busy(str(enough)) from None
            self.resume = enough.at

    def _last(self) -> list[CdxLine]:
        query = self._query
        found: deque[CdxLine] = deque()
        for since in self._beginnings():
            self._collapsed = None
            found = deque(maxlen=query.limit + query.offset)
            try:
                found.extend(self._kept(self._captures(since)))
            except _Enough as enough:
                raise Busy(str(enough)) from None
            if len(found) == found.maxlen:
                break
        newest = list(islice(reversed(found), query.offset, None))
        return newest if query.reverse else newest[::-1]

    def _beginnings(self) -> Iterator[datetime | None]:
        """Times to begin at: of one URL the last captures are wanted, and few of many may do."""
        query = self._query
        if query.match == "exact" and query.limit <= 1_000:
            end = min(query.until or datetime.now(UTC), datetime.now(UTC))
            for back in _BACK:
                if query.since is None or end - back > query.since:
                    yield end - back
        yield query.since

    def _closest(self, at: datetime) -> list[CdxLine]:
        query = self._query

        def distance(line: CdxLine) -> tuple[timedelta, datetime]:
            return abs(line.capture.timestamp - at), line.capture.timestamp

        try:
            lines = self._nearest(at) if query.match == "exact" else self._kept(self._captures(query.since))
            return heapq.nsmallest(query.limit + query.offset, lines, key=distance)[query.offset :]
        except _Enough as enough:
            raise Busy(str(enough)) from None

    def _nearest(self, at: datetime) -> list[CdxLine]:
        """The nearest of exactly this URL, and then of others with its SURT, as many as are wanted."""
        query, found = self._query, dict[tuple[str, int], CdxLine]()

        def take(capture: Capture) -> bool:
            self._count(capture)
            line = CdxLine(capture)
            inside = (query.since is None or capture.timestamp >= query.since) and (
                query.until is None or capture.timestamp < query.until + timedelta(seconds=1)
            )
            if inside and all(each.keeps(line) for each in query.filters):
                found[capture.filename, capture.offset] = line
            return len(found) >= query.limit + query.offset

        self._index.closest(query.url, at, accept=take)
        return list(found.values())

    # What is gone through

    def _captures(self, since: datetime | None) -> Iterator[Capture]:
        query = self._query
        limit = query.page_size if query.page is not None else None
        found = self._index.captures(
            query.url, match=query.match, since=since, until=query.until, after=self._after, limit=limit
        )
        for capture in found:
            self._count(capture)
            yield capture

    def _count(self, capture: Capture) -> None:
        self._scanned += 1
        if self._scanned > SCAN_MAX:
            raise _Enough(capture)

    def _kept(self, captures: Iterator[Capture]) -> Iterator[CdxLine]:
        for capture in captures:
            line = self._resolved(capture) if self._query.resolve_revisits else CdxLine(capture)
            if all(each.keeps(line) for each in self._query.filters) and self._is_new(line):
                yield line

    def _is_new(self, line: CdxLine) -> bool:
        """Whether a line differs from the one before it in what the query collapses by."""
        if not self._query.collapse:
            return True
        token = tuple((value(line, name) or "")[:size] for name, size in self._query.collapse)
        known, self._collapsed = self._collapsed, token
        return token != known

    def _resolved(self, capture: Capture) -> CdxLine:
        if capture.url != self._original_url:
            self._originals.clear()
            self._original_url = capture.url
        if capture.digest is None:
            return CdxLine(capture)
        if capture.is_revisit:
            return CdxLine(capture, self._originals.get(capture.digest))
        self._originals[capture.digest] = capture
        if len(self._originals) > _ORIGINALS_MAX:
            self._originals.popitem(last=False)
        return CdxLine(capture)


class _Enough(Exception):
    """Too many captures for one question."""

    def __init__(self, at: Capture) -> None:
        super().__init__(
            f"more than {SCAN_MAX:,} captures would have to be gone through; ask for less: a longer url, from and to, "
            "page, or showResumeKey"
        )
        self.at = at

"""Captures out of the index: by URL and time, nearest to a time, and a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import islice

from storage.index import queries
from storage.index.queries import BATCH, Lookup
from storage.index.rows import Row, capture_of, pack_digest, pack_url, seconds
from storage.model import Capture
from storage.urls import Match, equivalent_form, surt, surt_prefix

Accept = Callable[[Capture], bool]
# Digests looked for at a time; every database takes that many parameters.
_DIGESTS = 500


class CaptureLookup(Lookup):
    """See `storage.index.index.Index`, which is one."""

    def captures(
        self,
        url: str,
        *,
        match: Match = "exact",
        since: datetime | None = None,
        until: datetime | None = None,
        tag: str | None = None,
        limit: int | None = None,
        after: Capture | None = None,
    ) -> Iterator[Capture]:
        """Yield captures by SURT, then time; "exact" is all that share the URL's SURT. `since` and `until` included.

        `after` goes on behind the last capture of another page. Rows that a compaction moves meanwhile may come twice,
        and are never left out.
        """
        start, end = surt_prefix(url, match)
        low = queries.FIRST if since is None else seconds(since)
        cursor: Row = (start, low if match == "exact" else queries.FIRST, -1, -1)
        if after is not None:
            cursor = max(cursor, self._cursor(after))
        yield from self._captures(cursor, end, since, until, limit, tag)

    def all_captures(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        tag: str | None = None,
        limit: int | None = None,
        after: Capture | None = None,
    ) -> Iterator[Capture]:
        """Yield every capture, as `captures` does those of a URL."""
        cursor: Row = ("", queries.FIRST, -1, -1) if after is None else self._cursor(after)
        # Keys are ASCII.
        yield from self._captures(cursor, "\x7f", since, until, limit, tag)

    def between(self, first: str, end: str, *, until: datetime | None = None) -> Iterator[Capture]:
        """Yield the captures of a half-open range of SURTs, as `captures` does those of a URL."""
        yield from self._captures((first, queries.FIRST, -1, -1), end, None, until, None)

    def _captures(
        self,
        cursor: Row,
        end: str,
        since: datetime | None,
        until: datetime | None,
        limit: int | None,
        tag: str | None = None,
    ) -> Iterator[Capture]:
        query = queries.CAPTURES if tag is None else queries.TAGGED_CAPTURES
        low = queries.FIRST if since is None else seconds(since)
        high = queries.LAST if until is None else seconds(until)
        left = limit
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            where = dict(zip(("surt", "timestamp", "warc", "offset"), cursor, strict=True))
            rows = self._fetch(query, end=end, low=low, high=high, tag=tag, n=size, **where)
            yield from map(capture_of, rows)
            if len(rows) < size:
                return
            cursor = rows[-1][:4]
            left = None if left is None else left - size

    def _cursor(self, after: Capture) -> Row:
        warc = self._fetch(queries.WARC_ID, filename=after.filename)
        # Compacted away since: go through its second again.
        place = (warc[0][0], after.offset) if warc else (-1, -1)
        return surt(after.url), seconds(after.timestamp), *place

    def closest(self, url: str, at: datetime, *, accept: Accept | None = None) -> Capture | None:
        """Return the capture nearest to `at`, the earlier one on a tie (RFC 7089, 4.5.3), among those accepted.

        A capture of exactly this URL goes before a nearer one whose URL has other escapes for the same characters, and
        that before one that only shares its SURT. `url` is compared as it is: give it in the form of
        `storage.urls.normalize`.
        """
        key, time, form = surt(url), seconds(at), equivalent_form(url)
        for sides, is_meant in _passes(url, form):
            for row in self._nearest(sides, key, time, pack_url(url, key)):
                capture = capture_of(row)
                if (is_meant is None or is_meant(capture.url)) and (accept is None or accept(capture)):
                    return capture
        return None

    def latest(self, url: str, *, accept: Accept | None = None) -> Capture | None:
        """Return the newest capture of exactly this URL, original or revisit, among those accepted."""
        key = surt(url)
        for row in self._scan(queries.EXACT.before, key, (queries.LAST, -1, -1), pack_url(url, key), size=1):
            capture = capture_of(row)
            if accept is None or accept(capture):
                return capture
        return None

    def find(self, url: str, timestamp: datetime, digest: str | None = None) -> Capture | None:
        """Return the original, not a revisit, of exactly this URL, second and (if given) payload digest.

        For the WARC-Refers-To headers of a revisit record.
        """
        key = surt(url)
        rows = self._fetch(queries.AT, surt=key, timestamp=seconds(timestamp), url=pack_url(url, key))
        for capture in map(capture_of, rows):
            if not capture.is_revisit and digest in {None, capture.digest}:
                return capture
        return None

    def revisits(self, digests: Collection[str]) -> Iterator[Capture]:
        """Yield the revisits with one of these payload digests. Reads the whole table, once for some hundreds."""
        wanted = iter(digests)
        while some := [pack_digest(each) for each in islice(wanted, _DIGESTS)]:
            with self._reading() as connection:
                rows = connection.execute(queries.REVISITS, {"digests": some, "now": self._now()}).all()
            yield from (capture_of(tuple(row)) for row in rows)

    def _nearest(self, sides: queries.Sides, key: str, time: int, packed: str) -> Iterator[Row]:
        """Yield the rows of a SURT by their distance in time, the earlier one first on a tie."""
        # Behind all rows of the very second, which belong to the earlier side.
        cursor = {"timestamp": time + 1, "warc": -1, "offset": -1}
        rows = self._fetch(sides.around, surt=key, url=packed, **cursor)
        earlier = next((row for row in rows if row[1] <= time), None)
        later = next((row for row in rows if row[1] > time), None)
        backward = self._scan(sides.before, key, earlier[1:4], packed) if earlier else iter(())
        forward = self._scan(sides.after, key, later[1:4], packed) if later else iter(())
        while earlier or later:
            if earlier and (later is None or time - earlier[1] <= later[1] - time):
                yield earlier
                earlier = next(backward, None)
            elif later:
                yield later
                later = next(forward, None)

    def _scan(self, query: queries.CompiledQuery, key: str, cursor: Row, packed: str, size: int = 10) -> Iterator[Row]:
        """Yield rows of a SURT away from a cursor, few at first, as they mostly suffice."""
        while True:
            timestamp, warc, offset = cursor
            rows = self._fetch(query, surt=key, timestamp=timestamp, warc=warc, offset=offset, url=packed, n=size)
            yield from rows
            if len(rows) < size:
                return
            cursor = rows[-1][1:4]
            size = min(size * 10, BATCH)


def _passes(url: str, form: str) -> Iterator[tuple[queries.Sides, Callable[[str], bool] | None]]:
    """Where to look for a URL, the best first, and which URLs count there; `None`: all."""
    yield queries.EXACT, None
    if "%" in url:
        yield queries.ALIKE, lambda other: equivalent_form(other) == form
    yield queries.ALIKE, None

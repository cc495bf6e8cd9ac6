"""Pages of a CDX answer: where each begins, without counting from the start again for every one."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from threading import BoundedSemaphore, Lock
from typing import TypeVar

from newskeep.web.cdx.query import CdxQuery
from newskeep.web.cdx.search import SCAN_MAX
from newskeep.web.errors import Busy
from storage.index.index import Index
from storage.model import Capture

#: Beginnings that are remembered, of all questions.
_KEPT = 10_000

Key = tuple[object, ...]
T = TypeVar("T")


class Pages:
    """Remembers the capture before each page; threads may share one.

    What is added to the index meanwhile moves later pages by as much, and never loses a capture that was there.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._before: OrderedDict[Key, Capture] = OrderedDict()

    def before(self, index: Index, query: CdxQuery, page: int) -> Capture | None:
        """Return the capture before a page, `None` for the first. Raises LookupError if the page is behind the end."""
        near = next((each for each in range(page, 0, -1) if self._known(query, each)), 0)
        capture = self._known(query, near) if near else None
        for number in range(near + 1, page + 1):
            capture = self._next(index, query, capture)
            if capture is None:
                raise LookupError(page)
            self._keep(query, number, capture)
        if page and next(_captures(index, query, capture, 1), None) is None:
            raise LookupError(page)
        return capture

    def count(self, index: Index, query: CdxQuery) -> int:
        """Return how many captures there are on all pages, remembering where they begin."""
        total, page = 0, 0
        for capture in _scan(index, query):
            total += 1
            if total % query.page_size == 0:
                page += 1
                self._keep(query, page, capture)
        return total

    def _next(self, index: Index, query: CdxQuery, after: Capture | None) -> Capture | None:
        page = deque(enumerate(_captures(index, query, after, query.page_size), 1), maxlen=1)
        return page[0][1] if page and page[0][0] == query.page_size else None

    def _known(self, query: CdxQuery, page: int) -> Capture | None:
        with self._lock:
            return self._before.get(_key(query, page))

    def _keep(self, query: CdxQuery, page: int, capture: Capture) -> None:
        with self._lock:
            self._before[_key(query, page)] = capture
            if len(self._before) > _KEPT:
                self._before.popitem(last=False)


class Turns:
    """Lets so many questions go through many captures at once; all others find threads left."""

    def __init__(self, number: int) -> None:
        self._free = BoundedSemaphore(number)

    def take(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, in a turn that ends with them or with this iterator. Raises `Busy` when none is free."""
        if not self._free.acquire(blocking=False):
            raise Busy("too many large questions at once; ask again in a moment, or for one url")
        try:
            yield from items
        finally:
            self._free.release()


def _scan(index: Index, query: CdxQuery) -> Iterator[Capture]:
    for number, capture in enumerate(_captures(index, query)):
        if number >= SCAN_MAX:
            raise Busy(f"more than {SCAN_MAX:,} captures; ask for less, or go page by page until one is refused")
        yield capture


def _captures(
    index: Index, query: CdxQuery, after: Capture | None = None, limit: int | None = None
) -> Iterator[Capture]:
    return index.captures(query.url, match=query.match, since=query.since, until=query.until, after=after, limit=limit)


def _key(query: CdxQuery, page: int) -> Key:
    return query.url, query.match, query.since, query.until, query.page_size, page

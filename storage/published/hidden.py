"""What is hidden at a moment, to be asked of one capture after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from storage.index.rows import Row, seconds
from storage.model import Capture
from storage.urls import surt


class Hidden:
    """Made of the places that the index has: first SURT, end (`None`: it alone), first and last second."""

    def __init__(self, places: Iterable[Row]) -> None:
        self._one: dict[str, list[tuple[int, int]]] = {}
        self._ranges: list[tuple[str, str, int, int]] = []
        for first, end, low, high in places:
            if end is None:
                self._one.setdefault(first, []).append((low, high))
            else:
                self._ranges.append((first, end, low, high))

    def __contains__(self, capture: Capture) -> bool:
        return self.covers(surt(capture.url), seconds(capture.timestamp))

    def has_line(self, line: bytes) -> bool:
        """Whether the capture of a CDXJ line is hidden."""
        if not (self._one or self._ranges):
            return False
        key, digits, _ = line.split(b" ", 2)
        moment = datetime.strptime(digits.decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return self.covers(key.decode(), seconds(moment))

    def ranges(self) -> Iterator[tuple[str, str]]:
        """Yield the half-open ranges of SURTs in which something is hidden."""
        yield from ((first, f"{first}!") for first in self._one)
        yield from ((first, end) for first, end, _, _ in self._ranges)

    def covers(self, key: str, second: int) -> bool:
        """Whether what was captured of a SURT in a second is hidden."""
        return any(low <= second <= high for low, high in self._one.get(key, ())) or any(
            first <= key < end and low <= second <= high for first, end, low, high in self._ranges
        )

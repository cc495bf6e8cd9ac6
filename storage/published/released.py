"""The months that a database has let go: of their captures, and of the texts of their articles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.index import releasing
from storage.index.queries import Lookup
from storage.index.rows import seconds
from storage.published.month import Month


@dataclass(frozen=True, slots=True)
class Released:
    """A month that the database has let go, and the generation that it knows."""

    month: Month
    generation: int

    def may_have(self, since: datetime | None, until: datetime | None) -> bool:
        return (since is None or since < self.month.end) and (until is None or until >= self.month.start)

    def distance(self, moment: int) -> int:
        """Seconds from a moment to the nearest of the month."""
        return max(seconds(self.month.start) - moment, moment - (seconds(self.month.end) - 1), 0)


class ReleasedLookup(Lookup):
    """See `storage.published.whole.WholeIndex`, which is one."""

    def released(self) -> list[Released]:
        """Return the months whose captures the database has let go, in order."""
        return [Released(Month.parse(month), int(value)) for month, value in self._fetch(releasing.RELEASED)]

    def released_texts(self) -> list[Released]:
        """Return the months whose texts, and words, the database has let go, in order."""
        return [Released(Month.parse(month), int(value)) for month, value in self._fetch(releasing.RELEASED_TEXTS)]

    def texts_left(self) -> int:
        """Return how many texts have left the database: another number whenever some did."""
        rows = self._fetch(releasing.TEXTS_LEFT)
        return int(rows[0][0]) if rows else 0

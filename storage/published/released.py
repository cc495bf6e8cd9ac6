"""The months that a database has let go: of their captures, and of the texts of their articles; and how they leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from storage.database import transaction
from storage.index import queries, releasing
from storage.index.queries import BATCH, Lookup
from storage.index.rows import seconds
from storage.model import Capture
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


class HeldDocument(NamedTuple):
    """What can be searched of an article: id, second, SURT, digest in hex, and whether its text is in the database."""

    id: int
    second: int
    surt: str
    digest: str
    has_text: bool


class ReleasedMonths(Lookup):
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

    # Letting go

    def release(self, month: Month, generation: int) -> None:
        """Have a month read from what is published of it from now on, beside what the database has; durable."""
        with self._writing() as connection, transaction(connection, "BEGIN IMMEDIATE"):
            releasing.enter(connection, releasing.CAPTURES, str(month), generation)

    def release_texts(self, month: Month, generation: int) -> None:
        """The same of the texts of its articles, and of their words."""
        with self._writing() as connection, transaction(connection, "BEGIN IMMEDIATE"):
            releasing.enter(connection, releasing.TEXTS, str(month), generation)

    def let_go(self, found: Collection[Capture]) -> int:
        """Delete the rows of captures of a released month; return how many. What is not for others to see stays."""
        with self._writing() as connection, transaction(connection, "BEGIN IMMEDIATE"):
            return releasing.remove(connection, found)

    def let_texts_go(self, documents: Iterable[HeldDocument]) -> int:
        """Remove the texts and words of documents of such a month; return of how many they were there."""
        given = {each.id: bytes.fromhex(each.digest) for each in documents}
        with self._writing() as connection, transaction(connection, "BEGIN IMMEDIATE"):
            return releasing.remove_texts(connection, given)

    def documents(self, first: int, last: int) -> Iterator[HeldDocument]:
        """Yield what can be searched of articles from a second to a last one, in order of time."""
        cursor = (first, queries.LAST)
        while rows := self._fetch(releasing.DOCUMENTS, low=cursor[0], id=cursor[1], high=last, n=BATCH):
            yield from (HeldDocument(row[4], row[0], row[2], bytes(row[3]).hex(), bool(row[5])) for row in rows)
            cursor = rows[-1][0], rows[-1][1]

"""What source and target of a copy hold already, asked in the order of the WARCs' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from storage.compaction.plan import Compaction, counts, records
from storage.inventory import Holding, holdings
from storage.objects import ObjectStore
from storage.warc import day_of


class TargetHoldings:
    """The target's holdings, for names asked in order."""

    def __init__(self, store: ObjectStore) -> None:
        self._holdings = holdings(store)
        self._next = next(self._holdings, None)

    def find(self, filename: str) -> Holding:
        """Return what is there of a WARC; a holding without sizes where nothing is."""
        while self._next is not None and self._next.filename < filename:
            self._next = next(self._holdings, None)
        found = self._next
        return found if found is not None and found.filename == filename else Holding(filename)


@dataclass(frozen=True, slots=True)
class JoinedDay:
    """What both sides say of a day's compactions: target -> compaction; `there` only what is whole in the target."""

    day: date
    made: Mapping[str, Compaction]
    there: Mapping[str, Compaction]

    def has_joined(self, filename: str) -> bool:
        """Whether the target archive has all that is in a WARC in others, which were joined."""
        record = self.made.get(filename)
        wanted = {filename} if record is None else record.joined
        others = (record.joined for target, record in self.there.items() if target != filename)
        return wanted <= frozenset().union(*others)


class JoinedDays:
    """The days of names that are asked in order, each read once."""

    def __init__(self, source: ObjectStore, target: ObjectStore) -> None:
        self._source = source
        self._target = target
        self._day: JoinedDay | None = None

    def of(self, filename: str) -> JoinedDay:
        """Return the day of a WARC's name."""
        day = day_of(filename)
        if self._day is None or day != self._day.day:
            made = {record.target: record for record in records(self._source, day)}
            there = {record.target: record for record in records(self._target, day) if counts(self._target, record)}
            self._day = JoinedDay(day, made, there)
        return self._day

"""A month of captures, by UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from storage.errors import UsageError

_MONTH = re.compile(r"([12]\d{3})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the month of "2026-05". Raises `UsageError`."""
        found = _MONTH.fullmatch(text.strip())
        if found is None:
            raise UsageError(f"{text!r} is no month; write 2026-05")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> Self:
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The beginning of the next month."""
        return datetime(self.year + self.number // 12, self.number % 12 + 1, 1, tzinfo=UTC)

    @property
    def digits(self) -> bytes:
        """What the 14 digits of its times begin with."""
        return b"%04d%02d" % (self.year, self.number)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

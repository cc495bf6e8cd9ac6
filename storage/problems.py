"""What is found wrong by work that goes on: verify, reindex, copy, compact, export."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be: the object's key (or a path) and one line: what is wrong, what to do."""

    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what}"

"""What happened that somebody may want to be told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

#: "trouble" is a site that got into trouble, into another one, or out of it: its verdict says which.
EventKind = Literal["new", "changed", "removed", "trouble"]
KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as it is told and kept."""

    kind: EventKind
    #: Of an article its host without "www.", of trouble the site's name.
    site: str
    #: Of the capture, or of the look at the site's health: 14 digits in UTC.
    timestamp: str
    url: str | None = None
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    language: str | None = None
    words: int | None = None
    #: A line or two of its text; not of a page that says `noarchive`.
    summary: str | None = None
    #: Of a change, the capture of the version before; of a removal, the last one with its text: 14 digits.
    before: str | None = None
    #: Of a removal: 404 or 410.
    status: int | None = None
    #: Of trouble: the verdict, the one before if there was one, why, and what to do.
    verdict: str | None = None
    verdict_before: str | None = None
    why: str | None = None
    do: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Without what is not known."""
        return {name: value for name, value in asdict(self).items() if value not in (None, (), "")}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        return cls(**{**found, "authors": tuple(found.get("authors", ()))})

"""What a run over a site counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.model import OutcomeKind


@dataclass(slots=True)
class RunCounts:
    """The numbers of one run. Articles by outcome: `archived`, `unchanged`, `refused`, `failed`."""

    #: Articles that the sources named, and those of them that were not known.
    announced: int = 0
    new: int = 0
    #: Articles that were passed over because they are not of the time wanted, by what is told of them.
    outside: int = 0
    archived: int = 0
    unchanged: int = 0
    refused: int = 0
    failed: int = 0
    #: Of those refused: walls in place of pages.
    walled: int = 0
    #: Of those archived: pages without text, and others that are no articles; the words of all;
    #: articles without a publication date.
    no_text: int = 0
    not_article: int = 0
    words: int = 0
    undated: int = 0
    #: Pages that say `noarchive`, archived or unchanged.
    noarchive: int = 0
    #: Sources that were read, "not modified" apart; guessed sections where there is none.
    sources: int = 0
    not_section: int = 0
    #: Answers 304, of articles and of sources.
    not_modified: int = 0
    #: All that was sent, robots.txt and requisites included.
    requests: int = 0
    #: Pictures, styles and scripts, by outcome.
    requisites: Counter[str] = field(default_factory=Counter)
    #: Links that were left out, by reason.
    dropped: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: OutcomeKind) -> None:
        """Count an article's outcome."""
        match outcome:
            case "archived":
                self.archived += 1
            case "unchanged":
                self.unchanged += 1
            case "refused":
                self.refused += 1
            case "failed":
                self.failed += 1

    def named(self) -> Iterator[tuple[str, int]]:
        """Yield each number with its name; those by outcome as "requisites_archived", the links left out as a sum."""
        for name in _NAMES:
            yield name, getattr(self, name)
        for outcome, number in sorted(self.requisites.items()):
            yield f"requisites_{outcome.replace(' ', '_')}", number
        yield "dropped", sum(self.dropped.values())

    def to_json(self) -> dict[str, Any]:
        """What is not 0, for `of_json`."""
        numbers = {name: number for name in _NAMES if (number := getattr(self, name))}
        return numbers | {name: dict(by) for name in _GROUPS if (by := getattr(self, name))}

    @classmethod
    def of_json(cls, read: Mapping[str, Any]) -> RunCounts:
        """The counts that `to_json` wrote. What has no name here, as of another version's, is passed over."""
        counts = cls()
        for name in read.keys() & set(_NAMES):
            setattr(counts, name, int(read[name]))
        for name in read.keys() & set(_GROUPS):
            setattr(counts, name, Counter(read[name]))
        return counts


_GROUPS = ("requisites", "dropped")
_NAMES = tuple(each.name for each in fields(RunCounts) if each.name not in _GROUPS)

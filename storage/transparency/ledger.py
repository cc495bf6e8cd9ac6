"""What the logs of an archive together say that it holds: WARCs with their members, moved and purged ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from storage.transparency.leaves import Leaf, MovedLeaf, PurgedLeaf, RecordLeaf


@dataclass(slots=True)
class Ledger:
    """Leaves of all logs, by the WARC that they are about. The same leaf twice is one."""

    #: WARC -> its records as they were logged under its own name, by their offset.
    records: dict[str, dict[int, RecordLeaf]] = field(default_factory=dict)
    #: WARC -> those that its members come from, in order.
    sources: dict[str, list[str]] = field(default_factory=dict)
    #: WARC -> where its members went.
    moved: dict[str, list[str]] = field(default_factory=dict)
    #: WARC -> members of its sources that were left out of it, by the WARC in which they were logged and offset there.
    purged: dict[str, set[tuple[str, int]]] = field(default_factory=dict)

    def add(self, leaf: Leaf) -> str | None:
        """Take a leaf up; return what contradicts it, a line for a person."""
        match leaf:
            case RecordLeaf():
                held = self.records.setdefault(leaf.warc, {}).setdefault(leaf.offset, leaf)
                return None if held == leaf else f"two records are logged at {leaf.offset} in {leaf.warc}"
            case MovedLeaf():
                if leaf.warc not in (sources := self.sources.setdefault(leaf.target, [])):
                    sources.append(leaf.warc)
                    self.moved.setdefault(leaf.warc, []).append(leaf.target)
            case PurgedLeaf():
                self.purged.setdefault(leaf.target, set()).add((leaf.warc, leaf.offset))
        return None

    def knows(self, warc: str) -> bool:
        return warc in self.records or warc in self.sources

    def warcs(self) -> Iterator[str]:
        """Yield the WARCs that should be in the store: all but those that were moved."""
        yield from sorted((self.records.keys() | self.sources.keys()) - self.moved.keys())

    def members(self, warc: str, way: tuple[str, ...] = ()) -> list[RecordLeaf]:
        """The members that a WARC should have, in order of place, each as it was logged first."""
        logged = self.records.get(warc, {})
        own = [logged[offset] for offset in sorted(logged)]
        # Only a forger's log leads round in a circle.
        sources = self.sources.get(warc, ()) if warc not in way else ()
        gone = self.purged.get(warc, ())
        others = [
            member
            for source in sources
            for member in self.members(source, (*way, warc))
            if (member.warc, member.offset) not in gone
        ]
        return _merged(own, others) if others else own


def _merged(own: list[RecordLeaf], others: list[RecordLeaf]) -> list[RecordLeaf]:
    """Members that were logged where they lie, such as tombstones, among those that follow each other."""
    merged: list[RecordLeaf] = []
    at = first = 0
    for member in others:
        while first < len(own) and own[first].offset == at:
            merged.append(own[first])
            at += own[first].length
            first += 1
        merged.append(member)
        at += member.length
    return merged + own[first:]


def changes(ledger: Ledger, target: str, sources: Iterable[str], found: Iterable[RecordLeaf]) -> list[bytes]:
    """The leaves that say how a WARC came to be from others; `found` are its records as they are.

    A member that is none of the sources' is logged by itself: a tombstone, or what was never logged.
    """
    logged = [source for source in sources if ledger.knows(source)]
    lines = [MovedLeaf(source, target).line() for source in logged]
    waiting = [member for source in logged for member in ledger.members(source)]
    places: dict[str, list[int]] = {}
    for number, member in enumerate(waiting):
        places.setdefault(member.member, []).append(number)
    kept: set[int] = set()
    last = -1
    for leaf in found:
        place = next((each for each in places.get(leaf.member, ()) if each > last), None)
        if place is None:
            lines.append(leaf.line())
        else:
            kept.add(place)
            last = place
    gone = (member for number, member in enumerate(waiting) if number not in kept)
    return lines + [PurgedLeaf(each.warc, each.offset, each.member, target).line() for each in gone]

"""What a compaction writes down, so that nobody counts a capture twice while it runs or after it was killed.

    compacting/2026-11-21.json               the plan of the day's compaction under way; there is one at most
    compacted/2026/11/21/<stem>.json         which WARCs a joined one was made from, for good

Both hold the same fields. The rule for everybody who reads a store: as long as a plan is there, either its target
counts or its sources do, never both. The target counts once its WARC is there whole, which is put last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self

from storage.bounds import parse_json, read_whole
from storage.errors import Corrupt, ObjectMissing
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.warc import day_of, key_of, stem_of

#: What the keys of compactions that were done begin with.
_DONE = "compacted/"
OnProblem = Callable[[Problem], None]

_REMOVE = "if no later version of newskeep is at work here, remove it"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was put: its size in bytes and its SHA-256 in hex."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Compaction:
    """WARCs that were joined into one, all of one day."""

    target: str
    sources: tuple[str, ...]
    #: What the sources had been joined from themselves.
    earlier: tuple[str, ...]
    #: The target's text part, CDXJ and WARC, in the order in which they are put.
    objects: tuple[StoredObject, ...]
    #: Who does it: the id of a state folder.
    machine: str
    started: datetime

    @property
    def day(self) -> date:
        return day_of(self.target)

    @property
    def warc(self) -> StoredObject:
        return self.objects[-1]

    @property
    def plan_key(self) -> str:
        return plan_key(self.day)

    @property
    def record_key(self) -> str:
        return f"{_folder(self.day)}{stem_of(self.target)}.json"

    @property
    def joined(self) -> frozenset[str]:
        """Every WARC whose records the target holds."""
        return frozenset((*self.sources, *self.earlier))

    def to_json(self) -> bytes:
        fields = {**asdict(self), "started": self.started.isoformat(timespec="seconds")}
        return json.dumps(fields, indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes, key: str) -> Self:
        """Raises `Corrupt`."""
        try:
            fields: dict[str, Any] = parse_json(data)
            made = cls(
                target=str(fields["target"]),
                sources=tuple(map(str, fields["sources"])),
                earlier=tuple(map(str, fields["earlier"])),
                objects=tuple(StoredObject(**stored) for stored in fields["objects"]),
                machine=str(fields["machine"]),
                started=datetime.fromisoformat(fields["started"]),
            )
            keys = [stored.key for stored in made.objects]
            if keys != [key_of(made.target, kind) for kind in ("text", "cdxj", "warc")]:
                raise ValueError("the objects are not those of the target")
            if made.started.tzinfo is None:
                raise ValueError("no zone")
            if any(day_of(source) != made.day for source in made.sources):
                raise ValueError("the sources are not of one day")
        except (ValueError, KeyError, TypeError, Corrupt) as error:
            raise Corrupt(f"{key}: not a compaction as this version writes it ({error})") from error
        return made


def plan_key(day: date) -> str:
    return f"compacting/{day:%Y-%m-%d}.json"


def plans(store: ObjectStore, on_problem: OnProblem = lambda problem: None) -> Iterator[Compaction]:
    """Yield the plans of compactions that are under way or were killed.

    One that cannot be read is told and passed over: then both its target and its sources count, and captures are there
    twice, which is better than not at all.
    """
    yield from _readable(store, (info.key for info in store.list("compacting/")), on_problem)


def records(store: ObjectStore, day: date, on_problem: OnProblem = lambda problem: None) -> Iterator[Compaction]:
    """Yield the compactions of a day that were done, and that under way if its target counts.

    One that cannot be read is told and passed over: what it joined may come back beside what was made of it.
    """
    yield from _readable(store, (info.key for info in store.list(_folder(day))), on_problem)
    for plan in _readable(store, [plan_key(day)], on_problem):
        if counts(store, plan):
            yield plan


def all_records(store: ObjectStore) -> Iterator[Compaction]:
    """Yield every compaction that was done and can be read, in the order of their days."""
    yield from _readable(store, (info.key for info in store.list(_DONE)), lambda problem: None)


def _readable(store: ObjectStore, keys: Iterable[str], on_problem: OnProblem) -> Iterator[Compaction]:
    for key in keys:
        try:
            found = read(store, key)
        except Corrupt as error:
            on_problem(Problem(key, f"{str(error).removeprefix(key + ': ')}; {_REMOVE}"))
        else:
            if found is not None:
                yield found


def read(store: ObjectStore, key: str) -> Compaction | None:
    """Return the compaction written under a key, `None` when there is none. Raises `Corrupt`."""
    try:
        with store.open(key) as stream:
            return Compaction.from_json(read_whole(stream), key)
    except ObjectMissing:
        return None
    except Corrupt as error:
        raise error if str(error).startswith(key) else Corrupt(f"{key}: {error}") from error


def counts(store: ObjectStore, plan: Compaction) -> bool:
    """Whether a plan's target counts, and not its sources."""
    found = store.stat(plan.warc.key)
    return found is not None and found.size == plan.warc.size


def hidden(store: ObjectStore, on_problem: OnProblem = lambda problem: None) -> frozenset[str]:
    """Names of the WARCs that do not count now, though they may be in the store; see `plans`."""
    names: set[str] = set()
    for plan in plans(store, on_problem):
        names |= plan.joined if counts(store, plan) else {plan.target}
    return frozenset(names)


def joined_on(store: ObjectStore, day: date) -> frozenset[str]:
    """Names of a day's WARCs whose records are in a joined one by now: they must not come back; see `records`."""
    return frozenset().union(*(record.joined for record in records(store, day) if counts(store, record)))


def earlier(
    store: ObjectStore, day: date, taken: Collection[str], on_problem: OnProblem = lambda problem: None
) -> tuple[str, ...]:
    """Return what WARCs of a day were joined from that were joined before."""
    before = (record.joined for record in records(store, day, on_problem) if record.target in taken)
    return tuple(sorted(frozenset().union(*before)))


def _folder(day: date) -> str:
    return f"{_DONE}{day:%Y/%m/%d}/"

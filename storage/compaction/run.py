"""A day's small WARCs joined into large ones, with their CDXJs and text parts.

The way of one join; a kill between any two steps costs nothing but the work:

1. The sources are read, every record checked, and the large WARC, its CDXJ and its text are made in the state folder.
   The gzip members of the WARCs follow each other byte for byte.
2. The plan is put, `compacting/<day>.json`. It locks the day for all machines, and tells them which WARCs count.
3. The text, the CDXJ and the WARC are put, under a name never used before. With the WARC the target counts, and the
   sources do so no longer (storage/compaction/plan.py).
4. All three are read back and held against the plan's digests.
5. One transaction of the index takes the sources' rows out and the target's in.
6. The record, `compacted/…/<stem>.json`, says for good what was joined; the sources are removed, WARC first.
7. The plan is removed.

The next compaction takes up what a killed one left. A plan whose target is there whole goes on with step 5. Any other
is undone: what is there of the target is removed, then the plan; the sources were never touched. Another machine's plan
is left alone for a day, as it may be at work; one that stood still for longer finds its plan gone, and gives up.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from storage.archive import Archive
from storage.compaction.merge import WarcMerge
from storage.compaction.plan import Compaction, earlier, plan_key, read
from storage.compaction.recovery import bring, finish, machine_id, recover
from storage.compaction.release import release
from storage.errors import Corrupt, ObjectMissing
from storage.inventory import Holding, holdings
from storage.maintenance.reindex import bring_up_to_date
from storage.objects.retention import Released
from storage.problems import Problem
from storage.publishing.renew import renew_changed
from storage.warc import day_of, make_stem, time_of
from storage.workspace import workspace


@dataclass(frozen=True, slots=True)
class CompactOptions:
    #: `None`: every day.
    day: date | None = None
    #: Bytes; WARCs smaller than this are joined.
    min_size: int = 100_000_000
    #: Bytes that a joined WARC has at most.
    max_size: int = 1_000_000_000
    #: Captures that it has at most: they are sorted in memory.
    max_captures: int = 150_000
    #: WARCs begun later than this ago are left alone: the crawl may still be at work.
    min_age: timedelta = timedelta(hours=1)
    dry_run: bool = False


@dataclass(slots=True)
class CompactResult:
    """What was done."""

    #: Joined WARCs made and the number and bytes of those they were made from.
    made: int = 0
    sources: int = 0
    bytes: int = 0
    #: Compactions that were killed, by what became of them.
    finished: int = 0
    undone: int = 0
    #: What was taken out earlier and Object Lock kept: what of it is gone for good now, and what is not.
    released: Released = field(default_factory=Released)
    #: Published months that had changed, by this or by anything else, and were published again.
    published: int = 0
    #: What could not be joined, and why.
    left: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CompactGroup:
    """Small WARCs of one day that fit into one."""

    day: date
    holdings: tuple[Holding, ...]

    @property
    def size(self) -> int:
        return sum(holding.warc or 0 for holding in self.holdings)


def compact(
    archive: Archive,
    options: CompactOptions | None = None,
    *,
    on_group: Callable[[CompactGroup], None] = lambda group: None,
) -> CompactResult:
    """Join small WARCs; `on_group` is called before each join, or with `dry_run` instead of it.

    Raises `AlreadyRunning` when another compaction or reindex is at work here.
    """
    options = options or CompactOptions()
    done = CompactResult()
    with archive.upkeep(), workspace(archive.state / "compaction") as folder:
        compaction = _Compaction(archive, options, folder, done)
        if not options.dry_run:
            left = recover(archive)
            done.finished, done.undone = left.finished, left.undone
            done.left += left.left
        bring_up_to_date(archive, on_problem=done.left.append)
        for group in compaction.groups():
            on_group(group)
            if not options.dry_run:
                archive.mind_upkeep()
                compaction.join(group)
        if not options.dry_run:
            done.released = release(archive.store, done.left.append)
            done.published = renew_changed(archive, done.left.append)
    return done


class _Compaction:
    def __init__(self, archive: Archive, options: CompactOptions, folder: Path, done: CompactResult) -> None:
        self._archive = archive
        self._store = archive.store
        self._options = options
        self._folder = folder
        self._done = done
        self._machine = machine_id(archive.state)

    # What to join

    def groups(self) -> Iterator[CompactGroup]:
        """Yield what is to be joined, in order of time."""
        small: list[Holding] = []
        size = captures = 0
        for holding in holdings(self._store):
            entry = self._archive.index.warc(holding.filename) if self._is_small(holding) else None
            if entry is None or holding.warc is None:
                continue
            if small and (
                day_of(small[0].filename) != day_of(holding.filename)
                or size + holding.warc > self._options.max_size
                or captures + entry.captures > self._options.max_captures
            ):
                yield from self._group(small)
                small, size, captures = [], 0, 0
            small.append(holding)
            size, captures = size + holding.warc, captures + entry.captures
        yield from self._group(small)

    def _is_small(self, holding: Holding) -> bool:
        options = self._options
        return (
            holding.warc is not None
            and holding.warc < options.min_size
            and options.day in (None, day_of(holding.filename))
            and datetime.now(UTC) - time_of(holding.filename) >= options.min_age
        )

    def _group(self, small: list[Holding]) -> Iterator[CompactGroup]:
        if len(small) > 1:
            day = day_of(small[0].filename)
            # Another machine's plan, or one that cannot be read: recover() has said so.
            if not self._is_taken(day):
                yield CompactGroup(day, tuple(small))

    def _is_taken(self, day: date) -> bool:
        try:
            return read(self._store, plan_key(day)) is not None
        except Corrupt:
            return True

    # The join

    def join(self, group: CompactGroup) -> None:
        """Join a group; what cannot be read as it should be stays as it is and is told."""
        stem = make_stem(time_of(group.holdings[0].filename), secrets.token_hex(6), 0)
        with WarcMerge(self._folder, stem) as joining:
            taken = []
            for holding in group.holdings:
                try:
                    joining.take(self._store, holding)
                except ObjectMissing:
                    continue  # another machine was faster
                except Corrupt as error:
                    self._leave(holding.key(), f"not joined ({error}); see `newskeep verify --deep`")
                else:
                    taken.append(holding.filename)
            if len(taken) < 2:
                return
            plan = Compaction(
                target=joining.filename,
                sources=tuple(taken),
                earlier=earlier(self._store, group.day, taken, self._done.left.append),
                objects=joining.close(),
                machine=self._machine,
                started=datetime.now(UTC),
            )
            if bring(self._store, plan, joining.path, self._leave):
                finish(self._archive, plan)
                self._done.made += 1
                self._done.sources += len(taken)
                self._done.bytes += plan.warc.size

    def _leave(self, key: str, what: str) -> None:
        self._done.left.append(Problem(key, what))

"""The logs of an archive read and checked against themselves: leaves, heads, signatures, times, stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from storage.errors import Corrupt, ObjectMissing
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.transparency.checkpoint import Checkpoint, opened
from storage.transparency.leaves import parse
from storage.transparency.ledger import Ledger
from storage.transparency.merkle import GrowingTree
from storage.transparency.objects import (
    FOLDER,
    LogInfo,
    appends,
    head_key,
    heads,
    leaves_key,
    logs,
    read_head,
    read_info,
    read_leaves,
    read_stamp,
    stamps,
    witnesses,
)
from storage.transparency.stamps import stamped_at
from storage.transparency.writer import remembered

OnProblem = Callable[[Problem], None]
#: How far the clock of who signed may be from the authority's before that is told.
_CLOCKS_APART = timedelta(minutes=5)


def read_ledger(store: ObjectStore, on_problem: OnProblem = lambda problem: None) -> Ledger:
    """What all logs say, as far as they can be read; not checked against heads."""
    ledger = Ledger()
    for log in logs(store):
        for first, lines in batches(store, log, on_problem):
            _take(ledger, lines, leaves_key(log, first), on_problem)
    return ledger


def batches(store: ObjectStore, log: str, on_problem: OnProblem, behind: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the appends to a log from the leaf `behind` on: number of the first leaf, and lines."""
    for first in appends(store, log):
        if first < behind:
            continue
        try:
            yield first, read_leaves(store, log, first)
        except (Corrupt, ObjectMissing) as error:
            on_problem(Problem(leaves_key(log, first), f"{error}; {_RESTORE}"))


_RESTORE = "bring it back from another copy, or `newskeep reindex --mend` makes it again from the WARCs"


def check_log(
    store: ObjectStore,
    log: str,
    state: Path,
    ledger: Ledger,
    on_problem: OnProblem,
    kept: Iterable[Checkpoint] = (),
) -> None:
    """Check one log from its first leaf to its last head, and take up in `ledger` what it says.

    `kept` are heads that were kept elsewhere: the log must have begun as they say.
    """
    try:
        info = read_info(store, log)
    except (Corrupt, ObjectMissing) as error:
        on_problem(Problem(f"{FOLDER}{log}/key.json", f"the key of the log is missing or wrong ({error})"))
        return
    check = _LogCheck(store, info, state, on_problem)
    check.expected.update({head.size: head.root.hex() for head in kept if head.log == log})
    try:
        check.expected.update({each.head.size: each.head.root.hex() for each in witnesses(store, log)})
    except (Corrupt, ObjectMissing) as error:
        on_problem(Problem(f"{FOLDER}{log}/witnesses/", f"a countersignature was changed or forged: {error}"))
    for first, lines in batches(store, log, on_problem):
        check.append(first, lines)
        _take(ledger, lines, leaves_key(log, first), on_problem)
    check.end()


class _LogCheck:
    """One look at a log, append by append."""

    def __init__(self, store: ObjectStore, info: LogInfo, state: Path, on_problem: OnProblem) -> None:
        self._store = store
        self._info = info
        self._on_problem = on_problem
        self._tree = GrowingTree()
        #: Whether all leaves so far are there: without, no root can be told.
        self._whole = True
        self._ends: set[int] = set()
        self._unsigned: list[int] = []
        self._last: datetime | None = None
        self._memory = remembered(state, info.id)
        #: Size -> root (hex) that the log once had, as was kept outside of the store.
        self.expected: dict[int, str] = {}
        if isinstance(size := self._memory.get("size"), int) and size:
            self.expected[size] = str(self._memory.get("root"))

    def append(self, first: int, lines: list[bytes]) -> None:
        log = self._info.id
        if first != self._tree.size:
            what = f"leaves {self._tree.size:,} to {first - 1:,} of the log are missing"
            if first < self._tree.size:
                what = f"leaves from {first:,} on stand twice in the log"
            if self._whole:
                self._tell(leaves_key(log, first), f"{what}: it was cut, or something was put into it; {_RESTORE}")
            self._whole = False
            self._tree.size = first
        if self._whole:
            for line in lines:
                self._tree.append(line)
        else:
            self._tree.size = first + len(lines)
        self._ends.add(self._tree.size)
        self._head(self._tree.size)
        if self._whole and self.expected.get(self._tree.size, root := self._tree.root.hex()) != root:
            self._tell(f"{FOLDER}{log}/", f"its first {self._tree.size:,} leaves are others than were signed once")

    def _head(self, size: int) -> None:
        key = head_key(self._info.id, size)
        note = read_head(self._store, self._info.id, size)
        if note is None:
            self._unsigned.append(size)
            return
        try:
            head = opened(note, self._info.key)
        except Corrupt as error:
            self._tell(key, f"changed or forged: {error}")
            return
        if head.size != size:
            self._tell(key, f"it is the head over {head.size:,} leaves, not over {size:,}")
            return
        if self._whole and head.root != self._tree.root:
            self._tell(key, "the leaves are not those that were signed: one was changed, removed or put elsewhere")
            self._whole = False
        if self._last is not None and head.time < self._last:
            self._tell(key, f"back-dated: signed {head.time:%Y-%m-%d %H:%M:%S}, before the head that it follows")
        self._last = max(self._last or head.time, head.time)

    def end(self) -> None:
        """What can only be told at the end: heads and stamps of nothing, and a log that was longer."""
        log = self._info.id
        for size in self._unsigned:
            what = f"the signed head over the first {size:,} leaves is missing: it was removed"
            known = self._memory.get("size")
            if size == self._tree.size and isinstance(known, int) and known < size:
                what = "not signed yet: a run was killed; the next one signs it, or `newskeep log update`"
            self._tell(head_key(log, size), what)
        for size in heads(self._store, log):
            if size not in self._ends:
                self._tell(head_key(log, size), "a signed head, but its leaves end elsewhere or are gone")
        for size, keys in stamps(self._store, log).items():
            for key in keys:
                self._stamp(key, size)
        for known in sorted(self.expected):
            if known > self._tree.size:
                what = f"{self._tree.size:,} leaves, and it once had {known:,}: the newest were removed"
                self._tell(f"{FOLDER}{log}/", what)
            elif known not in self._ends:
                self._tell(f"{FOLDER}{log}/", f"it has no head over {known:,} leaves any more: it was written anew")

    def _stamp(self, key: str, size: int) -> None:
        note = read_head(self._store, self._info.id, size)
        if note is None:
            self._tell(key, "a time stamp of a head that is not there")
            return
        try:
            moment = stamped_at(read_stamp(self._store, key), note)
            signed = opened(note, self._info.key).time
        except Corrupt as error:
            self._tell(key, f"not a time stamp of this head: {error}")
            return
        except ObjectMissing:
            return
        if moment < signed - _CLOCKS_APART:
            self._tell(key, f"stamped {moment:%Y-%m-%d %H:%M:%S}, before the head says that it was signed")

    def _tell(self, key: str, what: str) -> None:
        self._on_problem(Problem(key, what))


def _take(ledger: Ledger, lines: list[bytes], key: str, on_problem: OnProblem) -> None:
    for line in lines:
        try:
            wrong = ledger.add(parse(line))
        except Corrupt as error:
            wrong = str(error)
        if wrong:
            on_problem(Problem(key, wrong))

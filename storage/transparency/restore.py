"""Leaves that are gone made again from the WARCs; whether they are the same ones, the signed heads tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO

from storage.compaction.plan import all_records
from storage.errors import Corrupt, ObjectMissing
from storage.inventory import holdings
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.transparency.checkpoint import Checkpoint, opened
from storage.transparency.leaves import RecordLeaf, leaves_of, members, parse
from storage.transparency.ledger import Ledger, changes
from storage.transparency.merkle import GrowingTree
from storage.transparency.objects import (
    appends,
    heads,
    leaves_key,
    logs,
    pack,
    read_head,
    read_info,
    read_leaves,
)
from storage.warc import key_of

OnProblem = Callable[[Problem], None]


def restore(store: ObjectStore, on_problem: OnProblem = lambda problem: None) -> int:
    """Put back the leaves that logs lack and that can be made again; return how many objects.

    Reads the WARCs only where something is missing. Of records that were purged nothing can be made.
    """
    made = 0
    for log in logs(store):
        known = _heads(store, log)
        there = set(appends(store, log))
        starts = [0, *(head.size for head in known[:-1])]
        if not known or there.issuperset(starts):
            continue
        candidates = _Candidates(store)
        tree = GrowingTree()
        for first, head in zip(starts, known, strict=True):
            lines = read_leaves(store, log, first) if first in there else candidates.fitting(tree, head)
            if lines is None:
                on_problem(Problem(leaves_key(log, first), "cannot be made again: no WARC gives what was signed"))
                break
            if first not in there:
                store.put(leaves_key(log, first), pack(lines))
                made += 1
            candidates.take(lines)
            tree = _grown(tree, lines)
    return made


def _heads(store: ObjectStore, log: str) -> list[Checkpoint]:
    try:
        key = read_info(store, log).key
        notes = (read_head(store, log, size) for size in heads(store, log))
        return [opened(note, key) for note in notes if note is not None]
    except (Corrupt, ObjectMissing):
        return []


def _grown(tree: GrowingTree, lines: list[bytes]) -> GrowingTree:
    grown = GrowingTree(tree.size, tree.peaks)
    for line in lines:
        grown.append(line)
    return grown


class _Candidates:
    """What an append may have consisted of: the records of a WARC, as it was before it was joined, or a join."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._ledger = Ledger()
        self._by_size: dict[int, list[list[bytes]]] = defaultdict(list)
        for leaves in _warcs(store):
            self._by_size[len(leaves)].append([leaf.line() for leaf in leaves])

    def take(self, lines: list[bytes]) -> None:
        """Learn what was appended: a join can be told by what was logged before it."""
        for line in lines:
            self._ledger.add(parse(line))

    def fitting(self, tree: GrowingTree, head: Checkpoint) -> list[bytes] | None:
        """The lines with which a tree has the root that was signed; `None` where there are none."""
        for lines in self._by_size[head.size - tree.size]:
            if _grown(tree, lines).root == head.root:
                return lines
        return next((lines for lines in self._joins() if _grown(tree, lines).root == head.root), None)

    def _joins(self) -> Iterator[list[bytes]]:
        for record in all_records(self._store):
            try:
                with self._store.open(key_of(record.target)) as stream:
                    yield changes(self._ledger, record.target, record.sources, leaves_of(stream, record.target))
            except (Corrupt, ObjectMissing):
                continue


def _warcs(store: ObjectStore) -> Iterator[list[RecordLeaf]]:
    """Yield the leaves of each WARC, and of each that was joined into one, as it was: it begins with its `warcinfo`."""
    for holding in holdings(store):
        if holding.warc is None:
            continue
        parts: dict[str, list[RecordLeaf]] = {}
        try:
            with store.open(holding.key()) as stream:
                yield [*_parted(stream, holding.filename, parts)]
        except (Corrupt, ObjectMissing):
            continue
        yield from (leaves for name, leaves in parts.items() if name != holding.filename)


def _parted(stream: BinaryIO, filename: str, parts: dict[str, list[RecordLeaf]]) -> Iterator[RecordLeaf]:
    name, start = filename, 0
    for record, member in members(stream):
        if record.type == "warcinfo" and (written := record.field("WARC-Filename")):
            name, start = written, record.offset
        digests = sha256(member).hexdigest(), sha256(record.block).hexdigest()
        parts.setdefault(name, []).append(RecordLeaf(name, record.offset - start, record.length, *digests))
        yield RecordLeaf(filename, record.offset, record.length, *digests)

"""Where records are in the logs of an archive, and the signed heads that stand over them, as proofs tell of both."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from storage.errors import NotArchived
from storage.objects import ObjectStore
from storage.transparency.leaves import RecordLeaf, parse
from storage.transparency.merkle import Tree, leaf_hash
from storage.transparency.objects import heads, logs, read_head, read_info, read_stamp, stamps, witnesses
from storage.transparency.reading import batches


@dataclass(slots=True)
class LoggedMembers:
    """A log as far as a proof needs it: its tree, and where the wanted members are."""

    id: str
    tree: Tree = field(default_factory=Tree)
    #: SHA-256 of a member, hex -> number and line of its leaf.
    found: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def fields(self, digest: str, size: int) -> dict[str, Any]:
        """What a proof says of a member that was found, under a head over `size` leaves."""
        index, line = self.found[digest]
        path = [hashed.hex() for hashed in self.tree.inclusion_path(index, size)]
        return {"log": self.id, "index": index, "leaf": line.decode(), "path": path}


def find(store: ObjectStore, wanted: Collection[str]) -> list[LoggedMembers]:
    """Look for members, by their SHA-256 in hex, in the leaves of all logs."""
    return [_read(store, log, wanted) for log in logs(store)]


def _read(store: ObjectStore, log: str, wanted: Collection[str]) -> LoggedMembers:
    read = LoggedMembers(log)
    for first, lines in batches(store, log, lambda problem: None):
        if first != read.tree.size:
            break  # what stands behind a gap cannot be proven
        for line in lines:
            leaf = parse(line)
            if isinstance(leaf, RecordLeaf) and leaf.member in wanted:
                read.found.setdefault(leaf.member, (read.tree.size, line))
            read.tree.append(leaf_hash(line))
    return read


def heads_over(store: ObjectStore, used: Iterable[tuple[str, LoggedMembers]]) -> dict[str, dict[str, Any]]:
    """Return, by the id of their log, what a proof says of the logs that are used; `used` are members with theirs.

    Of each it is the first head over all of its members that was stamped, else the first at all. Raises `NotArchived`
    where there is none.
    """
    tops: dict[str, int] = {}
    trees: dict[str, Tree] = {}
    for digest, log in used:
        tops[log.id] = max(tops.get(log.id, 0), log.found[digest][0])
        trees[log.id] = log.tree
    return {log: _told(store, log, top, trees[log]) for log, top in tops.items()}


def _told(store: ObjectStore, log: str, top: int, tree: Tree) -> dict[str, Any]:
    info, stamped = read_info(store, log), stamps(store, log)
    size = next(_sizes(heads(store, log), stamped, top), None)
    note = read_head(store, log, size) if size is not None else None
    if size is None or note is None:
        raise NotArchived(f"the log {log} has no signed head over this capture; newskeep verify")
    answers = [base64.b64encode(read_stamp(store, key)).decode() for key in stamped.get(size, ())]
    return {
        "log": log,
        "name": info.name,
        "key": base64.b64encode(info.key.raw).decode(),
        "size": size,
        "head": note.decode(),
        "stamps": answers,
        "witnesses": [*_witnesses(store, log, size, tree)],
    }


def _witnesses(store: ObjectStore, log: str, size: int, tree: Tree) -> Iterator[dict[str, Any]]:
    """Of each witness the first head over `size` leaves or more that it countersigned, and the path to that."""
    told = set()
    for each in witnesses(store, log):
        if size <= each.head.size <= tree.size and each.witness.log not in told:
            told.add(each.witness.log)
            path = tree.consistency_path(size, each.head.size)
            yield {**each.to_json(), "path": [hashed.hex() for hashed in path]}


def _sizes(sizes: Iterable[int], stamped: Collection[int], top: int) -> Iterator[int]:
    over = [size for size in sizes if size > top]
    yield from (size for size in over if size in stamped)
    yield from over

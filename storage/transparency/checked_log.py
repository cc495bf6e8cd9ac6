"""A log as a proof tells of it, checked: the head, its stamps, and whether a leaf is under it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

from storage.errors import Corrupt
from storage.transparency.checkpoint import Checkpoint, opened
from storage.transparency.countersignature import Countersigned
from storage.transparency.keys import PublicKey
from storage.transparency.leaves import RecordLeaf, parse
from storage.transparency.merkle import are_consistent, leaf_hash, root_from_path
from storage.transparency.stamps import Stamp, checked


@dataclass(slots=True)
class CheckedLog:
    """A log as a proof has it, its signature checked."""

    id: str
    name: str
    key: PublicKey
    head: Checkpoint
    note: bytes
    stamps: list[Stamp] = field(default_factory=list)
    #: Countersignatures of this head, or of one that goes on from it.
    witnesses: list[Countersigned] = field(default_factory=list)


def read_log(
    told: Mapping[str, Any], roots: Sequence[x509.Certificate], on_problem: Callable[[str], None]
) -> CheckedLog | None:
    """Check what a proof says of a log; `None` where its head does not hold.

    `roots` are certificates of time authorities to believe in. Raises `ValueError`, `KeyError` or `TypeError` for what
    is no such thing.
    """
    key, note = PublicKey(base64.b64decode(told["key"], validate=True)), str(told["head"]).encode()
    try:
        log = CheckedLog(key.log, str(told["name"]), key, opened(note, key), note)
    except Corrupt as error:
        on_problem(f"the head of the log {key.log} is not signed by its key ({error})")
        return None
    for answer in told["stamps"]:
        try:
            log.stamps.append(checked(base64.b64decode(answer, validate=True), note, roots))
        except Corrupt as error:
            on_problem(f"a time stamp does not hold: {error}")
    for each in told.get("witnesses", ()):
        try:
            log.witnesses.append(_countersigned(log, each))
        except Corrupt as error:
            on_problem(f"a countersignature does not hold: {error}")
    return log


def _countersigned(log: CheckedLog, told: Mapping[str, Any]) -> Countersigned:
    found, path = Countersigned.of(told), [bytes.fromhex(each) for each in told["path"]]
    if found.log_key.raw != log.key.raw:
        raise Corrupt("it is of another log")
    if not are_consistent(log.head.size, log.head.root, found.head.size, found.head.root, path):
        raise Corrupt("the head that was countersigned does not go on from the one in the proof")
    return found


def read_leaf(told: Mapping[str, Any], logs: Iterable[CheckedLog]) -> RecordLeaf:
    """Return the leaf of a record, which is in the tree of its log; raises `Corrupt` where it is not.

    Raises `ValueError`, `KeyError` or `TypeError` for what is no leaf with its path.
    """
    line, index = str(told["leaf"]).encode(), int(told["index"])
    leaf, path = parse(line), [bytes.fromhex(each) for each in told["path"]]
    log = next((each for each in logs if each.id == told["log"]), None)
    if log is None:
        raise Corrupt("its log has no head that holds")
    if root_from_path(leaf_hash(line), index, log.head.size, path) != log.head.root:
        raise Corrupt("it is not in the tree that was signed")
    if not isinstance(leaf, RecordLeaf):
        raise Corrupt("its leaf is not of a record")
    return leaf

"""The logs of other archives, as a witness sees them: each newest head must go on from the one that it kept.

witnessed/<log>/<size>.json                    a head, countersigned; the newest is what the next must go on from
witnessed/<log>/conflicts/<size>-<root>.json   a head that its log signed and that does not: what to show others
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Self

from storage.bounds import parse_json, read_whole
from storage.errors import Corrupt, ObjectMissing
from storage.objects import ObjectStore
from storage.transparency.checkpoint import Checkpoint, opened
from storage.transparency.countersignature import Countersigned
from storage.transparency.keys import PrivateKey, PublicKey
from storage.transparency.merkle import are_consistent

FOLDER = "witnessed/"
KEY = re.compile(r"witnessed/[0-9a-f]{16}/(?:\d{12}|conflicts/\d{12}-[0-9a-f]{16})\.json")
_KEPT = re.compile(r"witnessed/[0-9a-f]{16}/\d{12}\.json")
#: Bytes of what a log shows, and the hashes of a path in it: one for each bit of a size.
SHOWN_MAX, _PATH_MOST = 1 << 16, 64


@dataclass(frozen=True, slots=True)
class Shown:
    """What a log shows: its newest head, and the path from an earlier size to it (RFC 9162, 2.1.4)."""

    key: PublicKey
    name: str
    note: bytes
    head: Checkpoint
    first: int
    path: tuple[bytes, ...]

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Raises `Corrupt` for what is none, or not signed by the log."""
        try:
            fields: Any = parse_json(data, SHOWN_MAX)
            key, note = PublicKey(base64.b64decode(fields["key"], validate=True)), str(fields["head"]).encode()
            path = tuple(bytes.fromhex(each) for each in fields["path"])
            first, name = int(fields["first"]), str(fields["name"])
        except (ValueError, KeyError, TypeError) as error:
            raise Corrupt(f"not the head of a log as newskeep serve shows it ({type(error).__name__})") from error
        if len(path) > _PATH_MOST:
            raise Corrupt("a path that is longer than any tree is high")
        return cls(key, name, note, opened(note, key), first, path)

    def to_json(self) -> dict[str, Any]:
        return {
            "log": self.key.log,
            "name": self.name,
            "key": base64.b64encode(self.key.raw).decode(),
            "head": self.note.decode(),
            "first": self.first,
            "path": [each.hex() for each in self.path],
        }

    def to_bytes(self) -> bytes:
        return json.dumps(self.to_json(), ensure_ascii=False).encode() + b"\n"


class Conflict(Corrupt):
    """A log signed what does not go on from what it signed before."""


def last_seen(store: ObjectStore, log: str) -> Countersigned | None:
    """The newest head of a log that was countersigned here. Raises `Corrupt`."""
    sizes = [info.key for info in store.list(f"{FOLDER}{log}/") if _KEPT.fullmatch(info.key)]
    try:
        return _read(store, max(sizes)) if sizes else None
    except ObjectMissing:
        return None


def witness(store: ObjectStore, key: PrivateKey, shown: Shown) -> Countersigned:
    """Countersign the head that a log shows, and keep it; the one that was kept where it has not grown.

    The first head of a log is taken as it is. Raises `Conflict` where the log does not go on from what was seen before
    (the head is kept as evidence), and `Corrupt` where what is shown does not tell.
    """
    log, before = shown.key.log, last_seen(store, shown.key.log)
    if before is not None:
        wrong = _conflict(before.head, shown)
        if wrong is not None:
            kept = f"{FOLDER}{log}/conflicts/{shown.head.size:012d}-{shown.head.root.hex()[:16]}.json"
            store.put(kept, shown.to_bytes())
            raise Conflict(f"the log {log} {wrong}; both heads are signed by it and kept here: {kept}")
        if before.head.size == shown.head.size:
            return before
    made = Countersigned.make(shown.note, shown.key, key)
    store.put(f"{FOLDER}{log}/{made.head.size:012d}.json", made.to_bytes())
    return made


def _conflict(before: Checkpoint, shown: Shown) -> str | None:
    head = shown.head
    if head.size < before.size:
        return f"has {head.size:,} leaves, and had {before.size:,}: the newest were removed"
    if head.size == before.size:
        same = head.root == before.root
        return None if same else f"has another root over the same {head.size:,} leaves: it was written anew"
    if shown.first != before.size:
        raise Corrupt(f"it shows that it goes on from {shown.first:,} leaves; seen here were {before.size:,}")
    if not are_consistent(before.size, before.root, head.size, head.root, shown.path):
        return f"does not go on from the {before.size:,} leaves that it had: it was written anew, or its proof is wrong"
    if head.time < before.time:
        return f"signed {head.time:%Y-%m-%d %H:%M:%S}, before the head that it follows"
    return None


def _read(store: ObjectStore, key: str) -> Countersigned:
    try:
        with store.open(key) as stream:
            return Countersigned.read(read_whole(stream, SHOWN_MAX))
    except Corrupt as error:
        raise Corrupt(f"{key}: {error}") from error

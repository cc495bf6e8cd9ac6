"""A log as its one writer goes on with it: leaves first, then the head that is signed over them.

The object of the leaves has the number of its first one as its name and is put only where there is none, so that two
processes with one key cannot both go on from the same place. A kill between the two leaves a log without its newest
head; whoever appends next signs that first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from storage.errors import ObjectExists, ObjectMissing, StoreUnavailable
from storage.locking import held
from storage.objects import ObjectStore
from storage.transparency.checkpoint import Checkpoint
from storage.transparency.keys import PrivateKey
from storage.transparency.leaves import leaves_of
from storage.transparency.merkle import GrowingTree
from storage.transparency.objects import LogInfo, head_key, leaves_key, pack, read_head, read_leaves

#: WARCs that are remembered as logged: one that is delivered once more after a kill is among the newest.
_RECENT = 1000


class LogWriter:
    """The log that this machine writes for an archive. Every method may raise `StoreUnavailable`."""

    def __init__(self, store: ObjectStore, state: Path, key: PrivateKey) -> None:
        self._store = store
        self._state = state
        self._key = key
        self.id = key.public.log

    def begin(self, name: str) -> None:
        """Make the log known in the archive, under a name for people."""
        info = LogInfo(self._key.public, name, datetime.now(UTC))
        self._store.put(info.object_key, info.to_json())

    def add_warc(self, filename: str, opened: Callable[[], BinaryIO]) -> None:
        """Append the records of a WARC, unless that was done just now. Raises `Corrupt` where it cannot be read."""
        if filename not in _recent(self._remembered()):
            with opened() as stream:
                lines = [leaf.line() for leaf in leaves_of(stream, filename)]
            self.append(lines, (filename,))

    def catch_up(self) -> None:
        """Sign the head over leaves that a killed run appended, if there are any."""
        with self._alone():
            known = self._remembered()
            self._remember(_fields(self._caught_up(_tree(known)), _recent(known)))

    def append(self, lines: list[bytes], warcs: Iterable[str] = ()) -> None:
        """Append leaves and sign the head over them; `warcs` are those whose records are among them."""
        with self._alone():
            known = self._remembered()
            while lines:
                tree = self._caught_up(_tree(known))
                try:
                    self._store.put(leaves_key(self.id, tree.size), pack(lines))
                except ObjectExists:
                    # Another machine has the same key, or the folder of the state is an old one.
                    known = _fields(tree, _recent(known))
                    continue
                self._sign(_grown(tree, lines))
                self._remember(_fields(tree, [*_recent(known), *warcs][-_RECENT:]))
                return

    def _alone(self) -> AbstractContextManager[None]:
        return held(self._state / "locks" / f"log-{self.id}.lock", "writing the log", wait=True)

    def _caught_up(self, tree: GrowingTree) -> GrowingTree:
        """The tree with all that is in the store behind what was remembered."""
        with suppress(ObjectMissing):
            while True:
                _grown(tree, read_leaves(self._store, self.id, tree.size))
                if read_head(self._store, self.id, tree.size) is None:
                    self._sign(tree)
        return tree

    def _sign(self, tree: GrowingTree) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        note = Checkpoint(self.id, tree.size, tree.root, now).signed(self._key)
        self._store.put(head_key(self.id, tree.size), note)

    # What this machine remembers, which is also what `verify` holds the log against.

    @property
    def _memory(self) -> Path:
        return memory_path(self._state, self.id)

    def _remembered(self) -> dict[str, object]:
        return remembered(self._state, self.id)

    def _remember(self, fields: dict[str, object]) -> None:
        temporary = self._memory.with_suffix(".tmp")
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(fields))
            temporary.replace(self._memory)
        except OSError as error:
            raise StoreUnavailable(f"cannot write {self._memory}: {error.strerror}") from error


def memory_folder(state: Path) -> Path:
    return state / "log"


def memory_path(state: Path, log: str) -> Path:
    return memory_folder(state) / f"{log}.json"


def remembered(state: Path, log: str) -> dict[str, object]:
    """What this machine knows of a log: `size`, `root` (hex), `peaks` and `recent`; nothing where it cannot be read."""
    try:
        found = json.loads(memory_path(state, log).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _tree(known: dict[str, object]) -> GrowingTree:
    try:
        peaks = [bytes.fromhex(each) for each in known["peaks"]]  # type: ignore[attr-defined]
        return GrowingTree(int(known["size"]), peaks)  # type: ignore[call-overload]
    except (KeyError, TypeError, ValueError):
        return GrowingTree()


def _fields(tree: GrowingTree, recent: list[str]) -> dict[str, object]:
    peaks = [each.hex() for each in tree.peaks]
    return {"size": tree.size, "root": tree.root.hex(), "peaks": peaks, "recent": recent}


def _recent(known: dict[str, object]) -> list[str]:
    recent = known.get("recent")
    return recent if isinstance(recent, list) else []


def _grown(tree: GrowingTree, lines: Iterable[bytes]) -> GrowingTree:
    for line in lines:
        tree.append(line)
    return tree

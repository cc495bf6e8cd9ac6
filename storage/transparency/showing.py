"""What an archive shows of its logs to whoever watches them: newest heads, and paths from earlier sizes to them."""

from __future__ import annotations

import threading

from storage.errors import Corrupt, NotArchived
from storage.objects import ObjectStore
from storage.transparency.checkpoint import Checkpoint, opened
from storage.transparency.merkle import Tree, leaf_hash
from storage.transparency.objects import heads, logs, read_head, read_info
from storage.transparency.reading import batches
from storage.transparency.witness import Shown


class LogShow:
    """The trees of an archive's logs, read once and grown as the logs are; 64 bytes a leaf. For any thread."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._trees: dict[str, Tree] = {}
        self._lock = threading.Lock()

    def logs(self) -> list[str]:
        """The ids of the logs."""
        return logs(self._store)

    def newest(self, log: str, first: int = 0) -> Shown:
        """Show the newest head of a log, and that it goes on from its first `first` leaves.

        Of a log that has not so many (any more), the head is shown without a path, as from 0. Raises `NotArchived`
        where there is no such log, and `Corrupt`.
        """
        sizes = heads(self._store, log) if log in self.logs() else []
        note = read_head(self._store, log, sizes[-1]) if sizes else None
        if note is None:
            raise NotArchived(f"no log {log} with a signed head is here")
        info = read_info(self._store, log)
        head = opened(note, info.key)
        if not 0 < first < head.size:
            return Shown(info.key, info.name, note, head, first if first == head.size else 0, ())
        path = self._tree(head).consistency_path(first, head.size)
        return Shown(info.key, info.name, note, head, first, tuple(path))

    def _tree(self, head: Checkpoint) -> Tree:
        with self._lock:
            tree = self._grown(self._trees.get(head.log, Tree()), head)
            if tree is None:
                # The log was brought back, or written anew, since it was read.
                tree = self._grown(Tree(), head)
            if tree is None:
                raise Corrupt(f"the leaves of the log {head.log} are not those of its head; newskeep verify")
            self._trees[head.log] = tree
            return tree

    def _grown(self, tree: Tree, head: Checkpoint) -> Tree | None:
        """A tree with what was appended since; `None` where it is not that of the head."""
        for first, lines in batches(self._store, head.log, lambda problem: None, behind=tree.size):
            if first != tree.size:
                break
            for line in lines:
                tree.append(leaf_hash(line))
        return tree if tree.size >= head.size and tree.root(head.size) == head.root else None

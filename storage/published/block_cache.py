"""The blocks of objects that were read last; threads may share such a cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BlockCache(Generic[K, V]):
    """What was last kept or asked for, at most so many blocks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._held: OrderedDict[K, V] = OrderedDict()

    def get(self, block: K) -> V | None:
        with self._lock:
            found = self._held.get(block)
            if found is not None:
                self._held.move_to_end(block)
            return found

    def keep(self, block: K, value: V) -> None:
        with self._lock:
            self._held[block] = value
            if len(self._held) > self._most:
                self._held.popitem(last=False)

"""Remembers that the object store was away a moment ago, so that not every object waits out its time-outs anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import SpoolError, StoreUnavailable

#: Seconds for which a store that was away is not asked again; a request that fails takes longer than that.
PAUSE = 60.0


class CircuitBreaker:
    """Shared by all who ask one store, from any thread."""

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._error: StoreUnavailable | None = None
        self._until = 0.0

    def handed_over(self) -> CircuitBreaker:
        """Return one that remembers what this one does, for a run that begins; this one forgets it."""
        heir = CircuitBreaker(self._pause)
        with self._lock:
            heir._error, heir._until, self._error = self._error, self._until, None
        return heir

    @contextmanager
    def noticed(self) -> Iterator[None]:
        """Ask the store in this block; raises `StoreUnavailable` at once when it was away just now."""
        with self._lock:
            if self._error is not None and time.monotonic() < self._until:
                raise type(self._error)(*self._error.args)
        try:
            yield
        except SpoolError:
            raise
        except StoreUnavailable as error:
            with self._lock:
                self._error, self._until = error, time.monotonic() + self._pause
            raise

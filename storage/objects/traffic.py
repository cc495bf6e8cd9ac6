"""What was asked of a store, counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests made (a folder counts each verb as one) and bytes of objects read and written."""

    requests: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    def __sub__(self, earlier: Traffic) -> Traffic:
        """Return what was added since `earlier`."""
        return Traffic(
            self.requests - earlier.requests,
            self.bytes_read - earlier.bytes_read,
            self.bytes_written - earlier.bytes_written,
        )


class Meter:
    """A `Traffic` that several threads add to."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._traffic = Traffic()

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    def add(self, *, requests: int = 0, read: int = 0, written: int = 0) -> None:
        with self._lock:
            now = self._traffic
            self._traffic = replace(
                now,
                requests=now.requests + requests,
                bytes_read=now.bytes_read + read,
                bytes_written=now.bytes_written + written,
            )

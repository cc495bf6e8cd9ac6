"""What is held in memory at once while responses come in."""

from __future__ import annotations

import gc
from collections.abc import Hashable
from typing import Any

#: Responses larger than this, in bytes, come in so many at a time; the others wait, and their servers with them.
LARGE_BYTES, _AT_ONCE = 4 * 1024 * 1024, 4


class LargeResponses:
    """Keeps what is held in memory at once within bounds, however many hosts send without end.

    A response holds its place until it is in the WARC, which may be behind.
    """

    def __init__(self) -> None:
        self._coming: set[Hashable] = set()
        #: With the transport that was told to wait.
        self._waiting: dict[Hashable, Any] = {}

    def grown(self, attempt: Hashable, transport: Any) -> None:
        """A large response has grown: it goes on, or waits for another one to end."""
        if attempt in self._coming or attempt in self._waiting:
            return
        if len(self._coming) < _AT_ONCE:
            self._admit(attempt)
        else:
            self._waiting[attempt] = transport
            transport.pauseProducing()

    def ended(self, attempt: Hashable) -> None:
        """A response is recorded, or given up."""
        self._waiting.pop(attempt, None)
        self._coming.discard(attempt)
        while self._waiting and len(self._coming) < _AT_ONCE:
            following, transport = next(iter(self._waiting.items()))
            del self._waiting[following]
            self._admit(following)
            transport.resumeProducing()

    def _admit(self, attempt: Hashable) -> None:
        # Failures are in cycles with the bodies they came by, and the collector counts objects, not bytes.
        gc.collect()
        self._coming.add(attempt)

"""What is away for a while: told once when it goes, and once when it is back."""

from __future__ import annotations

import logging

from crawler.durations import duration
from newskeep.queue.membership import ticks

_log = logging.getLogger(__name__)


class Outage:
    """The times at which one thing is away."""

    def __init__(self, begins: str, over: str) -> None:
        """What is told, `begins` before the reason, `over` before how long it took."""
        self._begins = begins
        self._over = over
        self._since: float | None = None

    def begin(self, why: str) -> None:
        if self._since is None:
            self._since = ticks()
            _log.warning("%s: %s", self._begins, why)

    def end(self) -> bool:
        """Return whether there was one."""
        if self._since is None:
            return False
        _log.warning("%s, after %s", self._over, duration(ticks() - self._since))
        self._since = None
        return True

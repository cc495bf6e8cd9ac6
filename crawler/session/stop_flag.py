"""The stop that a person or a supervisor asks for, as the long loops of sealing see it."""

from __future__ import annotations

import time

#: Seconds that sealing may go on once a stop was asked for: a crawl that was stopped is mostly sealed and delivered.
GRACE = 5.0


class StopAsked(Exception):
    """Work was left where it was: what is done of it is kept, the next run does the rest."""


class StopFlag:
    """Asked from a signal handler, looked at from any thread."""

    def __init__(self, grace: float = GRACE) -> None:
        """`grace`: seconds that `look` lets work go on after a stop was asked for."""
        self._grace = grace
        self._until: float | None = None

    @property
    def asked(self) -> bool:
        return self._until is not None

    def ask(self) -> None:
        """Ask for a stop. Asked once more, as when the requests under way have ended, the grace begins anew."""
        self._until = time.monotonic() + self._grace

    def look(self) -> None:
        """Raise `StopAsked` where a stop was asked for and the grace is over; called once for each piece of work."""
        if self._until is not None and time.monotonic() >= self._until:
            raise StopAsked

    def look_strictly(self) -> None:
        """Raise `StopAsked` where a stop was asked for: nothing that this run fetched is at stake."""
        if self._until is not None:
            raise StopAsked

"""Waiting for the very thing: what another process writes, answers or ends is there when it is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

#: Seconds between two looks.
PAUSE = 0.02


def until(
    found: Callable[[], Found | None], unless: Callable[[], object] = lambda: None, *, pause: float = PAUSE
) -> Found:
    """Return the first true value of `found`, however long a busy machine takes: the test's own limit ends it.

    `pause`: seconds between two looks; longer where a look takes processor time from what is waited for.
    Raises AssertionError with what `unless` returns as soon as that is true, as where a process that is waited for has
    ended, and `found` is not.
    """
    while True:
        # In this order: what the last words of a process bring is found.
        hopeless = unless()
        if value := found():
            return value
        assert not hopeless, hopeless
        time.sleep(pause)

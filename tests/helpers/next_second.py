"""Times of captures have whole seconds: what is captured in one second has no order in time."""

from __future__ import annotations

import time


def next_second() -> None:
    """Wait until a second begins."""
    this = int(time.time())
    while int(time.time()) <= this:
        time.sleep(0.01)

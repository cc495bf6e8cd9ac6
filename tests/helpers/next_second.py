"""Times of captures have whole seconds: what is captured in one second has no order in time."""

from __future__ import annotations

import time


def next_second() -> None:
    """Wait until a second begins."""
    time.sleep(1.0 - time.time() % 1.0)

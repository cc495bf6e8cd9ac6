"""Memory that is free goes back to the system while a crawl runs."""

from __future__ import annotations

import ctypes
import resource
import threading
from pathlib import Path

import pytest
from waiting import until

from crawler.allocator import giving_back

_MIB = 1024 * 1024


def _resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library has no way to")
def test_what_is_free_between_what_is_used_goes_back() -> None:
    blocks = [bytes(4_000) for _ in range(16_000)]
    held = _resident()
    kept = blocks[::50]
    blocks.clear()
    assert held - _resident() < 16 * _MIB, "the C library gave it back by itself"
    with giving_back(every=0.01):
        until(lambda: held - _resident() > 40 * _MIB)
    assert len(kept) == 320


def test_nothing_is_left_running() -> None:
    with giving_back():
        assert "giving-back" in [thread.name for thread in threading.enumerate()]
    assert "giving-back" not in [thread.name for thread in threading.enumerate()]

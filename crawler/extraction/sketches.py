"""Sketches of texts (MinHash, Broder 1997): how much two of them agree is how many runs of four words they share."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from storage.fingerprints import SIZE

_STEP = np.uint32(0x01000193)

Numbers = NDArray[np.uint32]


def sketch(words: list[str]) -> str:
    """The sketch of at least four words: `SIZE` bytes as hexadecimal digits, the same on every machine."""
    times, plus = _functions()
    least: NDArray[np.uint8] = (_runs(words) * times + plus).min(axis=1).astype(np.uint8)
    return least.tobytes().hex()


def _runs(words: list[str]) -> Numbers:
    """A number for each run of four words."""
    each = np.array([crc32(word.encode("utf-8", "replace")) for word in words], np.uint32)
    runs: Numbers = ((each[:-3] * _STEP + each[1:-2]) * _STEP + each[2:-1]) * _STEP + each[3:]
    # What differs little must not stay together (the last step of MurmurHash3).
    for shift, times in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        runs = (runs ^ np.right_shift(runs, np.uint32(shift))) * np.uint32(times)
    return runs ^ np.right_shift(runs, np.uint32(16))


@cache
def _functions() -> tuple[Numbers, Numbers]:
    """The odd factors and the summands of 64 functions, a column each, the same for ever: sketches depend on them."""
    made = np.frombuffer(b"".join(sha256(b"newskeep %d" % part).digest() for part in range(SIZE // 4)), ">u4")
    numbers = made.astype(np.uint32)[:, None]
    return numbers[:SIZE] | np.uint32(1), numbers[SIZE:]

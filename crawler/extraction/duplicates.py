"""The same text under another address, and nearly the same: agency copy on several sites, an edited version.

A text's fingerprint has an exact digest and a sketch (MinHash, Broder 1997) of its runs of four words; in scripts
without spaces, of four characters. Both are the same on every machine and may be stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from crawler.extraction.words import grams, tokens

#: From this share of common runs of words two texts are versions of one.
NEAR = 0.6
#: Fewer words make no sketch: what is short is the same or it is not.
_LEAST_WORDS = 20
_SIZE = 64
_BANDS = 16
_PRIME = np.uint64((1 << 31) - 1)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is needed of a text to know it again."""

    #: "sha256:…" of the words: white space, case and punctuation make no other text.
    digest: str
    #: 64 numbers of 16 bits as hexadecimal digits; empty for a text of fewer than 20 words.
    sketch: str

    def similarity(self, other: Fingerprint) -> float:
        """Return about which share of the runs of words the two texts have in common, 0 to 1 (error about .06)."""
        if self.digest == other.digest:
            return 1.0
        if not self.sketch or not other.sketch:
            return 0.0
        return sum(map(str.__eq__, _parts(self.sketch, 4), _parts(other.sketch, 4))) / _SIZE

    def is_near(self, other: Fingerprint) -> bool:
        """Whether the two are the same text, or versions of it."""
        return self.similarity(other) >= NEAR

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys to look near texts up by: two of them share at least one, in 9 of 10 cases or more.

        Texts that share a key need not be near; ask `is_near`. A short text has its digest for a key.
        """
        if not self.sketch:
            return (self.digest,)
        return tuple(f"{band}:{part}" for band, part in enumerate(_parts(self.sketch, len(self.sketch) // _BANDS)))


def fingerprint(text: str) -> Fingerprint:
    """Return a text's fingerprint."""
    words = tokens(text)
    digest = "sha256:" + sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()
    if len(words) < _LEAST_WORDS:
        return Fingerprint(digest, "")
    runs = {crc32(" ".join(gram).encode("utf-8", "replace")) % int(_PRIME) for gram in grams(words)}
    times, plus = _functions()
    hashed = np.fromiter(runs, np.uint64, len(runs))[:, None] * times + plus
    return Fingerprint(digest, (hashed % _PRIME).min(axis=0).astype(">u2").tobytes().hex())


def _parts(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@cache
def _functions() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The factors and summands of 64 hash functions, the same for ever: stored sketches depend on them."""
    made = np.frombuffer(b"".join(sha256(b"newskeep %d" % part).digest() for part in range(_SIZE // 2)), ">u8")
    numbers = made.astype(np.uint64) % (_PRIME - np.uint64(1)) + np.uint64(1)
    return numbers[:_SIZE], numbers[_SIZE:]

"""The same text under another address, and nearly the same: agency copy on several sites, an edited version.

A text's fingerprint has an exact digest and a sketch (MinHash, Broder 1997) of its runs of four words; in scripts
without spaces, of four characters. Both are the same on every machine and are stored.
"""

from __future__ import annotations

from base64 import b32encode
from dataclasses import replace
from functools import cache
from hashlib import sha1, sha256
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from crawler.html.words import tokens
from storage.fingerprints import SIZE, Fingerprint
from storage.model import Article
from storage.text import plain

#: Fewer words make no sketch: what is short is the same or it is not.
_LEAST_WORDS = 20
_STEP = np.uint32(0x01000193)

Numbers = NDArray[np.uint32]


def fingerprinted(article: Article) -> Article:
    """Return the article with the fingerprint of its text as it is now, none where it has no text."""
    return replace(article, fingerprint=fingerprint(article.text) if article.text else None)


def fingerprint(text: str) -> Fingerprint:
    """Return a text's fingerprint.

    Layout and typography make no other text (`storage.text.plain`). Case and signs do, for "-5 %" is not "5 %", but
    leave the two as near as can be.
    """
    digest = "sha1:" + b32encode(sha1(plain(text).encode("utf-8", "replace")).digest()).decode()
    words = tokens(text)
    if len(words) < _LEAST_WORDS:
        return Fingerprint(digest, "")
    times, plus = _functions()
    return Fingerprint(digest, (_runs(words) * times + plus).min(axis=1).astype(np.uint8).tobytes().hex())


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

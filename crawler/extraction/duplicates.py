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

from crawler.extraction.words import grams, tokens
from storage.fingerprints import SIZE, Fingerprint
from storage.model import Article
from storage.text import plain

#: Fewer words make no sketch: what is short is the same or it is not.
_LEAST_WORDS = 20
_PRIME = np.uint64((1 << 31) - 1)


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
    runs = {crc32(" ".join(gram).encode("utf-8", "replace")) % int(_PRIME) for gram in grams(words)}
    times, plus = _functions()
    hashed = np.fromiter(runs, np.uint64, len(runs))[:, None] * times + plus
    return Fingerprint(digest, (hashed % _PRIME).min(axis=0).astype(np.uint8).tobytes().hex())


@cache
def _functions() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The factors and summands of 64 hash functions, the same for ever: stored sketches depend on them."""
    made = np.frombuffer(b"".join(sha256(b"newskeep %d" % part).digest() for part in range(SIZE // 2)), ">u8")
    numbers = made.astype(np.uint64) % (_PRIME - np.uint64(1)) + np.uint64(1)
    return numbers[:SIZE], numbers[SIZE:]

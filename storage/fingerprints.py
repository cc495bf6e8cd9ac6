"""What is kept of a text to know it again: the same, or nearly the same, without reading it.

crawler/extraction/duplicates.py makes it, docs/formats.md says how.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

#: From this share of common runs of words two texts are versions of one.
NEAR = 0.6
#: Bytes of a sketch.
SIZE = 64
# Keys that a sketch gives, and the bytes in each. Of two texts with .6 in common, 91 % share a key, with .7 98 %, with
# .8 all but one in a thousand; of two with .05, one in a thousand does.
_KEYS, _IN_A_KEY = 10, 3
_SKETCH = re.compile(rf"(?:[0-9a-f]{{{2 * SIZE}}})?")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Two texts with the same digest are the same; two whose sketches agree are nearly the same."""

    #: "sha1:" and base32, of the text without its layout and typography.
    digest: str
    #: 64 bytes as hexadecimal digits; empty for a text of fewer than 20 words.
    sketch: str

    @classmethod
    def parse(cls, fields: object) -> Fingerprint | None:
        """The fingerprint in an article line; `None` for one that this version does not know how to compare."""
        if not isinstance(fields, Mapping):
            return None
        digest, sketch = fields.get("digest"), fields.get("sketch")
        if not (isinstance(digest, str) and isinstance(sketch, str) and _SKETCH.fullmatch(sketch)):
            return None
        return cls(digest, sketch)

    def to_json(self) -> dict[str, Any]:
        return {"digest": self.digest, "sketch": self.sketch}

    def similarity(self, other: Fingerprint) -> float:
        """Return about which share of the runs of words the two texts have in common, 0 to 1 (error about .06)."""
        if self.digest == other.digest:
            return 1.0
        if not self.sketch or not other.sketch:
            return 0.0
        return sum(map(int.__eq__, bytes.fromhex(self.sketch), bytes.fromhex(other.sketch))) / SIZE

    def is_near(self, other: Fingerprint) -> bool:
        """Whether the two are the same text, or versions of it."""
        return self.similarity(other) >= NEAR

    @property
    def keys(self) -> tuple[int, ...]:
        """Numbers of 28 bits to look near texts up by: two of them most likely share one.

        Texts that share a key need not be near; ask `is_near`. A text without a sketch has one key, from its digest.
        """
        if not self.sketch:
            return (_key(_KEYS, crc32(self.digest.encode()).to_bytes(4)[:_IN_A_KEY]),)
        sketch = bytes.fromhex(self.sketch)
        return tuple(_key(band, sketch[band * _IN_A_KEY : (band + 1) * _IN_A_KEY]) for band in range(_KEYS))


def _key(band: int, part: bytes) -> int:
    return band << 8 * _IN_A_KEY | int.from_bytes(part)

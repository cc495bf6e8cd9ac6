"""Range requests (RFC 9110, 14): one range of bytes, of something whose size is known."""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class Range(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


def parse_range(field: str | None, size: int) -> Range | None:
    """Return the range that is asked for, an empty one if it lies outside.

    `None` where the field is absent, wrong, or asks for several ranges: the whole is the answer then.
    """
    match = _RANGE.fullmatch(field or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return Range(max(0, size - int(match[2])), size)
    start = int(match[1])
    end = min(int(match[2]) + 1 if match[2] else size, size)
    if match[2] and int(match[2]) < start:
        return None
    return Range(start, end) if start < size else Range(0, 0)

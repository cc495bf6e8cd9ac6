"""The lines of a printed page -> its paragraphs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A word that is divided at the end of a line; one that has a capital or a digit behind the hyphen has it by itself.
_DIVIDED = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_ENDS = re.compile(r"[.!?:。！？…]['\"”’»)\]]*$")
_BEGINS = re.compile(r"\s*(?:[•‣▪◦–—*-]\s|\(?\d{1,3}[.)]\s|\(?[a-z]\)\s)")
#: Scripts that put no space between words, nor lines.
_UNSPACED = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e01-\u0e4e]")
# A line that is shorter than this share of the usual one is the last of its paragraph.
_SHORT = 0.75
#: Forms of letters that printers join.
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


def paragraphs(page: str) -> Iterator[str]:
    """Yield the paragraphs of a page's text, in order: lines joined, and words that the end of a line divides."""
    lines = [line.strip() for line in page.translate(_LIGATURES).splitlines()]
    lengths = sorted(len(line) for line in lines if line)
    usual = lengths[len(lengths) * 3 // 4] if lengths else 0
    joined = ""
    last = ""
    for line in lines:
        if joined and (not line or _BEGINS.match(line) or _is_last(last, usual)):
            yield joined
            joined = ""
        if line:
            joined = _join(joined, line)
        last = line
    if joined:
        yield joined


def _is_last(line: str, usual: int) -> bool:
    return len(line) < _SHORT * usual and (bool(_ENDS.search(line)) or len(line) < usual / 2)


def _join(before: str, line: str) -> str:
    if not before:
        return line
    if _DIVIDED.search(before) and line[0].islower():
        return before[:-1] + line
    if _UNSPACED.match(before[-1]) and _UNSPACED.match(line[0]):
        return before + line
    return f"{before} {line}"

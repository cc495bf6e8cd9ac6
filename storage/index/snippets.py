"""The line or two of a text that show why it was found."""

from __future__ import annotations

import re
from bisect import bisect_left

from storage.index.query_parser import SearchQuery

#: Characters of a snippet, and of these before its first mark.
LENGTH, _BEFORE = 220, 50
#: Characters of a text that are looked through: a book is not read for a line of it.
_LOOKED_AT = 200_000
#: Marks that are tried as the beginning.
_TRIED = 100

Marks = tuple[tuple[int, int], ...]


def snippet(text: str, wanted: SearchQuery) -> tuple[str, Marks]:
    """Return the part of a text, on one line, in which most of the terms stand, and where they stand in it.

    The text's beginning where none of them does.
    """
    line = " ".join(text[:_LOOKED_AT].split())
    marks = wanted.marks(line, _TRIED)
    start = _cut(line, max(0, _best(line, marks) - _BEFORE))
    end = min(len(line), start + LENGTH)
    if end < len(line):
        # Not in the middle of a word, unless that is all there is.
        end = max(line.rfind(" ", start + LENGTH // 2, end + 1), 0) or end
    before, after = "… " if start else "", " …" if end < len(line) else ""
    shift = len(before) - start
    inside = tuple((at + shift, min(until, end) + shift) for at, until in marks if start <= at < end)
    return before + line[start:end] + after, inside


def _best(line: str, marks: list[tuple[int, int]]) -> int:
    """Where the stretch begins that shows the most different marks."""
    starts = [start for start, _ in marks]
    best, most = 0, 0
    for number, start in enumerate(starts):
        last = bisect_left(starts, start + LENGTH - _BEFORE)
        shown = len({line[at:until].casefold() for at, until in marks[number:last]})
        if shown > most:
            best, most = start, shown
    return best


def _cut(line: str, at: int) -> int:
    """The beginning of a word at or behind a place, where one begins soon."""
    if at == 0:
        return 0
    word = re.compile(r"(?<=\s)\S").search(line, at, at + _BEFORE)
    return word.start() if word else at

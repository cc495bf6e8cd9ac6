"""A block's text as a line that may repeat on a site: folded, hashed, and compared with lines nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from crawler.html.words import tokens

#: Lines that are the same for so many characters are the same.
LONGEST = 400
#: Two lines are nearly the same when so much of the longer one's words is in the other.
_NEARLY = 0.75
#: Shorter lines, in words, are compared whole only.
_LEAST_NEAR = 6
#: Lines that begin alike by the hundred are a form, and one of the first is like the next.
_MOST_MET = 30
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_QUOTE = re.compile(r"^\s*(?:[\"'“„”»«‘’「『]|[-–—―]\s)")
#: What leads in to something else: "Read also: …".
_LEAD = re.compile(r"^\s*([^\s:：|»›→][^:：|»›→]{0,38}?)\s*[:：|»›→]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, folded: without case and punctuation, every number the same."""

    key: str
    words: tuple[str, ...]
    #: Opens with a quotation mark or a dash: somebody speaks.
    quoted: bool


class Nearby:
    """Groups of lines that are nearly the same; the order they come in does not matter."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._meeting: dict[str, list[Line]] = {}
        self._head: dict[str, str] = {}
        for each in sorted({each.key: each for each in lines}.values(), key=lambda each: each.key):
            self._head[each.key] = self.group(each)
            for place in _near(each):
                self._meeting.setdefault(place, []).append(each)

    def group(self, line: Line) -> str:
        """Return the key of the group a line belongs to; its own if it is alone."""
        if line.key in self._head:
            return self._head[line.key]
        return next((self._head[other.key] for other in self._met(line) if _nearly(line, other)), line.key)

    def _met(self, line: Line) -> Iterator[Line]:
        for place in _near(line):
            yield from self._meeting.get(place, ())[:_MOST_MET]


@lru_cache(maxsize=65_536)
def line(text: str) -> Line:
    """Return a text's line; the same for its first `LONGEST` characters."""
    folded = tuple(tokens(_NUMBER.sub("0", text[:LONGEST])))
    return Line(short_hash(" ".join(folded) or text[:LONGEST]), folded, _QUOTE.match(text) is not None)


def lead(text: str) -> str | None:
    """Return, folded, what leads in to the rest: "read also" of "Read also: Ten ways …"; `None` if nothing does."""
    match = _LEAD.match(text)
    return " ".join(line(match[1]).words) or None if match else None


def short_hash(text: str) -> str:
    """Return 12 hexadecimal digits."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _near(line: Line) -> tuple[str, ...]:
    """Where a line meets those nearly the same: its beginning and its end."""
    if len(line.words) < _LEAST_NEAR:
        return ()
    return "^" + " ".join(line.words[:4]), "$" + " ".join(line.words[-4:])


def _nearly(one: Line, other: Line) -> bool:
    first, second = set(one.words), set(other.words)
    return len(first & second) >= _NEARLY * max(len(first), len(second))

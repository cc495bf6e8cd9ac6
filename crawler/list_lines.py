"""One line of a list, as people paste it: the address in it, without the quotes, bullets, columns and commas around."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HTTP = re.compile(r"https?://", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
#: What is copied along with text and is not seen: spaces of no width, marks of direction, byte order marks.
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
#: A bullet or number before an address, and brackets or quotes between them.
_BULLET = re.compile(r"(?:[-*+•·–—]|\d{1,6}[.)])\s+(?=[<\"'“”„«‘`]?https?://)", re.IGNORECASE)
_QUOTES = {"<": ">", '"': '"', "'": "'", "`": "`", "“": "”", "”": "”", "„": "“", "«": "»", "‘": "’"}
#: The next column of a list with quotes: no address has a quote in it as it is.
_NEXT_QUOTED = re.compile(r"[,;|]\s*\"")
#: Two addresses with a blank between.
_ANOTHER = re.compile(r"[,;]?\s+(?=https?://)", re.IGNORECASE)
#: What goes on behind a blank within an address: a path, a query or the name of a file, in which browsers show blanks.
_GOES_ON = re.compile(r"(?=\w)(?:.*(?:[a-z]/|\S[?=%])\S|.*\.[a-z][a-z0-9]{1,4}$)", re.IGNORECASE)


def addresses(line: str) -> Iterator[str]:
    """Yield what a line has: its address, or several; a line that has none is given back as it stands.

    A comment, from a "#" at the beginning or behind a blank, is left out; commas and semicolons at the end are those of
    a list. Of columns, between tabs or in quotes, the first with an address counts. What follows it behind a blank,
    such as a date or a title, is no part of it, unless it goes on as addresses do.
    """
    given = _COMMENT.sub("", _bare(line)).rstrip()
    if not given:
        return
    cells = [cell for cell in map(_unwrapped, given.split("\t")) if _HTTP.match(cell)]
    if not cells:
        yield given
        return
    for address in _ANOTHER.split(cells[0]):
        yield _alone(address).rstrip(",;")


def _alone(text: str) -> str:
    """An address without what is said of it behind a blank."""
    address, *said = text.split(maxsplit=1)
    return text if said and _GOES_ON.match(said[0]) else address


def _bare(text: str) -> str:
    """Without blanks and what is not seen around it."""
    while (shorter := text.strip().strip(_UNSEEN)) != text:
        text = shorter
    return text


def _unwrapped(cell: str) -> str:
    """An address without what stands around it; what is none comes back in some form that is none."""
    text = _bare(_BULLET.sub("", _bare(cell), count=1))
    if (closing := _QUOTES.get(text[:1])) and _HTTP.match(text, 1):
        end = text.find(closing, 1) if closing != "'" else text.rstrip(",;").rfind(closing)
        text = text[1:] if end < 1 else text[1:end]
    return _bare(_NEXT_QUOTED.split(text, maxsplit=1)[0]).rstrip(",;").rstrip()

"""Names in a line that has a date as well: "Posted on 18 November 2026 by Ann Berg", "Ann Berg · 18.11.2026"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from crawler.extraction.metadata import names
from crawler.html.dates import CHANGED
from crawler.html.printed_dates import Printed

#: Finds the dates in a line.
Dates = Callable[[str], Sequence[Printed]]

#: Words that stand beside the dates of a byline, at most: more is a sentence.
_LONGEST = 14
#: "in World News by Ann Berg": words that name a writer wherever they stand, in no name and no title.
_BY_WITHIN = re.compile(
    r"\s(?=(?:by|von|par|por|door|przez|oleh|автор(?:ом)?)\s|(?:作者|记者|記者|撰文|글|كتبت?|بقلم|מאת)\s*[:：])",
    re.IGNORECASE,
)
# "Ann Berg on Wed," before a date.
_WEEKDAY = re.compile(r"\s(?:on|am|le|el|il|em|op|den|pada|dne|dnia|w)\s+[^\W\d]+[,.]?$", re.IGNORECASE)
_AGO = re.compile(r"\s+(?:vor\s|hace\s|há\s|il y a\s|för\s|for\s)?\d.*$", re.IGNORECASE)
#: Beginnings of places, sections and days, which stand beside dates as names do, and are hardly anybody's first name.
_PLACE = re.compile(
    r"(?:new|san|santa|são|los|las|el|la|le|saint|st|sankt|south|north|east|west|central|port|cape|fort|hong|tel"
    r"|abu dhabi|buenos|kuala|addis|bad|novi|nizhny|rio|great|united|sri|costa|puerto|mount|lake|black|cyber|world"
    r"|season|part|chapter|day|week|mon|tues|wednes|thurs|fri|satur|sun|der|die|das)(?:day)?\b",
    re.IGNORECASE,
)


def credited(texts: Sequence[str], dates: Dates, own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the persons in texts that are known to be a byline, with or without a date."""
    dated = [(text, _pieces(text, dates)) for text in texts]
    if any(pieces for _, pieces in dated) and (found := [name for text in texts for name in said(text, dates, own)]):
        return tuple(dict.fromkeys(found))
    parts = [part for _, pieces in dated for piece in pieces for part in names.parts(piece) if not _PLACE.match(part)]
    return names.persons([*parts, *(text for text, pieces in dated if not pieces)], own)


def said(line: str, dates: Dates, own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the persons that a line with a date, or with how long ago it was, says are its writers: "by …"."""
    pieces = _pieces(line, dates) or [_AGO.sub("", line)]
    said_by = [piece for piece in pieces if names.says_by(piece) and not names.is_beside_the_text(piece)]
    return names.persons(said_by, own)


def beside(line: str, dates: Dates, own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the persons in a line that is but a name and a date; none where something else may be the name."""
    found = [
        people
        for piece in _pieces(line, dates)
        for part in names.parts(piece)
        if (people := names.persons([part], own)) and not _PLACE.match(part)
    ]
    if len(found) != 1 or not all(map(names.has_case, found[0])):
        return ()
    return found[0]


def _pieces(line: str, dates: Dates) -> list[str]:
    """What stands around the dates of a line; empty for one without a date, and for a sentence with one in it."""
    if names.is_beside_the_text(line):
        return []
    found = dates(line)
    written = [piece for each in found for piece in (each.before, each.after) if piece]
    if sum(len(piece.split()) for piece in written) > _LONGEST:
        return []
    return [piece for text in written for piece in _trimmed(text) if piece]


def _trimmed(text: str) -> Iterator[str]:
    """A piece from where it names its writer, without the words that lead in to the date behind it."""
    text = text.strip(" \t,.:;|/·•–—-")
    if not names.says_by(text) and (within := list(_BY_WITHIN.finditer(text))):
        text = text[within[-1].end() :]
    words = _WEEKDAY.sub("", text).split()
    # "Ann Berg on", "Ann Berg Published": no name ends so.
    while words and (words[-1].islower() or names.is_done(words[-1]) or CHANGED.search(words[-1])):
        words.pop()
    yield " ".join(words)

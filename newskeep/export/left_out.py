"""How much of what is chosen its publishers keep to themselves: told, and left out where that is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from newskeep.export import CAPTURE_FORMATS, Selection
from newskeep.export.cdxj import chosen
from newskeep.export.choice import Choice
from storage.archive import Archive
from storage.index import ArticleEntry
from storage.model import Capture


@dataclass(slots=True)
class LeftOut:
    """Of the chosen articles (of CDXJ and WACZ: captures), left out or not."""

    #: How many say `noarchive`; and how many more were to be shown up to a moment that is past.
    noarchive: int = 0
    ended: int = 0
    #: How many are reserved for the purpose of the export, by what says so.
    reserved: Counter[str] = field(default_factory=Counter)
    #: How many of the others name a licence, whose terms are for a person to read.
    licensed: int = 0


def count(archive: Archive, name: str, selection: Selection) -> LeftOut:
    """Goes through the index once, where there is anything to be counted at all."""
    found = LeftOut()
    if selection.purpose is None and not (archive.index.has_noarchive() or archive.index.has_ends()):
        return found
    choice = Choice(archive, selection)
    for held in _all(archive, name, replace(selection, public=False, purpose=None)):
        if not choice.is_of_shard(held):
            continue
        says = choice.says_noarchive(held)
        found.noarchive += says
        found.ended += not says and choice.is_closed(held)
        if selection.purpose is None or (selection.public and choice.is_closed(held)):
            continue
        if (reason := choice.reserved(held)) is not None:
            found.reserved[reason] += 1
        else:
            found.licensed += choice.is_licensed(held)
    return found


def _all(archive: Archive, name: str, selection: Selection) -> Iterator[ArticleEntry | Capture]:
    if name in CAPTURE_FORMATS and selection.language is None:
        return chosen(archive, selection)
    return archive.index.articles(
        site=selection.site,
        language=selection.language,
        since=selection.since,
        until=selection.until,
        tag=selection.tag,
    )

"""How much of what is chosen says `noarchive`: told of every export, and left out of those for others (`--public`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from newskeep.export import CAPTURE_FORMATS, Selection
from newskeep.export.cdxj import chosen
from storage.archive import Archive
from storage.index import ArticleEntry
from storage.model import Capture


def count(archive: Archive, name: str, selection: Selection) -> int:
    """Return how many of the chosen articles (of CDXJ and WACZ: captures) say `noarchive`, left out or not.

    Goes through the index once, where anything is marked at all.
    """
    if not archive.index.has_noarchive():
        return 0
    return sum(each.noarchive for each in _all(archive, name, replace(selection, public=False)))


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

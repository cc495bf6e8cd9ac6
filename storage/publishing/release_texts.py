"""The texts of a published month let go by the database: words and texts leave it, what says where they are stays.

A text that is not published as the database has it, as one of a WARC that came since, stays where it is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from storage.archive import Archive
from storage.index.rows import seconds
from storage.published.manifest import Manifest
from storage.published.released import HeldDocument

#: Texts that leave in one transaction: their words are taken out one by one, and others who write wait.
_BATCH = 500


@dataclass(slots=True)
class TextsReleased:
    """How many texts left, and how many are not published as they are and stay."""

    left: int = 0
    kept: int = 0


def release_texts(
    archive: Archive, manifest: Manifest, on_text: Callable[[TextsReleased], None] = lambda done: None
) -> TextsReleased:
    """Let the database go the texts of a month that is published with them. Reads what is published once."""
    done = TextsReleased()
    # Before the first one leaves, so that no reader misses it.
    archive.index.release_texts(manifest.month, manifest.generation)
    batch: list[HeldDocument] = []
    for document, is_published in _compared(archive, manifest):
        if not is_published:
            done.kept += 1
            continue
        batch.append(document)
        if len(batch) == _BATCH:
            done.left += archive.index.let_texts_go(batch)
            batch.clear()
            on_text(done)
    done.left += archive.index.let_texts_go(batch)
    return done


def _compared(archive: Archive, manifest: Manifest) -> Iterator[tuple[HeldDocument, bool]]:
    """Yield the documents of the month whose texts the database has, and whether each is published."""
    month = manifest.month
    there = groupby(archive.index.published_documents(month, manifest.generation), key=lambda document: document.second)
    second, places = -1, frozenset[tuple[str, str]]()
    for document in archive.index.documents(seconds(month.start), seconds(month.end) - 1):
        while second < document.second and (group := next(there, None)) is not None:
            second, places = group[0], frozenset((each.surt, each.digest) for each in group[1])
        if document.has_text:
            yield document, second == document.second and (document.surt, document.digest) in places

"""A published month let go by the database: each row is held against what is published before it leaves.

A row of a WARC that came since it was published stays, beside what is published, until the month is published again.

Where the rows are, is told to the database before the first of them leaves it, so that no reader misses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from storage.archive import Archive
from storage.cdxj import in_seconds
from storage.index.rows import seconds
from storage.model import Capture
from storage.published.manifest import Manifest
from storage.urls import surt

#: Rows that leave in one transaction: others who write wait for it, some milliseconds.
_BATCH = 2_000
_END = "\x7f"


@dataclass(slots=True)
class ReleaseResult:
    """`kept` are the rows that stay: what is not for others to see, by which WARCs are served without it."""

    left: int = 0
    kept: int = 0
    #: Rows that stay, too, since their WARC came when the month had been published.
    late: int = 0
    #: Rows that what is published does not answer; where there is one, none has left.
    unanswered: int = 0
    #: The first of these.
    example: Capture | None = None


def release(
    archive: Archive, manifest: Manifest, on_row: Callable[[ReleaseResult], None] = lambda done: None
) -> ReleaseResult:
    """Let the database go the rows of a month that is published. Reads what is published twice, from the store."""
    done = ReleaseResult()
    for capture, answered in _compared(archive, manifest):
        if not answered and capture.filename in manifest.sources:
            done.unanswered += 1
            done.example = done.example or capture
    if done.unanswered:
        return done
    archive.index.release(manifest.month, manifest.generation)
    batch: list[Capture] = []
    for capture, answered in _compared(archive, manifest):
        if not answered:
            done.late += 1
            continue
        batch.append(capture)
        if len(batch) == _BATCH:
            _let_go(archive, batch, done)
            on_row(done)
    _let_go(archive, batch, done)
    return done


def _let_go(archive: Archive, batch: list[Capture], done: ReleaseResult) -> None:
    gone = archive.index.let_go(batch)
    done.left += gone
    done.kept += len(batch) - gone
    batch.clear()


def _compared(archive: Archive, manifest: Manifest) -> Iterator[tuple[Capture, bool]]:
    """Yield the rows of the month that the database has, hidden or not, and whether each is published as it is."""
    month = manifest.month
    published = _groups(archive, manifest)
    moment, there = next(published, (None, frozenset()))
    last = month.end - timedelta(seconds=1)
    for capture in archive.index.in_database().with_hidden.all_captures(since=month.start, until=last):
        at = (surt(capture.url), seconds(capture.timestamp))
        while moment is not None and moment < at:
            moment, there = next(published, (None, frozenset()))
        yield capture, moment == at and in_seconds(capture) in there


def _groups(archive: Archive, manifest: Manifest) -> Iterator[tuple[tuple[str, int] | None, frozenset[Capture]]]:
    """Yield what is published, by SURT and second, in their order."""
    found = archive.index.with_hidden.published(manifest.month, manifest.generation, "", _END)
    for moment, same in groupby(found, key=lambda one: (surt(one.url), seconds(one.timestamp))):
        yield moment, frozenset(map(in_seconds, same))

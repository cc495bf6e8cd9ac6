"""What is made in the spool on its way into the archive: to the store, then to the index, then out of the spool."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from storage import cdxj
from storage.annotating import sync as annotations_sync
from storage.annotations import of_crawl
from storage.compaction.plan import joined_on
from storage.errors import NotArchived
from storage.index import WarcEntry
from storage.index.articles import ReadEntries, entries_of
from storage.objects import ObjectStore
from storage.published.whole import WholeIndex
from storage.removing.sync import learn
from storage.spool import CrawlFolder, Look, Parcel
from storage.warc import day_of, key_of

if TYPE_CHECKING:
    from storage.transparency.writer import LogWriter

T = TypeVar("T")


class Delivery:
    """Delivers into one store. `index` opens the index, `log` the signed log, when either is written to."""

    def __init__(
        self, store: ObjectStore, index: Callable[[], WholeIndex], log: Callable[[], LogWriter | None]
    ) -> None:
        self._store = store
        self._index = index
        self._log = log

    def deliver(self, parcel: Parcel, look: Look, read: ReadEntries) -> None:
        """Bring a sealed WARC and its parts to the store, then to the index, then empty the spool of them.

        May be repeated after a failure at any point, even when a compaction has taken the WARC up meanwhile. `look` is
        called before each object and each row, and ends the work by what it raises. `read` reads what the index is to
        know of its text.
        """
        if parcel.filename in joined_on(self._store, day_of(parcel.filename)):
            parcel.remove()
            return
        if parcel.untexted.exists():
            self._store.replace(key_of(parcel.filename, "untexted"), parcel.untexted.read_bytes())
        # WARC before index: reindex recovers a lost row, nothing recovers a lost byte.
        for kind, path in (("text", parcel.text), ("cdxj", parcel.cdxj), ("warc", parcel.warc)):
            look()
            self._store.put(key_of(parcel.filename, kind), path)
        log = self._log()
        if log is not None:
            # Before the index: what that has is not delivered again after a kill.
            log.add_warc(parcel.filename, lambda: parcel.warc.open("rb"))
        with parcel.warc.open("rb") as warc:
            digest = hashlib.file_digest(warc, "sha256").hexdigest()
        part = key_of(parcel.filename, "text")
        # What another machine hid meanwhile may be in it.
        learn(self._store, self._index())
        with parcel.cdxj.open("rb") as lines, closing(read(parcel.text, part)) as entries:
            self._index().add(
                WarcEntry(parcel.filename, parcel.warc.stat().st_size, digest, (part,)),
                (cdxj.parse(line) for line in _looking(lines, look)),
                _looking(entries, look),
            )
        parcel.remove()

    def replace_text(self, filename: str, text: Path, lines: Iterable[bytes]) -> None:
        """Put a text part in the place of what is held of a WARC, then its rows into the index; `lines` is its CDXJ."""
        entry, part = self._index().warc(filename), key_of(filename, "text")
        if entry is None:
            raise NotArchived(f"{filename} is not in the index; newskeep reindex")
        # The part first: a reader whose place in it no longer fits looks the article up in the whole part.
        self._store.replace(part, text.read_bytes())
        with text.open("rb") as stream:
            self._index().replace(
                [filename],
                WarcEntry(filename, entry.size, entry.sha256, (part,)),
                (cdxj.parse(line, filename, number) for number, line in enumerate(lines, 1)),
                entries_of(stream, part),
            )

    def deliver_report(self, folder: CrawlFolder) -> None:
        """Bring a crawl's report to the store and empty the spool of it."""
        started = datetime.fromtimestamp(folder.report.stat().st_mtime, UTC)
        key = f"crawls/{started:%Y/%m/%d}/{folder.crawl}.json"
        self._store.put(key, folder.report)
        if next(annotations_sync.tagged_outcomes(self._store, key), None) is not None:
            # The report before what points to it: without, its tags would be looked for in vain.
            annotation = of_crawl(key, folder.crawl, started)
            self._store.put(annotation.key, annotation.to_json())
            annotations_sync.learn(self._store, self._index())
        folder.outcomes.unlink(missing_ok=True)
        folder.report.unlink()


def _looking(items: Iterable[T], look: Look) -> Iterator[T]:
    for item in items:
        look()
        yield item

"""Index: the questions the archive asks of its tables, in SQL that SQLite and PostgreSQL both speak.

Here is what changes it, and what it says of WARCs; `CaptureLookup`, `ArticleLookup` and `TextSearch` are what it finds,
`AnnotationLookup` what people said of that, `TallyLookup` what it counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from storage.annotations import Annotation, Place
from storage.counts import counted
from storage.database import transaction
from storage.index import ArticleEntry, Counts, WarcEntry, hiding, queries, tagging, writes
from storage.index.annotation_lookup import AnnotationLookup
from storage.index.article_lookup import ArticleLookup
from storage.index.capture_lookup import CaptureLookup
from storage.index.queries import BATCH
from storage.index.rows import capture_of, seconds, warc_of
from storage.index.tallies import TallyLookup
from storage.index.text_search import TextSearch
from storage.model import Capture
from storage.removals import Removal


class Index(CaptureLookup, ArticleLookup, TextSearch, AnnotationLookup, TallyLookup):
    """Captures and articles by URL and time. Threads may share one; processes open their own.

    What is hidden (`hide`) is found by nothing here but `with_hidden`.

    Times are kept in whole seconds. A URL is looked up by its SURT, so URLs that differ only in case, "www." or scheme
    answer for each other where the asked one itself is not held. Every method raises `StoreUnavailable` when the
    database cannot be reached, is damaged or busy for too long.
    """

    # Writing

    def add(self, warc: WarcEntry, captures: Iterable[Capture], articles: Iterable[ArticleEntry] = ()) -> bool:
        """Enter a sealed WARC with its rows, all or nothing, durable on return. False if it was there already.

        The rows are read a batch at a time and before any lock is taken; they must name the WARC's filename, and
        articles one of its parts (ValueError). Raises `Corrupt` when another file of this name is known, by its digest,
        or two different rows claim one place.
        """
        return self.replace((), warc, captures, articles)

    def replace(
        self,
        old: Collection[str],
        warc: WarcEntry,
        captures: Iterable[Capture],
        articles: Iterable[ArticleEntry] = (),
    ) -> bool:
        """Enter `warc` as `add` does and remove the WARCs named in `old`, in one transaction.

        `old` may hold names that are not there, and the new name too, to enter a WARC afresh with other articles.
        """
        with self._writing() as connection:
            return writes.replace(connection, old, warc, captures, articles)

    def remove(self, *filenames: str) -> bool:
        """Remove WARCs and their rows in one transaction. False if none was there.

        Reads the whole table of captures, once for all of them.
        """
        with self._writing() as connection:
            return writes.remove(connection, filenames)

    # What is hidden

    def hide(self, removals: Iterable[Removal]) -> None:
        """Let what is hidden follow from these decisions, all there are, in one transaction; durable on return."""
        with self._writing() as connection, transaction(connection, "BEGIN IMMEDIATE"):
            hiding.enter(connection, removals)

    def removals(self) -> list[Removal]:
        """Return the decisions that were given to `hide`, in order of time."""
        with self._reading() as connection:
            return hiding.known(connection)

    def annotate(self, said: Iterable[tuple[Annotation, Iterable[Place]]]) -> None:
        """Enter annotations that are not known, each with what follows from it; durable on return."""
        with self._writing() as connection:
            for annotation, places in said:
                with transaction(connection, "BEGIN IMMEDIATE"):
                    # Another process may have been faster.
                    if annotation.key not in tagging.keys(connection):
                        tagging.enter(connection, annotation, places)

    def annotation_keys(self) -> set[str]:
        """Return the keys of the annotations that are known."""
        with self._reading() as connection:
            return tagging.keys(connection)

    @property
    def with_hidden(self) -> Index:
        """The same index for upkeep: it finds what is hidden too. It is closed with this one."""
        return Index(self._database, sees_hidden=True)

    def hidden_in(self, filename: str, end: int) -> list[Capture]:
        """Return the captures of a WARC that are hidden and begin before a place in it, in their order."""
        rows = self._fetch(queries.HIDDEN_IN, filename=filename, end=end)
        # What two decisions hide comes twice.
        return sorted({capture_of(row) for row in rows}, key=lambda capture: capture.offset)

    def scrub(self) -> None:
        """Write the database anew, without what was deleted from it: until then its words still stand in the file.

        Takes about as long as a copy of the file, and as much room meanwhile; readers go on, but for PostgreSQL, where
        those of a table wait until it is done.
        """
        with self._writing() as connection:
            writes.scrub(connection)

    def hidden_version(self) -> tuple[int, int]:
        """Return what is another whenever something was hidden, or is shown again."""
        known, places = self._fetch(queries.HIDDEN)[0]
        return int(known), int(places)

    # WARCs

    def has_warc(self, filename: str) -> bool:
        return bool(self._fetch(queries.WARC, filename=filename))

    def warc(self, filename: str) -> WarcEntry | None:
        rows = self._fetch(queries.WARC, filename=filename)
        return warc_of(rows[0]) if rows else None

    def warcs(self, after: str = "") -> Iterator[WarcEntry]:
        """Yield the WARCs in the order of their names, which is that of their times; those behind a name alone."""
        last = after
        while rows := self._fetch(queries.WARCS, last=last, n=BATCH):
            entries = [warc_of(row) for row in rows]
            yield from entries
            last = entries[-1].filename

    def has_noarchive(self) -> bool:
        """Return whether anything that is held says `noarchive`."""
        return bool(self._fetch(queries.ANY_NOARCHIVE))

    def says_noarchive(self, filename: str, start: int, end: int) -> bool:
        """Return whether a record that says `noarchive` has bytes from `start` up to `end` of a WARC."""
        return bool(self._fetch(queries.SAYS_NOARCHIVE, filename=filename, start=start, end=end))

    def has_ends(self) -> bool:
        """Return whether anything that is held may be shown to others up to a moment alone."""
        return bool(self._fetch(queries.ANY_ENDING))

    def has_ended(self, filename: str, start: int, end: int, moment: datetime) -> bool:
        """Return whether a record that is not to be shown from a moment on has bytes from `start` up to `end`."""
        values = {"filename": filename, "start": start, "end": end, "moment": seconds(moment)}
        return bool(self._fetch(queries.HAS_ENDED, **values))

    def counts(self) -> Counts:
        return Counts(*(int(number or 0) for number in self._fetch(queries.COUNTS)[0]))

    def size(self) -> int:
        """Return how many bytes the index takes."""
        with self._database.explained():
            return self._database.size()

    def problems(self) -> Iterator[str]:
        """Yield what is wrong inside the index, a line each; nothing when it is sound. Reads all of it."""
        self._database.check()
        with self._database.explained():
            told = self._database.problems()
        yield from told
        for filename, expected, found in self._miscounted():
            entered = f"{counted(expected, 'capture was', 'captures were')} entered"
            yield f"{filename}: {entered}, {counted(found, 'is', 'are')} there"

    def _miscounted(self) -> Iterator[tuple[str, int, int]]:
        """Yield the WARCs of which another number of captures is there than was entered, with both."""
        yield from ((str(name), int(entered), int(there)) for name, entered, there in self._fetch(queries.MISCOUNTED))

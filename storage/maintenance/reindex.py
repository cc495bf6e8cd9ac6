"""The index made from the store: from CDXJ and text parts, or from the WARCs where a CDXJ is no good.

Incremental: a WARC that the index has with the same size and the same text is not read again. One WARC is one
transaction, so whatever stops the work, what was done stays done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, cast

from storage import cdxj
from storage.annotating import sync as annotations_sync
from storage.archive import Archive
from storage.articles import read_part
from storage.compaction.plan import hidden
from storage.errors import Corrupt, NewskeepError, ObjectMissing, StoreUnavailable
from storage.hashing import HashingReader, digest_of
from storage.index import ArticleEntry, WarcEntry
from storage.index.articles import entry_of
from storage.index.index import Index
from storage.ingest.names import is_foreign_name, stray
from storage.inventory import Holding, holdings
from storage.model import Capture
from storage.objects import ObjectInfo
from storage.problems import Problem
from storage.removing.due import scrubbed
from storage.removing.sync import learn
from storage.transparency.restore import restore
from storage.warc import capture_of, read_records

#: Files of others that are told of in a place that holds nothing of ours, and objects that are looked at for it.
_FOREIGN_TOLD, _LOOKED_AT = 10, 10_000


@dataclass(slots=True)
class ReindexResult:
    """What was done, in WARCs, and rows entered."""

    #: WARCs that the index had already, as they are.
    known: int = 0
    #: WARCs entered, and how many of these were read themselves.
    entered: int = 0
    from_warcs: int = 0
    #: WARCs that are no longer in the store.
    removed: int = 0
    captures: int = 0
    articles: int = 0
    #: Why the index was begun anew; `None` when it was not.
    renewed: str | None = None


@dataclass(frozen=True, slots=True)
class ReindexOptions:
    #: Begin with an empty index.
    fresh: bool = False
    #: Read every WARC instead of its CDXJ; begins with an empty index too.
    from_warcs: bool = False
    #: Put CDXJ files that are missing or wrong back into the store, made from the WARCs.
    mend: bool = False


def reindex(
    archive: Archive,
    options: ReindexOptions | None = None,
    *,
    on_warc: Callable[[ReindexResult], None] = lambda done: None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> ReindexResult:
    """Bring the index up to date with the store.

    `on_warc` is called with the running counts after each WARC, `on_problem` with what could not be read as it should.
    Raises `AlreadyRunning` when another reindex or compaction is at work here, or when a damaged index is in use.
    """
    with archive.upkeep():
        return bring_up_to_date(archive, options, on_warc=on_warc, on_problem=on_problem)


def bring_up_to_date(
    archive: Archive,
    options: ReindexOptions | None = None,
    *,
    on_warc: Callable[[ReindexResult], None] = lambda done: None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> ReindexResult:
    """`reindex` for a caller that holds the lock."""
    options = options or ReindexOptions()
    done = ReindexResult(renewed=_renew(archive, options))
    # Before anything is entered: nobody may find for a moment what is hidden.
    learn(archive.store, archive.index, on_problem)
    annotations_sync.learn(archive.store, archive.index, on_problem)
    if options.mend:
        restore(archive.store, on_problem)
    with scrubbed(archive, on_problem):
        _enter_until_stable(_Reindex(archive, options, done, on_warc, on_problem), archive, done)
    return done


def _enter_until_stable(work: _Reindex, archive: Archive, done: ReindexResult) -> None:
    gone: frozenset[str] = frozenset()
    while True:
        # A WARC is taken from the index when two listings lack it: a compaction whose large WARC the first came too
        # early to see had that in the store before it removed the small ones.
        missing = work.enter_all()
        certain = missing & gone
        if certain and archive.index.remove(*certain):
            done.removed += len(certain)
        if missing <= gone:
            if not (done.known or done.entered):
                work.tell_foreign()
            return
        gone |= missing


def _renew(archive: Archive, options: ReindexOptions) -> str | None:
    """Begin a new index where the old one is of no use, and return why."""
    why = "as asked" if options.fresh or options.from_warcs else None
    if why is None:
        try:
            why = next(archive.index.problems(), None)
        except StoreUnavailable as error:
            why = str(error)
    if why is not None:
        archive.renew_index()
    # Says so at once when it cannot be written.
    archive.check_index()
    return why


class _Reindex:
    """One run's passes over the store."""

    def __init__(
        self,
        archive: Archive,
        options: ReindexOptions,
        done: ReindexResult,
        on_warc: Callable[[ReindexResult], None],
        on_problem: Callable[[Problem], None],
    ) -> None:
        self._archive = archive
        self._store = archive.store
        self._index: Index = archive.index
        self._options = options
        self._done = done
        self._on_warc = on_warc
        self._on_problem = on_problem
        #: Names already looked at in an earlier pass: problems are told once.
        self._seen: set[str] = set()

    def enter_all(self) -> frozenset[str]:
        """Enter what is in the store and not in the index; return what is in the index and not in the store."""
        unseen = hidden(self._store, self._tell_once)
        known = self._index.warcs()
        entry = next(known, None)
        missing = set()
        for holding in holdings(self._store, self._tell_stray):
            # Both go by name; what the index has in between is not in the store.
            while entry is not None and entry.filename < holding.filename:
                missing.add(entry.filename)
                entry = next(known, None)
            same = entry if entry is not None and entry.filename == holding.filename else None
            if same is not None:
                entry = next(known, None)
            if holding.warc is not None and holding.filename not in unseen:
                self._consider(holding, same)
            elif same is not None:
                missing.add(same.filename)
        while entry is not None:
            missing.add(entry.filename)
            entry = next(known, None)
        return frozenset(missing)

    def _tell_stray(self, info: ObjectInfo) -> None:
        if is_foreign_name(info.key):
            self._tell_once(Problem(info.key, stray(self._store.uri, info.key)))

    def tell_foreign(self) -> None:
        """Where nothing of ours is held: tell of the files of others that lie there instead, the first of them."""
        found = (info for info in islice(self._store.list(), _LOOKED_AT) if is_foreign_name(info.key))
        for info in islice(found, _FOREIGN_TOLD):
            self._tell_stray(info)

    def _consider(self, holding: Holding, entry: WarcEntry | None) -> None:
        if holding.filename in self._seen:
            return
        self._seen.add(holding.filename)
        parts = (holding.part,) if holding.text is not None else ()
        mends = self._options.mend and holding.cdxj is None
        if entry is not None and self._is_as_held(entry, holding, parts) and not mends:
            self._done.known += 1
        else:
            # Gone while we read: the next pass sees it missing.
            with suppress(ObjectMissing):
                self._enter(holding, parts)
        self._on_warc(self._done)

    def _is_as_held(self, entry: WarcEntry, holding: Holding, parts: tuple[str, ...]) -> bool:
        # A text part that was made again elsewhere has another length.
        text = self._index.text_size(entry.filename)
        same = (entry.size, entry.parts, text) == (holding.warc, parts, holding.text or 0)
        # An index from before there was search has no texts.
        return same and not self._index.unsearched(entry.filename)

    def _enter(self, holding: Holding, parts: tuple[str, ...]) -> None:
        self._archive.mind_upkeep()
        captures = None if self._options.from_warcs else self._from_cdxj(holding)
        if captures is not None:
            entry = WarcEntry(holding.filename, holding.warc or 0, "", parts)
        else:
            entry, captures = self._from_warc(holding, parts)
        if holding.text is None:
            self._tell(holding.part, "missing; `newskeep reextract` makes the text again from the WARC")
        # In `old` as well: rows of an earlier size or without this text go with it.
        self._index.replace([holding.filename], entry, captures, self._articles(holding, parts))
        self._done.entered += 1
        held = self._index.warc(holding.filename)
        if held is not None:
            self._done.captures += held.captures
            self._done.articles += held.articles

    def _from_cdxj(self, holding: Holding) -> list[Capture] | None:
        """The captures of a WARC from its CDXJ, `None` when that is not there or not to be trusted."""
        key = holding.key("cdxj")
        try:
            with self._store.open(key) as stream:
                captures = list(cdxj.read_file(stream, key))
            for capture in captures:
                if capture.filename != holding.filename or capture.offset + capture.length > (holding.warc or 0):
                    raise Corrupt(f"{key}: names a place that is not in {holding.filename}")
            if len({capture.offset for capture in captures}) < len(captures):
                raise Corrupt(f"{key}: two captures claim one place")
        except (Corrupt, ObjectMissing) as error:
            if not self._options.mend:
                what = f"cannot be used ({error})" if isinstance(error, Corrupt) else "missing"
                self._tell(key, f"{what}; captures are read from the WARC; `newskeep reindex --mend` makes it again")
            return None
        return captures

    def _from_warc(self, holding: Holding, parts: tuple[str, ...]) -> tuple[WarcEntry, list[Capture]]:
        """The entry and captures of a WARC from its records, up to where it is damaged, if it is."""
        captures, good = [], 0
        with self._store.open(holding.key()) as stream:
            hashed = HashingReader(stream)
            try:
                for record in read_records(cast(BinaryIO, hashed)):
                    record.check()
                    if capture := capture_of(record, holding.filename):
                        captures.append(capture)
                    good = record.offset + record.length
                hashed.drain()
            except Corrupt as error:
                self._tell(
                    holding.key(),
                    f"damaged ({error}); what stands behind is not indexed: bring a whole one from another archive",
                )
        self._done.from_warcs += 1
        if good < (holding.warc or 0):
            # With the size of what could be read, so that a whole one that takes its place is read again.
            return WarcEntry(holding.filename, good, "", parts), captures
        if self._options.mend:
            self._mend(holding, captures)
        return WarcEntry(holding.filename, hashed.size, hashed.sha256, parts), captures

    def _mend(self, holding: Holding, captures: list[Capture]) -> None:
        key, made = holding.key("cdxj"), b"".join(cdxj.lines(captures))
        with suppress(ObjectMissing):
            if digest_of(self._store, key) == (len(made), hashlib.sha256(made).hexdigest()):
                return
        self._store.replace(key, made)

    def _articles(self, holding: Holding, parts: tuple[str, ...]) -> Iterator[ArticleEntry]:
        """Yield the articles of a WARC, up to where its text part is damaged, if it is."""
        offsets: set[int] = set()
        for part in parts:
            try:
                with self._store.open(part) as stream:
                    for placed in read_part(stream):
                        entry = entry_of(placed, part)
                        if entry.filename != holding.filename or entry.offset in offsets:
                            raise Corrupt(f"the article of {entry.url} belongs to no record of {holding.filename}")
                        offsets.add(entry.offset)
                        yield entry
            except StoreUnavailable:
                raise
            except NewskeepError as error:
                self._tell(part, f"damaged ({error}); `newskeep reextract` makes the text again from the WARC")

    def _tell_once(self, problem: Problem) -> None:
        if problem.key not in self._seen:
            self._seen.add(problem.key)
            self._on_problem(problem)

    def _tell(self, key: str, what: str) -> None:
        self._on_problem(Problem(key, what))

"""Everything that is held against everything else: WARCs, CDXJ, text parts, the index; deep: every byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage import cdxj, corrections, untexted
from storage.annotating import sync as annotations_sync
from storage.annotations import FOLDER as ANNOTATIONS
from storage.archive import Archive
from storage.articles import PlacedArticle, is_twins, read_part
from storage.cdxj import in_seconds
from storage.compaction.plan import hidden, plans, read
from storage.counts import counted
from storage.errors import Corrupt, InvalidURL, ObjectMissing
from storage.index import WarcEntry
from storage.index.articles import entry_of
from storage.ingest.names import stray
from storage.inventory import OTHERS, Holding, check_json, holdings
from storage.model import Capture
from storage.objects import ObjectInfo
from storage.objects.retention import PREFIXES
from storage.problems import Problem
from storage.published.month import Month
from storage.published.not_whole import NotWhole
from storage.publishing.check import problems as published_problems
from storage.removals import FOLDER
from storage.removing.due import due
from storage.removing.sync import keys
from storage.removing.sync import read as read_removal
from storage.scan import Reference, read_through
from storage.transparency.audit import audit
from storage.transparency.checkpoint import Checkpoint

#: A plan younger than this is of a compaction that is probably at work.
_PLAN_AGE = timedelta(hours=1)

_REINDEX = "run `newskeep reindex`"
_AFRESH = "run `newskeep reindex --fresh`"
_MEND = "`newskeep reindex --mend` makes it again from the WARC"
_MEND_ALL = "`newskeep reindex --from-warcs --mend` makes it again from the WARC"
_IMPORT = "where its WARC was imported, `newskeep import` the one with the page"
_LOCK = "give them one by the bucket's own means (PutObjectRetention)"
_REEXTRACT = "`newskeep reextract` makes the text again from the WARC"


@dataclass(slots=True)
class VerifyResult:
    """What was looked at; `records` and `bytes` (of WARCs) only by a deep look."""

    warcs: int = 0
    captures: int = 0
    articles: int = 0
    #: Crawl reports, site memories, notes of compactions.
    others: int = 0
    records: int = 0
    bytes: int = 0
    #: Objects under a retention that has not ended, and when the first of them may be removed (ISO 8601).
    locked: int = 0
    locked_until: str | None = None
    problems: int = 0


class Verification:
    """One look at an archive, which changes nothing; `on_warc` is called with the counts after each WARC."""

    def __init__(
        self,
        archive: Archive,
        *,
        deep: bool = False,
        kept: Sequence[Checkpoint] = (),
        on_warc: Callable[[VerifyResult], None] = lambda checked: None,
    ) -> None:
        """`kept` are signed heads of its logs that were kept elsewhere, such as in proofs."""
        self.checked = VerifyResult()
        self._archive = archive
        self._store = archive.store
        # What is hidden is held as everything else is.
        self._index = archive.index.with_hidden
        self._database = archive.index.in_database().with_hidden
        self._released = {each.month for each in archive.index.released()}
        #: Said once of an empty index, not of every WARC.
        self._indexed = next(self._index.warcs(), None) is not None
        self._deep = deep
        self._kept = kept
        self._on_warc = on_warc
        self._copy = f"bring a whole one from another archive: `newskeep copy OTHER {archive.uri}`"

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong, as it is found; nothing when all is well."""
        looks = (
            self._tables,
            self._holdings,
            self._others,
            self._untexted,
            self._removals,
            self._annotations,
            self._published,
            self._plans,
            self._logs,
            self._retention,
            self._spool,
        )
        for find in looks:
            for problem in find():
                self.checked.problems += 1
                yield problem

    def _tables(self) -> Iterator[Problem]:
        where = str(self._archive.index_place)
        for line in self._index.problems():
            yield Problem(where, f"{line}; {_AFRESH}")
        if not self._indexed and next(self._store.list("warc/"), None) is not None:
            yield Problem(where, f"empty; {_REINDEX}")

    def _holdings(self) -> Iterator[Problem]:
        uncounted = hidden(self._store)
        strays: list[ObjectInfo] = []
        alone: list[Holding] = []
        known = self._index.warcs()
        entry = next(known, None)
        for holding in holdings(self._store, strays.append):
            while entry is not None and entry.filename < holding.filename:
                yield from self._gone(entry)
                entry = next(known, None)
            same = entry if entry is not None and entry.filename == holding.filename else None
            entry = next(known, None) if same is not None else entry
            if holding.filename in uncounted:
                continue
            if holding.warc is None:
                alone.append(holding)
                yield from self._gone(same) if same is not None else ()
            else:
                yield from self._warc(holding, same or self._index.warc(holding.filename))
        while entry is not None:
            yield from self._gone(entry)
            entry = next(known, None)
        for holding in alone:
            yield from self._alone(holding)
        for info in strays:
            yield Problem(info.key, stray(self._archive.uri, info.key))

    def _gone(self, entry: WarcEntry) -> Iterator[Problem]:
        key = Holding(entry.filename).key()
        # A compaction may have taken it up since.
        if self._index.has_warc(entry.filename) and self._store.stat(key) is None:
            yield Problem(key, f"in the index and not in the store: compacted elsewhere ({_REINDEX}), or {self._copy}")

    def _alone(self, holding: Holding) -> Iterator[Problem]:
        # A crawl delivers the parts first: look again, now that all else is done.
        if self._store.stat(holding.key()) is None:
            for kind in ("cdxj", "text"):
                if getattr(holding, kind) is not None and self._store.stat(holding.key(kind)) is not None:
                    yield Problem(
                        holding.key(kind), f"its WARC is missing; the next crawl delivers it, or {self._copy}"
                    )

    def _retention(self) -> Iterator[Problem]:
        """Whether what is to be under Object Lock is: a problem for each kind of object, not for each object."""
        if self._store.lock is None:
            return
        for prefix in PREFIXES:
            without, total = [], 0
            for info in self._store.list(prefix):
                until = self._store.retained_until(info.key)
                total += 1
                if until is None:
                    without.append(info.key)
                elif until > datetime.now(UTC):
                    self.checked.locked += 1
                    self.checked.locked_until = min(self.checked.locked_until or "9", f"{until:%Y-%m-%dT%H:%M:%SZ}")
            if without:
                what = f"this and others, {len(without):,} of {counted(total, 'object')} under {prefix}"
                yield Problem(without[0], f"no retention, put before object_lock was set ({what}); {_LOCK}")

    # A WARC and what belongs to it

    def _warc(self, holding: Holding, entry: WarcEntry | None) -> Iterator[Problem]:
        problems = [*self._quick(holding, entry)]
        # None of it counts when a compaction took the WARC away meanwhile.
        if not problems or self._store.stat(holding.key()) is not None:
            yield from problems
            self.checked.warcs += 1
            self._on_warc(self.checked)

    def _quick(self, holding: Holding, entry: WarcEntry | None) -> Iterator[Problem]:
        if entry is None:
            if self._indexed:
                yield Problem(holding.key(), f"not in the index; {_REINDEX}")
        elif entry.size != holding.warc:
            what = f"{holding.warc:,} bytes long, {entry.size:,} in the index; if it was cut, {self._copy}"
            yield Problem(holding.key(), what)
        captures: list[Capture] | None = []
        try:
            captures = self._lines(holding)
            self.checked.captures += len(captures)
            if entry is not None:
                yield from self._rows(holding, entry, captures)
        except ObjectMissing:
            captures = None
            yield Problem(holding.key("cdxj"), f"missing; {_MEND}")
        except Corrupt as error:
            captures = None
            yield Problem(holding.key("cdxj"), f"{error}; {_MEND_ALL}")
        yield from self._text(holding, entry, None if captures is None else {one.offset: one for one in captures})
        if self._deep:
            yield from self._bytes(holding, entry, captures)

    def _lines(self, holding: Holding) -> list[Capture]:
        """The captures of a CDXJ; raises `Corrupt` and `ObjectMissing`."""
        key = holding.key("cdxj")
        with self._store.open(key) as stream:
            captures = list(cdxj.read_file(stream, "not readable", ordered=True))
        for capture in captures:
            if capture.filename != holding.filename or capture.offset + capture.length > (holding.warc or 0):
                raise Corrupt(f"{capture.url} is not at {capture.offset} in {holding.filename}")
        return captures

    def _rows(self, holding: Holding, entry: WarcEntry, captures: list[Capture]) -> Iterator[Problem]:
        key = holding.key("cdxj")
        if entry.captures != len(captures):
            yield Problem(key, f"{counted(len(captures), 'capture')}, {entry.captures:,} in the index; {_AFRESH}")
        elif wrong := next((capture for capture in captures if not self._has_row(capture)), None):
            yield Problem(key, f"{wrong.url} at {wrong.offset} is not in the index as it is here; {_AFRESH}")

    def _has_row(self, capture: Capture) -> bool:
        moment = capture.timestamp
        rows = self._database.captures(capture.url, since=moment, until=moment)
        # What the database has let go is looked at month by month, which reads each file once.
        return any(in_seconds(row) == in_seconds(capture) for row in rows) or Month.of(moment) in self._released

    def _text(
        self, holding: Holding, entry: WarcEntry | None, captures: Mapping[int, Capture] | None
    ) -> Iterator[Problem]:
        count = 0
        try:
            with self._store.open(holding.part) as stream:
                for placed in read_part(stream):
                    count += 1
                    if what := self._line(holding, placed, entry, captures):
                        yield Problem(holding.part, f"the text of {placed.article.url} {what}")
        except ObjectMissing:
            yield Problem(holding.part, f"missing; {_REEXTRACT}")
            return
        except (Corrupt, InvalidURL) as error:
            yield Problem(holding.part, f"damaged ({error}); {_REEXTRACT}")
            return
        self.checked.articles += count
        if entry is not None and entry.articles != count:
            yield Problem(holding.part, f"{counted(count, 'article')}, {entry.articles:,} in the index; {_AFRESH}")

    def _line(
        self,
        holding: Holding,
        placed: PlacedArticle,
        entry: WarcEntry | None,
        captures: Mapping[int, Capture] | None,
    ) -> str | None:
        """Say what is wrong with a line of a text part."""
        row, source = entry_of(placed, holding.part), placed.article.warc
        assert source is not None
        if row.filename != holding.filename:
            return f"was made from {row.filename}; {_REEXTRACT}"
        if captures is not None:
            held = captures.get(row.offset)
            place = (row.timestamp, source.length)
            if held is None or (in_seconds(held).timestamp, held.length) != place:
                return f"was made from no record that is held; {_REEXTRACT}"
            if held.url != row.url and not is_twins(placed.article):
                return f"was made from no record that is held; {_REEXTRACT}"
            if source.digest not in (held.digest, None):
                return f"was made from another record than the one at {row.offset}; {_REEXTRACT}"
        if entry is not None and self._index.article_at(row.filename, row.offset) != row:
            return f"is not in the index as it is here; {_AFRESH}"
        return None

    def _bytes(self, holding: Holding, entry: WarcEntry | None, captures: list[Capture] | None) -> Iterator[Problem]:
        try:
            reading = read_through(self._store, holding, captures or ())
        except ObjectMissing:
            return
        self.checked.records += reading.records
        self.checked.bytes += reading.bytes
        for damage in reading.damage:
            yield Problem(holding.key(), f"{damage}; remove it and {self._copy}")
        for reference in reading.references:
            if self._indexed and not self._resolves(reference):
                what = f"the revisit of {reference.revisit.url} at {reference.revisit.offset} refers to nothing held"
                yield Problem(holding.key(), f"{what}; {_REINDEX}, or {self._copy}; {_IMPORT}")
        if reading.damage:
            return
        if entry is not None and entry.sha256 not in ("", reading.sha256):
            yield Problem(holding.key(), f"its SHA-256 is not the one in the index; remove it and {self._copy}")
        if captures is not None and {*map(in_seconds, captures)} != {*map(in_seconds, reading.captures)}:
            yield Problem(holding.key("cdxj"), f"does not say what is in the WARC; {_MEND_ALL}")

    def _resolves(self, reference: Reference) -> bool:
        revisit, moment = reference.revisit, reference.moment
        if reference.date is not None and moment is None:
            return False
        try:
            resolve = self._archive.reader.resolve
            return resolve(revisit.url, revisit.timestamp, reference.url, moment, reference.digest) is not None
        except NotWhole:
            return True  # told of the month
        except (Corrupt, ObjectMissing):
            return False  # what it refers to has a problem of its own

    # The rest

    def _others(self) -> Iterator[Problem]:
        for name, pattern in OTHERS.items():
            for info in self._store.list(name + "/"):
                self.checked.others += 1
                if not pattern.fullmatch(info.key):
                    yield Problem(info.key, "not one of ours; remove it")
                elif self._deep:
                    yield from self._json(info.key)

    def _json(self, key: str) -> Iterator[Problem]:
        if key.startswith("compacting/"):
            return  # read as what it is by _plans
        try:
            if key.startswith(("compacted/", FOLDER)):
                (read if key.startswith("compacted/") else read_removal)(self._store, key)
                return
            if key.startswith(ANNOTATIONS):
                annotations_sync.read(self._store, key)
                return
            if key.startswith(corrections.FOLDER):
                corrections.read(self._store, key)
                return
            with self._store.open(key) as stream:
                check_json(key, stream)
        except Corrupt as error:
            yield Problem(key, f"damaged ({error}); remove it, or {self._copy}")
        except ObjectMissing:
            pass

    def _untexted(self) -> Iterator[Problem]:
        """Pages whose text the machine could not make when they were archived."""
        for info in self._store.list(untexted.FOLDER):
            with suppress(ObjectMissing, Corrupt):  # one that is damaged is told by a deep look
                lacking = [page for page in untexted.read(self._store, info.key) if page.is_lacking(self._index)]
                if lacking:
                    number = "a page has" if len(lacking) == 1 else f"{len(lacking):,} pages have"
                    what = f"{number} not got the text ({lacking[0].url}: {lacking[0].reason})"
                    yield Problem(info.key, f"{what}; {_REEXTRACT}")

    def _removals(self) -> Iterator[Problem]:
        """Decisions that the index does not know, or that were not carried out."""
        known = {each.key for each in self._index.removals()}
        for key in keys(self._store):
            if self._indexed and key not in known:
                yield Problem(key, f"what it hides is not hidden here; {_REINDEX}")
        for answers in due(self._archive).values():
            capture, decision = next(iter(answers.values()))
            what = f"{counted(len(answers), 'capture is', 'captures are')} to be purged and still there ({capture.url})"
            yield Problem(decision.key, f"{what}, in {capture.filename}; run `newskeep remove --purge`")

    def _annotations(self) -> Iterator[Problem]:
        """Tags, notes and collections that the index does not know."""
        known = self._index.annotation_keys()
        for key in annotations_sync.keys(self._store):
            if self._indexed and key not in known:
                yield Problem(key, f"what it says is not found here; {_REINDEX}")

    def _published(self) -> Iterator[Problem]:
        """Whether the months of the index that are published are what the archive would publish."""
        yield from published_problems(self._archive, deep=self._deep)

    def _plans(self) -> Iterator[Problem]:
        unreadable: list[Problem] = []
        found = list(plans(self._store, unreadable.append))
        yield from unreadable
        for plan in found:
            if datetime.now(UTC) - plan.started > _PLAN_AGE:
                yield Problem(plan.plan_key, "a compaction that did not come to its end; run `newskeep compact`")

    def _logs(self) -> Iterator[Problem]:
        """Whether the store holds what the logs of the archive say, and nothing else."""
        yield from audit(self._archive, deep=self._deep, kept=self._kept)

    def _spool(self) -> Iterator[Problem]:
        for folder in self._archive.spool.abandoned():
            try:
                for path in (*folder.open_warcs(), *(parcel.warc for parcel in folder.parcels())):
                    yield Problem(str(path), "left by a run that is gone; the next crawl into this archive delivers it")
            finally:
                folder.release()

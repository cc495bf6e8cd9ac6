"""Files of other crawlers brought into an archive, one after the other: surveyed, written, extracted, delivered, noted.

Each step leaves what a later run finds again: a file that is noted is not read twice, a part that is in the archive is
not written again, a part that waits in the spool is delivered by whatever run comes next.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from crawler import defaults
from crawler.ingest.sources import MissingSource, Source, SourceFile
from crawler.ingest.tagging import CaptureTags
from crawler.session.delivery import Delivery
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.report import OutcomeLog
from crawler.session.stop_flag import StopAsked, StopFlag
from storage.archive import Archive
from storage.cdxj import in_seconds
from storage.compaction.plan import joined_on
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND, Corrupt, NewskeepError, StoreUnavailable
from storage.index import shared_version
from storage.ingest.checking import Survey, file_digest, survey
from storage.ingest.note import read_note, write_note
from storage.ingest.parts import PartBounds, PartWriter
from storage.model import Capture, Outcome, RunState
from storage.objects.local import LocalStore
from storage.spool import DAMAGED, CrawlFolder, Look
from storage.warc import day_of, key_of

#: What became of a file; "importable" where nothing was to be written.
ImportOutcome = Literal["imported", "importable", "held", "failed"]


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file; figures are `None` where it was not read."""

    file: str
    outcome: ImportOutcome
    reason: str | None = None
    size: int | None = None
    sha256: str | None = None
    format: str | None = None
    writer: str | None = None
    #: Whether the WARCs in the archive are the file, byte for byte; else its records are, each a gzip member.
    unchanged: bool | None = None
    records: Mapping[str, int] = field(default_factory=dict)
    captures: int | None = None
    articles: int | None = None
    parts: tuple[str, ...] = ()
    #: What could not be taken over, a line each, the first hundred; and how many there are.
    faults: tuple[str, ...] = ()
    fault_count: int = 0
    #: What is wrong with it and cost nothing.
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    software: str
    workers: int
    dry_run: bool = False
    limits: ExtractionLimits = field(default_factory=ExtractionLimits)
    spool_max_bytes: int = defaults.SPOOL_MAX_BYTES
    bounds: PartBounds = field(default_factory=PartBounds)
    #: Given to all captures of the files, also to those that are held.
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class ImportResult:
    counts: Counter[str] = field(default_factory=Counter)
    captures: int = 0
    articles: int = 0
    faults: int = 0
    stopped: bool = False
    failure: NewskeepError | None = None
    #: Id of the crawl report; `None` of a dry run.
    crawl: str | None = None

    @property
    def exit_code(self) -> int:
        """That of a failure; 5 when no file came in, 4 when some did not; 7 when they have faults; else 0."""
        if self.failure is not None:
            return self.failure.exit_code
        good = sum(number for outcome, number in self.counts.items() if outcome != "failed")
        if self.counts["failed"] or self.stopped:
            return 4 if good else 5
        return PROBLEMS_FOUND if self.faults else 0


#: Told what is being done to which file, and how much of it is done: bytes of bytes.
Progress = Callable[[str, str, int, int], None]


def no_progress(work: str, name: str, done: int, size: int) -> None:
    """Tell nobody."""


def import_files(
    archive: Archive,
    sources: Iterable[Source],
    options: ImportOptions,
    stop: StopFlag,
    on_file: Callable[[FileResult], None] = lambda result: None,
    on_progress: Progress = no_progress,
) -> ImportResult:
    """Bring files into an archive; `on_file` is called with what became of each, once that is durable.

    Where `stop` is asked, it ends soon, and the next run goes on from there. Raises `StoreUnavailable` where the
    archive cannot be written.
    """
    run = _Dry(archive, stop, on_progress) if options.dry_run else _Import(archive, options, stop, on_progress)
    result = ImportResult(crawl=run.crawl)
    state: RunState = "failed"
    try:
        for source in sources:
            told = run.take(source)
            result.counts[told.outcome] += 1
            result.captures += (told.captures or 0) if told.outcome in ("imported", "importable") else 0
            result.articles += told.articles or 0
            result.faults += told.fault_count
            on_file(told)
            if isinstance(run.failure, StoreUnavailable):
                break
        else:
            state = "finished"
    except StopAsked:
        result.stopped, state = True, "stopped"
    finally:
        run.close(state)
        result.failure = run.failure
    return result


class _Dry:
    """Reads files and says what would come."""

    crawl: str | None = None
    failure: NewskeepError | None = None

    def __init__(self, archive: Archive, stop: StopFlag, on_progress: Progress) -> None:
        self._archive = archive
        self._look: Look = stop.look_strictly
        self._on_progress = on_progress

    def take(self, source: Source) -> FileResult:
        """Say what becomes of one file."""
        self._look()
        if isinstance(source, MissingSource):
            return FileResult(source.name, "failed", source.reason)
        try:
            return self._take(source)
        except (Corrupt, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            return FileResult(source.name, "failed", why)

    def close(self, state: RunState) -> None:
        """End the run."""

    def _take(self, source: SourceFile) -> FileResult:
        if source.fetched_before and (held := self._noted(source, source.fetched_before)):
            return held
        sha256 = file_digest(source.path, self._look, self._meter("reading", source))
        if held := self._noted(source, sha256):
            self._look_again(source, sha256)
            source.done(sha256)
            return held
        found = self._survey(source, sha256)
        if not sum(found.records.values()):
            raise Corrupt(f"no record in it can be read ({found.faults[0]})" if found.faults else "empty")
        return self._bring(source, found)

    def _bring(self, source: SourceFile, found: Survey) -> FileResult:
        if found.captures and found.held == found.captures:
            return _result(source, found, "held", _all_held(found))
        return _result(source, found, "importable", _words(found))

    def _look_again(self, source: SourceFile, sha256: str) -> None:
        """Do what is to be done with a file that was brought in before."""

    def _survey(self, source: SourceFile, sha256: str) -> Survey:
        at = 0
        tell = self._meter("checking", source)

        def on_place(place: int) -> None:
            nonlocal at
            tell(place - at)
            at = place

        found = survey(source.path, sha256, self._holds, self._look, on_place)
        if source.stated_sha256 and source.stated_sha256 != sha256:
            found.remarks.append("it is not the file that datapackage.json describes: another SHA-256")
        if found.unproven:
            found.remarks.append(
                f"{counted(found.unproven, 'payload digest')} of its writer fit no reading of the payload"
            )
        return found

    def _noted(self, source: SourceFile, sha256: str) -> FileResult | None:
        note = read_note(self._archive.store, sha256) if is_there(self._archive) else None
        if note is None:
            return None
        when = str(note.get("imported") or "")[:10]
        return FileResult(source.name, "held", f"imported on {when}, as {note.get('name')}", sha256=sha256)

    def _holds(self, capture: Capture) -> bool:
        """Whether this very capture is in the archive, in whatever WARC."""
        if not self._has_index:
            return False  # a dry run makes none
        moment = capture.timestamp
        place = in_seconds(replace(capture, filename="", offset=0, length=0))
        rows = self._archive.index.captures(capture.url, since=moment, until=moment)
        return any(in_seconds(replace(row, filename="", offset=0, length=0)) == place for row in rows)

    @cached_property
    def _has_index(self) -> bool:
        """Whether there is an index to ask, on a server too, without making one."""
        place = self._archive.index_place
        return self._archive.has_index and (isinstance(place, Path) or shared_version(place)[1] is not None)

    def _meter(self, work: str, source: SourceFile) -> Callable[[int], None]:
        done, size = 0, source.path.stat().st_size

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            self._on_progress(work, source.name, done, size)

        return on_bytes


class _Import(_Dry):
    """Brings files in."""

    def __init__(self, archive: Archive, options: ImportOptions, stop: StopFlag, on_progress: Progress) -> None:
        super().__init__(archive, stop, on_progress)
        self._options = options
        self._started = datetime.now(UTC)
        self._tags = CaptureTags(options.tags)
        self._pool = ExtractionPool(options.workers, options.limits)
        self._delivery = Delivery(archive, self._pool, stop, options.spool_max_bytes, options.software, self._fail)
        try:
            self._delivery.recover()
            self._folder: CrawlFolder = archive.spool.start()
            self._log = OutcomeLog(self._folder.outcomes)
        except BaseException:
            self._pool.close()
            raise
        self.crawl = self._folder.crawl

    def take(self, source: Source) -> FileResult:
        self._tags.begin()
        result = super().take(source)
        self._log.add(_outcome(result))
        if result.outcome in ("imported", "held"):
            for outcome in self._tags.outcomes():
                self._log.add(outcome)
        return result

    def close(self, state: RunState) -> None:
        """Write the report and give the spool up."""
        self._tags.close()
        try:
            self._log.close()
            self.failure = self._delivery.undelivered or self.failure
            if fault := self._pool.fault:
                # The archive would look whole, and the run as if all were well.
                self._fail(NewskeepError(f"no page got its text ({fault}); newskeep reextract makes it later"))
            self._delivery.finish(self._folder, self._started, state)
        finally:
            self._pool.close()

    def _bring(self, source: SourceFile, found: Survey) -> FileResult:
        aside = self._archive.spool.root / DAMAGED
        writer = PartWriter(source.path, found, self._folder.path, aside, self._is_there, self._options.bounds)
        if found.captures and found.held == found.captures and not self._is_there(writer.first_filename):
            source.done(found.sha256)
            return _result(source, found, "held", _all_held(found))
        came = False
        before = self.failure
        for parcel in writer.parcels(self._look):
            came = True
            self._on_progress("extracting", source.name, 0, 0)
            self._delivery.bring(parcel, self._options.workers)
            if self._delivery.left:
                raise StopAsked
            self.failure = self._delivery.undelivered or self.failure
            if self.failure is not before:
                return _result(source, found, "failed", f"not all of it is in the archive: {self.failure}")
        if found.as_it_is and writer.digest != found.sha256:
            raise Corrupt("it changed while it was read; import it again")
        write_note(self._archive.store, source.origin, found, writer.filenames, self._options.software)
        source.done(found.sha256)
        if not came:
            return _result(source, found, "held", "all of it is in the archive already")
        entries = [self._archive.index.warc(filename) for filename in writer.filenames]
        articles = sum(entry.articles for entry in entries if entry is not None)
        done = _result(source, found, "imported", _words(found))
        if found.fault_count:
            done = replace(done, reason=f"{done.reason}; their bytes are in {aside}")
        return replace(done, articles=articles, parts=tuple(writer.filenames))

    def _look_again(self, source: SourceFile, sha256: str) -> None:
        if self._tags.tags:
            self._survey(source, sha256)

    def _holds(self, capture: Capture) -> bool:
        self._tags.see(capture)
        return super()._holds(capture)

    def _is_there(self, filename: str) -> bool:
        archive = self._archive
        if archive.index.has_warc(filename) or filename in joined_on(archive.store, day_of(filename)):
            return True
        return archive.store.stat(key_of(filename)) is not None

    def _fail(self, error: NewskeepError) -> None:
        # The last: what a run that is gone has left must not hide what goes wrong now.
        self.failure = error


def _result(source: SourceFile, found: Survey, outcome: ImportOutcome, reason: str) -> FileResult:
    return FileResult(
        source.name,
        outcome,
        reason,
        found.size,
        found.sha256,
        f"{found.form}, {_compression(found)}",
        found.writer,
        found.as_it_is,
        dict(sorted(found.records.items())),
        found.captures,
        faults=tuple(found.faults),
        fault_count=found.fault_count,
        remarks=tuple(found.remarks),
    )


def _compression(found: Survey) -> str:
    if found.coding is None:
        return "not compressed"
    return "gzip, a member a record" if found.as_it_is else found.coding


def _words(found: Survey) -> str:
    """What came of a file, for a person."""
    number = sum(found.records.values())
    said = [f"{counted(number, 'record')}, {counted(found.captures, 'capture')}"]
    said.append("its bytes unchanged" if found.as_it_is else "its records unchanged, each a gzip member of its own")
    if found.form == "ARC":
        said[-1] = "made WARC records, what the servers sent unchanged"
    if found.fault_count:
        said.append(f"{counted(found.fault_count, 'fault')} set aside")
    return "; ".join(said)


def _all_held(found: Survey) -> str:
    what = "its one capture is" if found.captures == 1 else f"all of its {found.captures:,} captures are"
    return f"{what} in the archive already"


def _outcome(result: FileResult) -> Outcome:
    """The line of the crawl report."""
    kinds: Mapping[str, Literal["archived", "unchanged", "failed"]] = {"imported": "archived", "held": "unchanged"}
    return Outcome(result.file, kinds.get(result.outcome, "failed"), result.reason, size=result.size)


def is_there(archive: Archive) -> bool:
    """Whether there is an archive: a dry run may be the first thing of all, and makes no folder for one."""
    return not isinstance(archive.store, LocalStore) or archive.store.root.exists()


def workspace(archive: Archive) -> Path:
    """The folder on this machine where files that lie elsewhere come to; what a killed run left of a package goes."""
    folder = archive.state / "imports"
    for name in ("package", "object"):
        (folder / name).unlink(missing_ok=True)
    return folder


def clear(folder: Path) -> None:
    """Remove the workspace where nothing waits in it."""
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)

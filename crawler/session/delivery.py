"""From the spool into the archive: WARCs are sealed and delivered, also those that runs which are gone have left."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from crawler.session.correction_store import CorrectionStore
from crawler.session.extract_ahead import extract_ahead
from crawler.session.extraction_pool import ExtractionPool
from crawler.session.read_back import PartRead, WarcPart, read_back
from crawler.session.reasons import in_words
from crawler.session.recorder import OpenWarc
from crawler.session.report import write_report
from crawler.session.sealing import Extract, check, close_open, salvage, seal
from crawler.session.site_memory_store import SiteMemoryStore
from crawler.session.stop_flag import StopAsked, StopFlag
from storage.archive import Archive
from storage.errors import AlreadyRunning, Corrupt, NewskeepError, SpoolError, StoreUnavailable
from storage.index import ArticleEntry
from storage.index.articles import PieceRead, TextPiece, read_piece
from storage.locking import held
from storage.model import RunState
from storage.spool import CrawlFolder, Look, Parcel, writing

logger = logging.getLogger(__name__)

#: Seconds for which a run waits while another one recovers the spool, and after which it says so.
_RECOVERY_WAIT, _RECOVERY_TOLD = 60.0, 5.0


class Delivery:
    """What one session brings from the spool to the archive; `on_failure` is called with what goes wrong.

    A fault of one WARC or folder is not in the way of the others. Where `stop` is asked, what is not delivered by then
    is left in the spool.
    """

    def __init__(
        self,
        archive: Archive,
        pool: ExtractionPool,
        stop: StopFlag,
        spool_max_bytes: int,
        software: str,
        on_failure: Callable[[NewskeepError], None],
        has_text: bool = True,
    ) -> None:
        """`software`: what crawl reports of other runs are signed with. `has_text`: whether ours make text."""
        self._archive = archive
        self._pool = pool
        self._stop = stop
        self._spool_max_bytes = spool_max_bytes
        self._software = software
        self._on_failure = on_failure
        self._has_text = has_text
        self._absence = archive.absence.handed_over()
        self._memories = SiteMemoryStore(archive.store, archive.state, self._absence)
        self._corrections = CorrectionStore(archive.store, self._absence)
        #: Whether a stop left something in the spool that is not sealed and delivered.
        self.left = False
        #: Why something waits in the spool that is sealed.
        self.undelivered: StoreUnavailable | None = None
        #: Whether the run is at its end, so that nobody is told any more that what is fetched waits.
        self.closing = False

    def seal(self, warc: OpenWarc) -> None:
        """Close, seal and deliver a WARC that is no longer written."""
        with self._failing(f"sealing {warc.parcel.filename}"):
            look = self._stop.look
            if parcel := close_open(warc.writer.path, look, warc.writer.size):
                self._bring(parcel, look, self._has_text)

    def bring(self, parcel: Parcel, workers: int) -> None:
        """Seal and deliver a WARC that others wrote, its pages extracted by so many workers at a time.

        Ends at once where a stop is asked for: what was extracted stays in the spool, and the next run goes on.
        """
        look = self._stop.look_strictly
        with self._failing(f"importing {parcel.filename}"):
            extract_ahead(parcel, self._extractor(look), workers, look)
            self._bring(parcel, look)

    def deliver_waiting(self, folder: CrawlFolder) -> None:
        """Deliver what of a folder could not be when its turn came: the store may be back."""
        if self.undelivered is None:
            return
        self.undelivered = None
        for parcel in folder.parcels():
            with self._failing(f"delivering {parcel.filename}"):
                self._bring(parcel, self._stop.look, self._has_text)

    def recover(self) -> int:
        """Seal and deliver what runs that are gone have left; return the number of WARCs. Raises `SpoolError`.

        Where a stop is asked for it ends at once: nothing of this run waits to be sealed.
        """
        with suppress(StoreUnavailable), self._absence.noticed():
            self._archive.store.sweep()
        count = 0
        with self._failing("recovering the spool"), self._alone():
            for folder in self._archive.spool.abandoned():
                with self._failing(f"recovering {folder.path}"):
                    count += self._recover_folder(folder)
                # Given up also where a stop or a fault ended it, for the next run to go on.
                folder.release()
        self._check_room()
        if self.undelivered is not None:
            # These are tried again by the next run only.
            self._on_failure(self.undelivered)
        return count

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Recover after another process that does so, or beside it where that takes longer than a minute.

        A run that went ahead would not find in the index what the other one is about to bring, and archive it whole a
        second time instead of as a revisit.
        """
        lock, began, told = self._archive.state / "locks" / "recovery.lock", time.monotonic(), False
        with ExitStack() as stack:
            while time.monotonic() - began < _RECOVERY_WAIT and not self._stop.asked:
                with suppress(AlreadyRunning):
                    stack.enter_context(held(lock, "the recovery of the spool"))
                    break
                if not told and time.monotonic() - began > _RECOVERY_TOLD:
                    told = True
                    logger.warning("waiting for another run to seal and deliver what an earlier one left")
                time.sleep(0.1)
            yield

    def _recover_folder(self, folder: CrawlFolder) -> int:
        look = self._stop.look_strictly
        for path in folder.open_warcs():
            look()
            with self._failing(f"recovering {path}"):
                close_open(path, look)
        parcels = folder.parcels()
        for parcel in parcels:
            look()
            with self._failing(f"recovering {parcel.warc}"):
                self._bring(parcel, look)
        look()
        self.finish(folder, None, "interrupted")
        return len(parcels)

    def finish(self, folder: CrawlFolder, started: datetime | None, state: RunState) -> None:
        """Write the crawl report, bring it to the store, and give the folder up."""
        with self._failing(f"the report of crawl {folder.crawl}"), writing(folder.path):
            # One that is there already may be in the store as well, and must not change any more.
            if folder.outcomes.exists() and not folder.report.exists():
                write_report(folder, started, state, self._software)
            if folder.report.exists():
                with self._absence.noticed():
                    self._archive.deliver_report(folder)
        folder.release()

    def _bring(self, parcel: Parcel, look: Look, has_text: bool = True) -> None:
        """Seal a closed WARC where that is left to do, and deliver it; of a damaged one what is whole."""
        extract = self._extractor(look) if has_text else None
        if self._is_indexed(parcel):
            # The index comes last: a run that was killed just had not emptied the spool yet.
            parcel.remove()
            return
        try:
            if parcel.complete:
                check(parcel, look)
            else:
                seal(parcel, extract, self._memories, self._corrections, look, self._read)
        except Corrupt as error:
            whole, kept = salvage(parcel, self._archive.spool, look)
            rest = "nothing in it can be archived" if whole is None else "the records that are whole are archived"
            self._on_failure(Corrupt(f"{kept}: damaged in the spool ({error}); {rest}, the file is kept"))
            if whole is None:
                return
            parcel = seal(whole, extract, self._memories, self._corrections, look, self._read)
        self._deliver(parcel, look)

    def _extractor(self, look: Look) -> Extract:
        return lambda response, url, captured: self._pool.extract_now(response, url, captured, look)

    def _read(self, parts: Sequence[WarcPart], look: Look) -> Iterator[PartRead]:
        """Read parts back by the workers, all of them at a time; here what they cannot."""
        with ThreadPoolExecutor(self._pool.workers, "reading-back") as threads:
            by_workers = threads.map(lambda part: self._pool.call_now(read_back, part, look), parts)
            for part, found in zip(parts, by_workers, strict=True):
                yield found or read_back(part, look)

    def _entries(self, text: Path, part: str, look: Look) -> Generator[ArticleEntry]:
        """What the index is to know of a text part, made by a worker, one piece ahead; here what that cannot."""

        def made(piece: TextPiece) -> PieceRead:
            return self._pool.call_now(read_piece, piece, look) or read_piece(piece)

        with ThreadPoolExecutor(1, "entries") as ahead:
            following = ahead.submit(made, TextPiece(text, part))
            while (read := following.result()).end is not None:
                following = ahead.submit(made, TextPiece(text, part, read.end))
                yield from read.entries
            yield from read.entries

    def _is_indexed(self, parcel: Parcel) -> bool:
        try:
            return self._archive.index.has_warc(parcel.filename)
        except StoreUnavailable:
            return False  # sealed all the same; delivery will say what is wrong

    def _deliver(self, parcel: Parcel, look: Look) -> None:
        try:
            with writing(parcel.warc), self._absence.noticed():
                self._archive.deliver(parcel, look, lambda text, part: self._entries(text, part, look))
        except SpoolError:
            raise
        except StoreUnavailable as error:
            if self.undelivered is None and not self.closing:
                logger.warning("%s; what is fetched waits in %s", error, self._archive.spool.root)
            self.undelivered = error
            self._check_room()

    def _check_room(self) -> None:
        """Raise `SpoolError` when more waits in the spool than may."""
        if self.undelivered is not None and self._archive.spool.size() > self._spool_max_bytes:
            raise SpoolError(f"the spool {self._archive.spool.root} is full, and the store is away: {self.undelivered}")

    @contextmanager
    def _failing(self, work: str) -> Iterator[None]:
        """Let what goes wrong with one WARC or folder be the session's failure, and not be in the way of the others."""
        try:
            yield
        except StopAsked:
            self.left = True
        except NewskeepError as error:
            self._on_failure(error)
        except Exception as error:
            logger.exception("%s failed", work)
            self._on_failure(NewskeepError(f"{work} failed: {in_words(error)}"))

"""Writes exchanges to the open WARC, in a thread of its own, and starts a new one when it is large or old."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from crawler import defaults
from crawler.politeness.block_detection import BlockSign, recognise
from crawler.session.conditional import Validators, asks_conditionally, confirms, validators
from crawler.session.extracted_lines import line_of
from crawler.session.page_extraction import Extraction
from storage.digests import is_of
from storage.errors import SpoolError, StoreUnavailable
from storage.http import HttpMessage
from storage.model import Capture, Exchange, Resource
from storage.rights.page import noarchive, signals
from storage.rights.record import RIGHTS
from storage.rights.signal import Signal, kept, pack, shown_until
from storage.spool import OPEN_SUFFIX, CrawlFolder, Parcel, sync_folder, writing
from storage.warc import NOARCHIVE, NOT_MODIFIED, TWIN_OF, WALL, make_stem
from storage.warc_writer import WarcWriter

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from storage.index.index import Index

logger = logging.getLogger(__name__)

T = TypeVar("T")
#: Captures not yet in the index that later exchanges may be a revisit of; oldest forgotten first.
_RECENT_CAPTURES = 10_000


@dataclass(frozen=True, slots=True)
class SealBounds:
    """When a WARC is full: bytes, seconds since its first record, records (which bound the memory of sealing)."""

    size: int = defaults.WARC_MAX_BYTES
    age: float = defaults.WARC_MAX_AGE
    records: int = defaults.WARC_MAX_RECORDS


class OpenWarc:
    """A WARC being written and the articles extracted from it so far."""

    def __init__(self, writer: WarcWriter, parcel: Parcel) -> None:
        self.writer = writer
        self.parcel = parcel
        self._started = time.monotonic()
        self._articles = parcel.articles.open("ab")
        self._lock = threading.Lock()

    def is_full(self, bounds: SealBounds) -> bool:
        writer = self.writer
        return (
            writer.size >= bounds.size
            or writer.records >= bounds.records
            or time.monotonic() - self._started >= bounds.age
        )

    def add_article(self, offset: int, extraction: Extraction) -> None:
        """Keep what was extracted from the record at `offset`.

        What comes late, or finds the disk full, is left to sealing, which extracts again.
        """
        line = line_of(offset, extraction)
        with self._lock:
            if not self._articles.closed:
                try:
                    self._articles.write(line)
                except OSError:
                    self._close_articles()

    def close(self) -> None:
        try:
            self.writer.close()
        finally:
            with self._lock:
                self._close_articles()

    def _close_articles(self) -> None:
        with suppress(OSError):
            self._articles.close()


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """An exchange with its place in the archive; `capture` is `None` when no response came, or none is to be kept."""

    exchange: Exchange
    capture: Capture | None
    warc: OpenWarc
    #: Where the response says `noarchive`, such as "X-Robots-Tag"; it is kept and marked, or refused.
    noarchive: str | None = None
    #: What came in place of the page, such as a cookie wall; it is kept and marked, and has no article.
    wall: BlockSign | None = None
    #: Whether redirects led to it, from which a wall is told as well.
    redirected: bool = False

    def leave_in(self, request: Request) -> None:
        """Have `recorded_of` find it; the last one of a request counts."""
        request.meta["recorded"] = self


def recorded_of(request: Request) -> RecordedExchange | None:
    """The exchange that a request led to last; `None` when none came about."""
    recorded: RecordedExchange | None = request.meta.get("recorded")
    return recorded


def recorded_for(response: Response) -> RecordedExchange:
    """The exchange that a response came by."""
    recorded = recorded_of(response.request) if response.request is not None else None
    assert recorded is not None, "the handler records before it returns"
    return recorded


class Recorder:
    """The writer of one crawl. Its methods are called from the event loop; the work is done in one thread, in order.

    Every method raises `SpoolError` when the WARC cannot be written, and from then on: after a sync that failed, the
    next one succeeds whether or not the bytes are there.
    """

    def __init__(
        self,
        folder: CrawlFolder,
        index: Index,
        info: Mapping[str, str],
        bounds: SealBounds,
        on_full: Callable[[OpenWarc], None],
        robot: str = "newskeep",
    ) -> None:
        """`robot` is the name under which responses may say `noarchive`, in lower case."""
        self._folder = folder
        self._index = index
        self._info = info
        self._bounds = bounds
        self._on_full = on_full
        self._robot = robot
        self._serial = 0
        self._open: OpenWarc | None = None
        self._failure: SpoolError | None = None
        self._recent: OrderedDict[str, tuple[Capture, Validators]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "warc-writer")
        self._next_sync: asyncio.Future[None] | None = None
        self._sync_lock = asyncio.Lock()

    async def record(
        self,
        exchange: Exchange,
        confirmed: Callable[[Exchange], Capture | None],
        asked: str | None = None,
        refuse_noarchive: bool = False,
        resources: Sequence[Resource] = (),
        twin_of: Capture | None = None,
    ) -> RecordedExchange:
        """Append an exchange; on return its records are in the WARC.

        `asked` is the address whose redirects led to it, if there were any. With `refuse_noarchive` a response that
        says `noarchive` is not kept. `resources` were made of the response, which is then kept whole though it be the
        same as before.
        `twin_of` is the page that named it as its AMP or print form: it is marked, and kept whole as well.
        `confirmed` finds the capture of an earlier run that a 304 is about; it is called in a thread of its own.
        """
        original = None
        if exchange.truncated is None and _is_not_modified(exchange):
            original = self._recently_confirmed(exchange) or await asyncio.to_thread(confirmed, exchange)
        return await self._run(lambda: self._append(exchange, original, asked, refuse_noarchive, resources, twin_of))

    def _recently_confirmed(self, exchange: Exchange) -> Capture | None:
        capture, earlier = self._recent.get(exchange.url, (None, Validators()))
        return capture if confirms(exchange, earlier) else None

    async def sync(self) -> None:
        """Return when all that was recorded before the call is durable; callers that wait together share one sync."""
        if self._next_sync is None:
            self._next_sync = asyncio.ensure_future(self._sync())
        await asyncio.shield(self._next_sync)

    def close(self) -> None:
        """Hand the open WARC over to sealing and end the thread; for a caller without an event loop."""
        self._thread.submit(self._rotate).result()
        self._thread.shutdown()

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._unless_failed, call)

    def _unless_failed(self, call: Callable[[], T]) -> T:
        if self._failure is not None:
            raise SpoolError(str(self._failure))
        try:
            return call()
        except SpoolError as error:
            self._failure = error
            raise

    async def _sync(self) -> None:
        async with self._sync_lock:
            self._next_sync = None
            await self._run(lambda: self._open.writer.sync() if self._open else None)

    def _append(
        self,
        exchange: Exchange,
        confirmed: Capture | None,
        asked: str | None,
        refuse_noarchive: bool,
        resources: Sequence[Resource],
        twin_of: Capture | None,
    ) -> RecordedExchange:
        if self._open is not None and self._open.is_full(self._bounds):
            self._rotate()
        if self._open is None:
            self._open = self._start()
        # Before a byte of it is written.
        rights = signals(exchange.response, self._robot) if exchange.response else ()
        said = noarchive(rights)
        for other, told in ((confirmed, "as before"), (twin_of, "the page it is a form of")):
            if other is not None:
                # A 304 confirms what the page says of itself, too; a text has the rights of the page that it is of.
                rights = kept((*rights, *other.rights))
                said = said or (told if other.noarchive else None)
        if said is not None and refuse_noarchive:
            self._open.writer.append(exchange, left_out=f"noarchive ({said})")
            return RecordedExchange(exchange, None, self._open, said)
        # Here, so that the mark is in the record: whoever makes the text again knows no redirects.
        wall = recognise(exchange.response, exchange.url, asked) if exchange.response else None
        # What is made of a page lies beside its own bytes.
        original = None if resources or twin_of else confirmed or self._original(exchange, said is not None, rights)
        capture = self._open.writer.append(
            exchange, original, marks=_marks(wall, said, rights, twin_of), resources=resources
        )
        if capture is not None and not capture.is_revisit and capture.digest is not None:
            whole = exchange.truncated is None and capture.status is not None and 200 <= capture.status < 300
            self._recent[capture.url] = capture, validators(exchange.response) if whole else Validators()
            while len(self._recent) > _RECENT_CAPTURES:
                self._recent.popitem(last=False)
        return RecordedExchange(exchange, capture, self._open, said, wall, asked is not None)

    def _original(self, exchange: Exchange, marked: bool, rights: tuple[Signal, ...]) -> Capture | None:
        """The capture of the same URL that had the same status, payload and framing, for a revisit record.

        The framing counts because a revisit keeps the head only: `get --as http` gives back the exact bytes from the
        earlier body. `noarchive` and `unavailable_after` count because who may see a revisit must be allowed to see
        that body.
        """
        if exchange.truncated or not exchange.response:
            return None
        message = HttpMessage.parse(exchange.response)
        if not message.has_body:
            return None
        recent = self._recent.get(exchange.url)
        capture = recent[0] if recent else self._indexed(exchange.url)
        if capture is None or (capture.status, capture.noarchive) != (message.status, marked):
            return None
        if capture.shown_until != shown_until(rights):
            return None
        # By the kind of digest that it has: what was captured before there was SHA-256 has a SHA-1.
        same_body = is_of(capture.digest, message.payload) and (
            is_of(capture.framed_digest, message.body) if message.is_chunked else capture.framed_digest is None
        )
        return capture if same_body else None

    def _indexed(self, url: str) -> Capture | None:
        try:
            return self._index.latest(url, accept=_is_original)
        except StoreUnavailable as error:
            # Without the index nothing is lost but space.
            logger.warning("no revisit records: %s", error)
            return None

    def _start(self) -> OpenWarc:
        stem = make_stem(datetime.now(UTC), self._folder.crawl, self._serial)
        self._serial += 1
        parcel = Parcel(self._folder.path / f"{stem}.warc.gz")
        with writing(self._folder.path):
            writer = WarcWriter(parcel.warc.with_name(parcel.filename + OPEN_SUFFIX), parcel.filename, self._info)
            opened = OpenWarc(writer, parcel)
            sync_folder(self._folder.path)
        return opened

    def _rotate(self) -> None:
        if self._open is not None:
            full, self._open = self._open, None
            full.close()
            self._on_full(full)


def _marks(
    wall: BlockSign | None, noarchive: str | None, rights: tuple[Signal, ...], twin_of: Capture | None
) -> dict[str, str]:
    # Also where nothing is said: what has no such field was written before it was looked for.
    marks = {
        WALL: wall.reason if wall else None,
        NOARCHIVE: noarchive,
        RIGHTS: pack(rights),
        TWIN_OF: twin_of.url if twin_of else None,
    }
    return {name: value for name, value in marks.items() if value is not None}


def _is_not_modified(exchange: Exchange) -> bool:
    return HttpMessage.parse(exchange.response).status == NOT_MODIFIED and asks_conditionally(exchange.request)


def _is_original(capture: Capture) -> bool:
    return not capture.is_revisit

"""One crawl's way into the archive: records exchanges, extracts pages, keeps outcomes, seals, delivers.

A session is made for a run and shared by all its Scrapy crawlers, so that many small sites fill one WARC. Who runs
Scrapy by hand (`scrapy crawl`) gets one from the settings.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler import defaults
from crawler.browser.pool import Browsers
from crawler.politeness.addresses import is_loopback
from crawler.politeness.host_gate import GateOptions, HostGate, HostLeases
from crawler.politeness.robots import RulesKept
from crawler.session.conditional import confirmed
from crawler.session.delivery import Delivery
from crawler.session.disk_floor import DiskFloor
from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool, default_workers
from crawler.session.faults import fault_of
from crawler.session.page_extraction import Extraction, is_whole, text_left_out
from crawler.session.recorder import OpenWarc, RecordedExchange, Recorder, SealBounds
from crawler.session.report import OutcomeLog
from crawler.session.stop_flag import StopFlag
from crawler.session.tagging import with_tags
from crawler.session.twins import twin_uri
from crawler.versions import version_of
from storage.archive import Archive
from storage.errors import NewskeepError, SpoolError
from storage.model import Capture, Exchange, Outcome, Resource, RunState
from storage.warc import resource_head

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

logger = logging.getLogger(__name__)

#: From so many pages on a crawl should say who it is.
_HANDFUL = 20


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session needs to know of the configuration."""

    user_agent: str
    operator: str | None = None
    #: Who asked for the crawl, for its report.
    asked_by: str | None = None
    obey_robots: bool = True
    bounds: SealBounds = field(default_factory=SealBounds)
    limits: ExtractionLimits = field(default_factory=ExtractionLimits)
    workers: int = field(default_factory=default_workers)
    #: Whether the text of pages is made; of WARCs that other runs left it is, whatever this says.
    has_text: bool = True
    #: Bytes the spool may hold while the store is away; beyond it the crawl stops.
    spool_max_bytes: int = defaults.SPOOL_MAX_BYTES
    #: Bytes that stay free on the disk of the spool; where less is, the crawl stops.
    min_free: int = defaults.MIN_FREE
    #: The name under which responses may say `noarchive`, in lower case.
    robot: str = "newskeep"
    #: Whether a person is told that the user agent names nobody.
    minds_contact: bool = True
    gate: GateOptions = field(default_factory=GateOptions)
    #: Browsers at a time, those that are kept for a host's next page included.
    browsers: int = defaults.BROWSERS

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> SessionOptions:
        return cls(
            user_agent=settings["USER_AGENT"],
            operator=settings.get("OPERATOR"),
            asked_by=settings.get("ASKED_BY"),
            obey_robots=settings.getbool("ROBOTSTXT_OBEY"),
            bounds=SealBounds(
                settings.getint("WARC_MAX_BYTES"),
                settings.getfloat("WARC_MAX_AGE"),
                settings.getint("WARC_MAX_RECORDS"),
            ),
            limits=ExtractionLimits(
                settings.getfloat("EXTRACTION_TIMEOUT"),
                settings.getint("CONTENT_MAX_BYTES"),
                settings.getint("EXTRACTION_MEMORY_BYTES"),
            ),
            workers=settings.getint("EXTRACTION_WORKERS") or default_workers(),
            has_text=settings.getbool("EXTRACTION"),
            spool_max_bytes=settings.getint("SPOOL_MAX_BYTES"),
            min_free=settings.getint("MIN_FREE"),
            robot=settings["ROBOTSTXT_USER_AGENT"].lower(),
            gate=GateOptions(
                settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") or 1,
                settings.getfloat("RETRY_AFTER_MAX"),
                settings.getfloat("SLOW_HOST_DELAY_MAX"),
                settings.getint("HOST_REFUSALS_MAX"),
                settings.getint("HOST_SILENCES_MAX"),
            ),
            browsers=settings.getint("BROWSERS"),
        )

    @property
    def has_contact(self) -> bool:
        """Whether the user agent says where the operator can be reached."""
        return bool(self.operator) or "@" in self.user_agent or "://" in self.user_agent

    def warcinfo(self, crawl: str) -> Mapping[str, str]:
        """The fields of the warcinfo record (WARC 1.1, 6.2)."""
        fields = {
            "software": f"newskeep/{version_of('newskeep')} ({_with('scrapy')}, {_with('trafilatura')})",
            "isPartOf": crawl,
            "robots": "obey" if self.obey_robots else "ignore",
            "http-header-user-agent": self.user_agent,
        }
        return {**fields, "operator": self.operator} if self.operator else fields


def _with(distribution: str) -> str:
    return f"{distribution}/{version_of(distribution)}"


class Session:
    """One crawl. The asynchronous methods belong to the event loop; `close` may be called from any thread.

    `on_outcome` is called in the event loop with each outcome once what it tells is durable. Where `stop` is asked, in
    a signal handler or any thread, sealing ends soon: what is not delivered by then waits for the next run. `leases`:
    which hosts may be asked, where crawls of other machines ask them too.
    Raises `StoreUnavailable` when the index cannot be used, `SpoolError` when nothing can be written, too much is
    waiting or too little of the disk is free. Where that comes later, the run is stopped in good order.
    """

    def __init__(
        self,
        archive: Archive,
        options: SessionOptions,
        on_outcome: Callable[[Outcome], None] = lambda outcome: None,
        stop: StopFlag | None = None,
        leases: HostLeases | None = None,
    ) -> None:
        self.archive = archive
        self.options = options
        self.stop = stop or StopFlag()
        #: Why the run ended early, for the report; `None` for a run that came to its end.
        self.stopped: RunState | None = None
        self._failure: NewskeepError | None = None
        self._on_outcome = on_outcome
        self._on_failure: list[Callable[[], None]] = []
        self._sealing = ThreadPoolExecutor(1, "sealing")
        #: What all crawlers of the run share of their hosts.
        self.gate = HostGate(options.gate, leases=leases)
        self.rules = RulesKept()
        self.browsers = Browsers(options.browsers)
        self._closing = threading.Lock()
        self._closed = False
        # Before anything is made: without an index nothing could be delivered.
        archive.check_index()
        index = archive.index
        self._pool = ExtractionPool(options.workers, options.limits)
        software = options.warcinfo("")["software"]
        self._delivery = Delivery(
            archive, self._pool, self.stop, options.spool_max_bytes, software, self._fail, options.has_text
        )
        try:
            self.recovered = self._delivery.recover()
            self._folder = archive.spool.start()
            self._floor = DiskFloor(archive.spool.root, options.min_free)
            self._begin_above_floor()
            self.outcomes = OutcomeLog(self._folder.outcomes, options.asked_by)
        except BaseException:
            self._pool.close()
            raise
        self._pages = 0
        self._started = datetime.now(UTC)
        info = options.warcinfo(self.crawl)
        self._recorder = Recorder(self._folder, index, info, options.bounds, self._seal_later, options.robot)

    @property
    def failure(self) -> NewskeepError | None:
        """The worst failure to write or deliver; the run ends with its exit code."""
        return self._failure or self._delivery.undelivered

    @property
    def crawl(self) -> str:
        """The crawl's id, twelve hexadecimal digits."""
        return self._folder.crawl

    def ended(self, reason: str, verdict: RunState | None = None) -> RunState:
        """Return how a crawl ended, by Scrapy's word for it; `verdict`: how its site says that it did, if it does."""
        if reason == "shutdown":
            # Who runs Scrapy by hand stops it without our knowing.
            return self.stopped or "stopped"
        if reason != "finished":
            return "blocked" if reason.startswith("blocked") else "failed"
        return verdict or "finished"

    def on_failure(self, stop: Callable[[], None]) -> None:
        """Have `stop` called when nothing more can be written."""
        self._on_failure.append(stop)

    def note_fault(self, error: BaseException) -> None:
        """Have the run end with an exception that nobody expected, the first of them; it goes on until then."""
        logger.debug("a fault", exc_info=error)
        self._fail(fault_of(error))

    async def record(
        self,
        exchange: Exchange,
        asked: str | None = None,
        refuse_noarchive: bool = False,
        resources: Sequence[Resource] = (),
        *,
        is_browsers: bool = False,
        twin_of: Capture | None = None,
    ) -> RecordedExchange:
        """Write an exchange to the WARC; raises `SpoolError` and stops the crawl when that fails.

        `asked` is the address whose redirects led to it, if there were any. With `refuse_noarchive` a response that
        says `noarchive` is not kept. `resources` were made of the response, and are kept beside it. `is_browsers`: it
        is a browser's, one of many for a page that was asked for before. `twin_of`: the page whose AMP or print form
        it is.
        """
        if not is_browsers:
            self._mind_contact(exchange)
        self._mind_disk()
        try:
            return await self._recorder.record(
                exchange, lambda again: confirmed(self.archive, again), asked, refuse_noarchive, resources, twin_of
            )
        except SpoolError as error:
            self._fail(error)
            raise

    async def extract(
        self, recorded: RecordedExchange, dom: Resource | None = None, twin_of: Capture | None = None
    ) -> Extraction:
        """Extract the page of a recorded exchange and keep its article for sealing.

        `dom`: what a browser made of it, which is extracted in place of the response. `twin_of`: the page whose AMP or
        print form it is, and whose article it then is.
        """
        capture = recorded.capture
        is_whole_page = is_whole(recorded.exchange.response, recorded.exchange.truncated)
        if capture is None or recorded.wall is not None or not is_whole_page:
            return Extraction()
        if not self.options.has_text:
            return text_left_out(recorded.exchange.response)
        if dom is None:
            response, url, is_known = recorded.exchange.response, capture.url, not recorded.redirected
        else:
            response, url, is_known = resource_head(dom.kind) + dom.data, dom.uri, False
        if twin_of is not None:
            url = twin_uri(url, twin_of.url)
        extraction = await self._pool.extract(response, url, capture.timestamp, is_known_page=is_known)
        # What is not kept here, sealing extracts again.
        if not capture.is_revisit and extraction != Extraction() and not extraction.again:
            recorded.warc.add_article(capture.offset, extraction)
        return extraction

    async def report(self, outcome: Outcome, tags: tuple[str, ...] = ()) -> bool:
        """Make durable what an outcome tells, then keep it and tell it; return whether that was done.

        `tags` are given to what is held of it now.
        """
        if tags:
            outcome = await asyncio.to_thread(with_tags, self.archive.index, outcome, tags)
        try:
            await self._recorder.sync()
            await asyncio.get_running_loop().run_in_executor(None, self.outcomes.add, outcome)
        except SpoolError as error:
            self._fail(error)
            return False
        self._on_outcome(outcome)
        return True

    def close(self) -> None:
        """Seal and deliver everything; what cannot be delivered stays in the spool for the next run."""
        with self._closing:
            if self._closed:
                return
            self._closed = self._delivery.closing = True
        if self.stop.asked:
            # The requests under way have ended since.
            self.stop.ask()
        try:
            self._recorder.close()
        except SpoolError as error:
            self._fail(error)
        self._sealing.shutdown(wait=True)
        self._delivery.deliver_waiting(self._folder)
        if self._delivery.left:
            spool = self.archive.spool.root
            logger.warning("stopped while sealing: what was archived waits in %s, the next run goes on with it", spool)
        if fault := self._pool.fault:
            # The archive would look whole, and the run as if all were well.
            self._fail(NewskeepError(f"no page got its text ({fault}); newskeep reextract makes it later"))
        self.browsers.close()
        self._pool.close()
        self.outcomes.close()
        self._delivery.finish(self._folder, self._started, self.stopped or ("failed" if self.failure else "finished"))

    def _fail(self, error: NewskeepError) -> None:
        if self._failure is None or (isinstance(error, SpoolError) and not isinstance(self._failure, SpoolError)):
            self._failure = error
            logger.debug("the session failed", exc_info=error)
        if isinstance(error, SpoolError):
            # Now, not when the crawlers have closed: what is fetched from here on is lost. While nobody is there to be
            # stopped, it is an earlier run's WARC that could not be sealed.
            if self._on_failure:
                self.stopped = self.stopped or "failed"
                self.gate.close(error)
            for stop in self._on_failure:
                stop()

    def _begin_above_floor(self) -> None:
        try:
            self._floor.check()
        except SpoolError:
            self._folder.release()
            raise

    def _mind_disk(self) -> None:
        """Stop the run where the disk has become too full; what is under way is still recorded, sealed and told."""
        if self.stopped is not None:
            return
        try:
            self._floor.check()
        except SpoolError as error:
            self._failure = self._failure or error
            self.stopped = "stopped"
            for stop in self._on_failure:
                stop()

    def _seal_later(self, warc: OpenWarc) -> None:
        self._sealing.submit(self._delivery.seal, warc)

    def _mind_contact(self, exchange: Exchange) -> None:
        """Warn once when many pages are fetched by nobody; who runs servers of this machine is known to them."""
        if exchange.url.endswith("/robots.txt") or is_loopback(exchange.peer or urlsplit(exchange.url).hostname or ""):
            return
        self._pages += 1
        if self._pages == _HANDFUL and self.options.minds_contact and not self.options.has_contact:
            logger.warning("servers cannot reach you: name a web page or e-mail address of yours as `operator`")

"""Runs crawls in this process: Scrapy's reactor, one session for all of them, orderly and abrupt stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from crawler import defaults
from crawler.allocator import giving_back
from crawler.browser.blocklist import read as read_blocklist
from crawler.browser.chromium import check_rendering
from crawler.identity import identity_of
from crawler.politeness.proxies import check_proxy
from crawler.politeness.trust_roots import check_roots
from crawler.session.recovery import deliver_left
from crawler.session.session import Session, SessionOptions
from crawler.session.stop_flag import StopFlag
from crawler.sites.context import CrawlContext, attach
from storage.archive import Archive
from storage.errors import AlreadyRunning, NewskeepError, StoreUnavailable
from storage.locking import held
from storage.model import Outcome, RunState

if TYPE_CHECKING:
    from scrapy.crawler import AsyncCrawlerProcess, Crawler
    from scrapy.settings import Settings

    from crawler.config import Config
    from crawler.politeness.host_gate import HostLeases
    from crawler.sites.site import Site

logger = logging.getLogger(__name__)

#: How a crawl of a site ended that is as it should be; "stopped" and "time limit" go on next time.
GOOD: frozenset[RunState] = frozenset({"finished", "stopped", "time limit"})
#: Allocations between two looks for garbage cycles (700 by default), which are a tenth of a crawl's CPU then.
_GC_THRESHOLD = 10_000
#: Seconds between two looks whether a crawl that is to stop has begun.
_STARTING = 0.05


#: What is told when a crawl has ended: its state, "busy" for a site that another process crawls, and the id of the run.
OnEnd = Callable[["Crawl", RunState, str], None]


@dataclass(frozen=True, slots=True)
class Crawl:
    """One spider to run, by name, with its arguments; with a `site`, under the lock of that name."""

    spider: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    site: str | None = None


def crawl_of(site: Site, **arguments: Any) -> Crawl:
    """Return the crawl of a site; `arguments` are the spider's: `since`, `until`."""
    return Crawl(site.spider, {"site": site, **arguments}, site.name)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: outcomes by kind, the first failure to write or deliver, whether somebody stopped it."""

    crawl: str
    counts: Mapping[str, int]
    failure: NewskeepError | None
    stopped: bool
    #: Site -> how its crawl ended.
    sites: Mapping[str, RunState] = field(default_factory=dict)
    #: Sites that another process crawls.
    busy: tuple[str, ...] = ()
    #: Whether the time limit ended it.
    timed_out: bool = False
    #: Pictures, styles and scripts of pages, by outcome.
    requisites: Mapping[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """3 when the store is out of reach; 1 after a fault of ours, or when no page got its text; 5 when nothing was
        archived, 4 when something was not; else 0.

        Where sites were crawled they count, not their pages; 75 when another process was at all of them.
        """
        if self.failure is not None:
            return self.failure.exit_code
        if self.sites or self.busy:
            return self._exit_code_of_sites
        good = sum(self.counts.get(kind, 0) for kind in ("archived", "unchanged", "held"))
        bad = self.counts.get("failed", 0) + self.counts.get("refused", 0)
        if bad or self.stopped:
            return 4 if good else 5
        return 0

    @property
    def _exit_code_of_sites(self) -> int:
        if not self.sites:
            return AlreadyRunning.exit_code
        bad = sum(state not in GOOD for state in self.sites.values())
        if bad == len(self.sites):
            return 5
        return 4 if bad or self.stopped else 0


def check_network(config: Config) -> None:
    """Raise `ConfigError` for a proxy that cannot work, and for roots of TLS, a signing key or a browser not there.

    For callers of `run`, before they open anything.
    """
    check_proxy(config.proxy)
    check_roots(config.ca_file)
    identity_of(config.signing_key, config.agent)
    if config.render != "never":
        check_rendering(config.chromium)
        if config.blocklist:
            read_blocklist(Path(config.blocklist))


def run(
    archive: Archive,
    crawls: Iterable[Crawl],
    settings: Mapping[str, Any],
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    on_stop: Callable[[], None] = lambda: None,
    *,
    at_once: int = defaults.SITES_AT_ONCE,
    time_limit: float | None = None,
    on_end: OnEnd = lambda crawl, state, run: None,
    leases: HostLeases | None = None,
) -> RunResult:
    """Run spiders to their end and seal what they fetched. Once in a process: Twisted's reactor cannot start again.

    `settings` override crawler.settings. `crawls` are taken one by one, as there is room: at most `at_once` run at a
    time. On the first SIGINT, SIGTERM or SIGHUP, when `on_outcome` raises `BrokenPipeError` as nobody reads on, or
    after `time_limit` seconds, requests in flight end, the rest is given up, and `on_stop` is called; on the next
    SIGINT or SIGTERM the process ends at once, with what was reported safe in the spool.
    `leases`: which hosts may be asked, where other machines ask them too.
    """
    from scrapy.settings import Settings

    from crawler.engine.faults import SignalFaults

    _let_the_tracker_be_quiet()
    _allow_many_files()
    _leave_gone_folder()
    scrapy_settings = Settings()
    scrapy_settings.setmodule("crawler.settings", priority="project")
    # Not above the spiders' own: what a site says of itself goes before what is said for all.
    scrapy_settings.setdict({**settings, "STANDALONE": False}, priority="project")
    process = _process(scrapy_settings)
    _look_for_garbage_less()
    with giving_back(), _Stop(on_stop) as stop:
        # The session begins with what earlier runs have left, which may take long.
        options = SessionOptions.from_settings(scrapy_settings)
        session = Session(archive, options, stop.told_by(on_outcome), stop.flag, leases)
        pump = _CrawlQueue(process, session, iter(crawls), at_once, on_end)
        session.on_failure(pump.stop_soon)
        stop.reach(session, pump)
        try:
            if session.stopped is None:
                with SignalFaults(session):
                    pump.run(time_limit)
        finally:
            # Also what was fetched before a fault of ours is to be safe.
            session.close()
    return RunResult(
        session.crawl,
        dict(session.outcomes.counts),
        session.failure,
        session.stopped == "stopped",
        pump.states,
        tuple(pump.busy),
        session.stopped == "time limit",
        dict(pump.requisites),
    )


def deliver_spool(archive: Archive, settings: Mapping[str, Any]) -> list[NewskeepError]:
    """Deliver what earlier runs left in the spool, and fetch nothing; see `crawler.session.recovery`.

    `settings` and signals as for `run`; but on the first of these it ends at once, as nothing of its own is at stake.
    """
    from scrapy.settings import Settings

    scrapy_settings = Settings()
    scrapy_settings.setmodule("crawler.settings", priority="project")
    scrapy_settings.setdict(settings, priority="project")
    _let_the_tracker_be_quiet()
    with _Stop(lambda: None) as stop:
        return deliver_left(archive, SessionOptions.from_settings(scrapy_settings), stop.flag)


def result_alone(crawler: Crawler, context: CrawlContext) -> RunResult:
    """How the crawl of a Scrapy crawler ended that ran by itself, with a session of its own (`scrapy crawl`)."""
    session = context.session
    sites = {context.ledger.site.name: _state_of(crawler, context)} if context.ledger is not None else {}
    counts = dict(session.outcomes.counts)
    return RunResult(session.crawl, counts, session.failure, session.stop.asked, sites)


def _state_of(crawler: Crawler, context: CrawlContext) -> RunState:
    reason = crawler.stats.get_value("finish_reason") or "failed"
    return context.session.ended(str(reason), context.ledger.verdict if context.ledger else None)


def _let_the_tracker_be_quiet() -> None:
    """Multiprocessing's tracker would complain of what an abrupt stop left, and then clean it up."""
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")


def _stop_reactor() -> None:
    from twisted.internet import reactor

    reactor.stop()  # type: ignore[misc]


def _allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: a connection to each of many hosts is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _leave_gone_folder() -> None:
    """Go elsewhere where the current folder was removed: no process can be started by multiprocessing from there."""
    try:
        os.getcwd()  # noqa: PTH109 - pathlib's begins with it
    except FileNotFoundError:
        os.chdir("/")


def _look_for_garbage_less() -> None:
    """Leave what is loaded by now out of the search for garbage cycles, and search less often."""
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)


def _process(settings: Settings) -> AsyncCrawlerProcess:
    """Make Scrapy's process without what it does to logging, which is set up already."""
    # Before Scrapy does so in the reactor, where it takes longer: of a class that was renamed it looks up who made it,
    # through the whole stack.
    import scrapy.core.downloader.handlers.http11  # noqa: F401
    from scrapy.crawler import AsyncCrawlerProcess

    levels = {name: logging.getLogger(name).level for name in ("", "scrapy", "twisted")}
    settings.set("LOG_INSTALL_ROOT_HANDLER", False, priority="cmdline")
    quiet = levels[""] > logging.DEBUG
    if quiet:
        logging.disable(logging.INFO)
        # Of a dozen libraries, each looked up: for a line that nobody reads.
        settings.set("LOG_VERSIONS", [], priority="cmdline")
    try:
        process = AsyncCrawlerProcess(settings)
    finally:
        if quiet:
            logging.disable(logging.NOTSET)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    return process


class _CrawlQueue:
    """Takes crawls one by one and keeps at most so many of them running; one that fails is alone with it."""

    def __init__(
        self,
        process: AsyncCrawlerProcess,
        session: Session,
        crawls: Iterator[Crawl],
        at_once: int,
        on_end: OnEnd,
    ) -> None:
        self.states: dict[str, RunState] = {}
        self.busy: list[str] = []
        self.requisites: Counter[str] = Counter()
        self._process = process
        self._session = session
        self._crawls = crawls
        self._at_once = at_once
        self._on_end = on_end
        self._stopping = False
        self._error: BaseException | None = None

    def run(self, time_limit: float | None) -> None:
        """Run the reactor until all crawls have ended."""
        loop = asyncio.get_event_loop()
        main = loop.create_task(self._work())
        main.add_done_callback(lambda _: _stop_reactor())
        if time_limit is not None:
            loop.call_later(time_limit, self._time_out)
        self._process.start(stop_after_crawl=False, install_signal_handlers=False)
        main.result()

    def stop_soon(self) -> None:
        """Have everything stop in good order; from any thread."""
        from twisted.internet import reactor

        reactor.callFromThread(self._stop)

    def _time_out(self) -> None:
        if self._session.stopped is None:
            self._session.stopped = "time limit"
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._stopped = asyncio.ensure_future(self._stop_crawlers())

    async def _stop_crawlers(self) -> None:
        # A copy: one that ends leaves the set.
        await asyncio.gather(*(self._stop_crawler(crawler) for crawler in list(self._process.crawlers)))

    async def _stop_crawler(self, crawler: Crawler) -> None:
        """Stop a crawler once its engine runs: Scrapy forgets a stop before that, and the crawl then never ends."""
        while crawler in self._process.crawlers:
            if crawler._engine is not None and crawler._engine.running:
                await crawler.stop_async()
                return
            await asyncio.sleep(_STARTING)

    async def _work(self) -> None:
        running: set[asyncio.Task[None]] = set()
        while True:
            while len(running) < self._at_once and not self._stopping:
                # Who chooses what is due asks a database.
                crawl = await asyncio.to_thread(next, self._crawls, None)
                if crawl is None:
                    break
                running.add(asyncio.ensure_future(self._crawl(crawl)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _crawl(self, crawl: Crawl) -> None:
        with ExitStack() as stack:
            try:
                if crawl.site is not None:
                    stack.enter_context(held(self._lock(crawl.site), f"a crawl of {crawl.site}"))
            except AlreadyRunning:
                self.busy.append(crawl.site or "")
                self._on_end(crawl, "busy", self._session.crawl)
                return
            state = await self._run(crawl)
        if crawl.site is not None:
            self.states[crawl.site] = state
        self._on_end(crawl, state, self._session.crawl)

    def _lock(self, site: str) -> Any:
        from crawler.engine.extensions import site_lock

        return site_lock(self._session.archive.state, site)

    async def _run(self, crawl: Crawl) -> RunState:
        """Run one crawl and return how it ended; never raises."""
        try:
            crawler = self._process.create_crawler(crawl.spider)
            context = attach(crawler, self._session)
            if self._stopping:
                return self._session.ended("shutdown")
            await self._process.crawl(crawler, **crawl.arguments)
            if context.requisites is not None:
                self.requisites += context.requisites.counts
            return _state_of(crawler, context)
        except Exception as error:
            is_the_sites = isinstance(error, NewskeepError) and not isinstance(error, StoreUnavailable)
            if is_the_sites and crawl.site is not None:
                logger.error("%s: %s", crawl.site, error)
            else:
                # Without a site no state tells of it; and that the archive is away is not the site's failure.
                self._session.note_fault(error)
            return "failed"


class _Stop:
    """Signal handlers for the time of a run."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self.flag = StopFlag()
        self._on_stop = on_stop
        self._run: tuple[Session, _CrawlQueue] | None = None
        self._before: dict[int, Any] = {}

    def reach(self, session: Session, pump: _CrawlQueue) -> None:
        """Have a stop reach these as well, also one that was asked for before they were there."""
        self._run = session, pump
        if self.flag.asked:
            session.stopped = "stopped"

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # What a program is not to hear, after nohup a closed terminal, it does not hear from now on either.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.flag.asked and number == signal.SIGHUP:
            # A terminal that closes tells it twice, by the kernel and by the shell; nobody there asks for haste.
            return
        if self.flag.asked:
            # Everything that was told is durable: the next run goes on from the spool.
            with suppress(BrokenPipeError):
                sys.stdout.flush()
            os._exit(128 + number)
        self._soon()

    def told_by(self, on_outcome: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
        """`on_outcome`, with a stop where nobody listens any more: `head` has what it wanted, a pager was left."""

        def tell(outcome: Outcome) -> None:
            try:
                on_outcome(outcome)
            except BrokenPipeError:
                if not self.flag.asked:
                    self._soon()

        return tell

    def _soon(self) -> None:
        self.flag.ask()
        self._on_stop()
        if self._run is not None:
            session, pump = self._run
            session.stopped = "stopped"
            pump.stop_soon()

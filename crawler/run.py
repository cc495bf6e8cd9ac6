"""Runs crawls in this process: Scrapy's reactor, one session for all of them, orderly and abrupt stops."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from crawler.session import Session, SessionOptions, attach
from storage.archive import Archive
from storage.errors import NewskeepError
from storage.model import Outcome

if TYPE_CHECKING:
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import Settings


@dataclass(frozen=True, slots=True)
class Crawl:
    """One spider to run, by name, with its arguments."""

    spider: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: outcomes by kind, the first failure to write or deliver, whether somebody stopped it."""

    crawl: str
    counts: Mapping[str, int]
    failure: NewskeepError | None
    stopped: bool

    @property
    def exit_code(self) -> int:
        """3 when the store is out of reach; 5 when nothing was archived, 4 when something was not; else 0."""
        if self.failure is not None:
            return self.failure.exit_code
        good = self.counts.get("archived", 0) + self.counts.get("unchanged", 0)
        bad = self.counts.get("failed", 0) + self.counts.get("refused", 0)
        if bad or self.stopped:
            return 4 if good else 5
        return 0


def run(
    archive: Archive,
    crawls: list[Crawl],
    settings: Mapping[str, Any],
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    on_stop: Callable[[], None] = lambda: None,
) -> RunResult:
    """Run spiders to their end and seal what they fetched. Once in a process: Twisted's reactor cannot start again.

    `settings` override crawler.settings. On the first SIGINT or SIGTERM requests in flight end, the rest is given up,
    and `on_stop` is called; on the second the process ends at once, with what was reported safe in the spool.
    """
    from scrapy.settings import Settings

    # Multiprocessing's tracker would complain of what an abrupt stop left, and then clean it up.
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")
    _allow_many_files()
    scrapy_settings = Settings()
    scrapy_settings.setmodule("crawler.settings", priority="project")
    scrapy_settings.setdict(dict(settings), priority="cmdline")
    process = _process(scrapy_settings)
    session = Session(archive, SessionOptions.from_settings(scrapy_settings), on_outcome)
    stop = _Stop(process, session, on_stop)
    for crawl in crawls:
        crawler = process.create_crawler(crawl.spider)
        attach(crawler, session)
        process.crawl(crawler, **crawl.arguments)
    with stop:
        process.start(install_signal_handlers=False)
        session.close()
    return RunResult(session.crawl, dict(session.outcomes.counts), session.failure, session.stopped is not None)


def _allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: a connection to each of many hosts is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _process(settings: Settings) -> AsyncCrawlerProcess:
    """Make Scrapy's process without what it does to logging, which is set up already."""
    from scrapy.crawler import AsyncCrawlerProcess

    levels = {name: logging.getLogger(name).level for name in ("", "scrapy", "twisted")}
    settings.set("LOG_INSTALL_ROOT_HANDLER", False, priority="cmdline")
    quiet = levels[""] > logging.DEBUG
    if quiet:
        logging.disable(logging.INFO)
    try:
        process = AsyncCrawlerProcess(settings)
    finally:
        if quiet:
            logging.disable(logging.NOTSET)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    return process


class _Stop:
    """Signal handlers for the time of a run."""

    def __init__(self, process: Any, session: Session, on_stop: Callable[[], None]) -> None:
        self._process = process
        self._session = session
        self._on_stop = on_stop
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._session.stopped is not None:
            # Everything that was told is durable: the next run goes on from the spool.
            sys.stdout.flush()
            os._exit(128 + number)
        self._session.stopped = "stopped"
        self._on_stop()
        from twisted.internet import reactor

        reactor.callFromThread(self._stop_crawls)

    def _stop_crawls(self) -> None:
        import asyncio

        self._stopping = asyncio.ensure_future(self._process.stop())

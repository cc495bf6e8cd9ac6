"""The recorder as an add-on for Scrapy projects: exact WARCs of what any spider fetches.

>>> ADDONS = {"newskeep.scrapy.Recorder": 300}  # in settings.py

The archive is that of newskeep.toml and NEWSKEEP_* variables, or by settings of the project:

    NEWSKEEP_ARCHIVE    a folder, file://… or s3://bucket/prefix; "archive"
    NEWSKEEP_TEXT       whether pages get their article text; True

Spiders, middlewares, pipelines, politeness and responses stay as they are.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals
from scrapy.exceptions import CloseSpider, NotConfigured

from crawler.config import Config, load
from crawler.sites.context import only_looks
from crawler.sites.recording import Recording, begin_with
from storage.archive import Archive, open_archive
from storage.errors import ConfigError, NewskeepError
from storage.model import RunState

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from crawler.session.session import Session, SessionOptions

logger = logging.getLogger(__name__)

_HANDLER = "crawler.engine.transparent.TransparentHandler"
#: Scrapy's own, in whose place ours stands.
_REPLACED = (
    "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
    "scrapy.core.downloader.handlers.http.HTTPDownloadHandler",
    "scrapy.core.downloader.handlers.http.HTTP11DownloadHandler",
)
_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
#: What Scrapy says of a spider that was closed because nothing can be recorded.
_REASON = "newskeep cannot record"


class Recorder:
    """The add-on of one crawler, with a session and WARCs of its own.

    Where nothing can be recorded it says so: of another download handler or reactor when the crawler starts; of an
    archive that cannot be opened or written by closing the spider, with the reason "newskeep cannot record".
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._archive: Archive | None = None
        self._beginning: asyncio.Task[Recording] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def update_settings(self, settings: BaseSettings) -> None:
        """Put the recording handler in the place of Scrapy's. Raises `NotConfigured` where nothing is recorded."""
        if only_looks(self._crawler):
            raise NotConfigured("only looking: nothing is archived")
        if not settings.getbool("TWISTED_REACTOR_ENABLED") or settings["TWISTED_REACTOR"] != _REACTOR:
            raise NotConfigured(f"nothing is recorded: it takes TWISTED_REACTOR = {_REACTOR!r}")
        used = settings.getwithbase("DOWNLOAD_HANDLERS")
        ours = [scheme for scheme in ("http", "https") if _is_replaced(used.get(scheme))]
        others = {scheme: used[scheme] for scheme in ("http", "https") if used.get(scheme) and scheme not in ours}
        unrecorded = "; ".join(f"{scheme} goes through {_name(handler)}" for scheme, handler in others.items())
        if not ours:
            raise NotConfigured(f"nothing is recorded: {unrecorded or 'http and https have no handler'}")
        if unrecorded:
            logger.warning("not recorded: %s", unrecorded)
        for scheme in ours:
            settings["DOWNLOAD_HANDLERS"][scheme] = _HANDLER
        begin_with(self._crawler, self._recording)
        self._crawler.signals.connect(self._open, signals.spider_opened)
        self._crawler.signals.connect(self._close, signals.spider_closed)

    async def _open(self) -> None:
        try:
            await self._recording()
        except NewskeepError as error:
            logger.error("%s: %s", _REASON, error)
            raise CloseSpider(_REASON) from error

    async def _recording(self) -> Recording:
        if self._beginning is None:
            self._beginning = asyncio.ensure_future(self._begin())
        return await asyncio.shield(self._beginning)

    async def _begin(self) -> Recording:
        # A session begins with what earlier runs have left, which may take long.
        session = await asyncio.to_thread(self._session, load())
        session.on_failure(self._stop)
        return Recording(session)

    def _session(self, config: Config) -> Session:
        from crawler.session.session import Session

        settings = self._crawler.settings
        state = settings.get("NEWSKEEP_STATE") or config.state
        index = settings.get("NEWSKEEP_INDEX") or config.shared_index
        self._archive = open_archive(settings.get("NEWSKEEP_ARCHIVE") or config.archive, state, config.lock, index)
        return Session(self._archive, _options(settings, config))

    def _stop(self) -> None:
        """Close the spider; from any thread."""
        from twisted.internet import reactor

        reactor.callFromThread(self._close_spider)

    def _close_spider(self) -> None:
        if self._crawler.engine.spider is not None:
            self._closing = asyncio.ensure_future(self._crawler.engine.close_spider_async(reason=_REASON))

    async def _close(self, reason: str) -> None:
        begin_with(self._crawler, None)
        if self._beginning is not None and self._beginning.exception() is None:
            await self._end(self._beginning.result(), reason)
        if self._archive is not None:
            self._archive.close()

    async def _end(self, recording: Recording, reason: str) -> None:
        session = recording.session
        if reason == "shutdown":
            # Scrapy has its own signal handlers, which know nothing of sealing.
            session.stop.ask()
        session.stopped = session.stopped or _state(reason)
        await recording.settle()
        await asyncio.to_thread(session.close)
        if session.failure is not None:
            logger.error("%s", session.failure)
        counts = recording.counts
        for name, number in counts.items():
            self._crawler.stats.set_value(f"newskeep/{name}", number)
        logger.info(
            "%d responses and %d revisits archived in %s (crawl %s)",
            counts["responses"],
            counts["revisits"],
            session.archive.uri,
            session.crawl,
        )


def _state(reason: str) -> RunState:
    """How a run ended, by Scrapy's word for it."""
    if reason == "finished":
        return "finished"
    # A spider that closes itself, or CLOSESPIDER_…, has what it wanted.
    return "failed" if reason == _REASON else "stopped"


def _is_replaced(handler: Any) -> bool:
    return handler is not None and _name(handler) in _REPLACED


def _name(handler: Any) -> str:
    return handler if isinstance(handler, str) else f"{handler.__module__}.{handler.__qualname__}"


def _options(settings: BaseSettings, config: Config) -> SessionOptions:
    from crawler.session.extraction_pool import default_workers
    from crawler.session.recorder import SealBounds
    from crawler.session.session import SessionOptions

    try:
        text = settings.getbool("NEWSKEEP_TEXT", True)
    except ValueError:
        raise ConfigError(f"NEWSKEEP_TEXT is True or False, not {settings['NEWSKEEP_TEXT']!r}") from None
    return SessionOptions(
        user_agent=settings["USER_AGENT"],
        operator=config.operator,
        obey_robots=settings.getbool("ROBOTSTXT_OBEY"),
        bounds=SealBounds(config.warc_max_bytes, config.warc_max_age),
        workers=config.workers or default_workers(),
        spool_max_bytes=config.spool_max_bytes,
        robot=(settings["ROBOTSTXT_USER_AGENT"] or settings["BOT_NAME"]).lower(),
        has_text=text,
        minds_contact=False,
    )

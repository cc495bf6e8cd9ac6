"""The recording handler in a Scrapy project of somebody else's: it records, and all else is as Scrapy has it.

The project decides whom it asks and how often, whom it believes, how long it waits, and what it makes of an answer that
is cut: responses and errors are those that its own handler would have given. By private names of Scrapy, as handler.py
says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scrapy.core.downloader.contextfactory import _load_context_factory_from_settings
from scrapy.core.downloader.handlers import http11
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future

from crawler.engine.handler import RecordingHandler
from crawler.engine.recording_protocol import Attempt, RecordingProtocol
from crawler.engine.redaction import without_credentials
from crawler.sites.recording import Recording, recording_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.interfaces import IAddress

    from crawler.engine.wire import Wire
    from crawler.session.recorder import RecordedExchange
    from storage.model import Exchange


class _TransparentProtocol(RecordingProtocol):
    parser = None

    def _goes_on(self, wire: Wire) -> bool:  # noqa: ARG002
        return True


class _TransparentFactory(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> _TransparentProtocol:  # noqa: ARG002, N802
        return _TransparentProtocol(self._quiescentCallback)


class TransparentHandler(RecordingHandler):
    """Scrapy's handler, whose exchanges are in the WARC before anyone sees the response; requests stay as they are."""

    _recording: Recording | None = None

    def _configure(self, crawler: Crawler) -> None:
        self._pool._factory = _TransparentFactory
        self._allow_private = self._trust_proxy = True
        self._refuse_noarchive = False
        self._identity = None
        # Older spiders say it in an attribute.
        for name in ("maxsize", "warnsize"):
            bound = getattr(crawler.spider, f"download_{name}", getattr(self, f"_default_{name}"))
            setattr(self, f"_default_{name}", bound)
        self._contextFactory = _load_context_factory_from_settings(crawler)

    async def download_request(self, request: Request) -> Response:
        if self._recording is None:
            # Pipelines may ask for something before the spider is open.
            recording = await recording_of(self._crawler)
            self._recording, self._session = recording, recording.session
        return await self._fetch(request)

    async def _download(self, request: Request, number: bytes, attempt: Attempt) -> Response:  # noqa: ARG002
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(self._agent(number, request).download_request(request))

    def _subscription(self, request: Request) -> None:  # noqa: ARG002
        return None

    async def _redacted(self, exchange: Exchange, request: Request) -> Exchange:  # noqa: ARG002
        # What of the rest is secret the project alone can know; docs/scrapy.md says so.
        return without_credentials(exchange)

    def _leave(self, request: Request, recorded: RecordedExchange) -> None:  # noqa: ARG002
        # Not in the request: its `meta` goes to other requests and to disk, and a key of that name may be the spider's.
        assert self._recording is not None
        self._recording.recorded(recorded)

    def _attempt(self, request: Request, may_send: Callable[[], None]) -> Attempt:  # noqa: ARG002
        return Attempt(bool(request.meta.get("proxy")), allow_private=True, limit=math.inf, deadline=math.inf)

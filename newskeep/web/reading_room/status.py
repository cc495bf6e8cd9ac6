"""The whole archive on a page: what it holds and takes, how it goes, and what is due next."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from newskeep.status.collect import Status, status_of
from newskeep.status.reports import Reports
from newskeep.web.options import ServeOptions
from newskeep.web.reading_room.common import archive_of, show

if TYPE_CHECKING:
    from storage.archive import Archive

#: Sites and months of the page.
SITES, MONTHS = 60, 24
#: Seconds for which a picture is shown as it was: counting a large archive takes some.
_FRESH = 60
#: Seconds that an answer waits for a new one. One that takes longer is made behind an answer that shows the last, and
#: is shown for so many times as long as it takes, so that counting never keeps a server busy.
_PATIENCE, _REST = 1.0, 20


def page(reports: Reports) -> Callable[[Request], Response]:
    """Return the handler; `reports` is what it remembers of crawl reports."""
    pictures = Pictures(reports)

    def status(request: Request) -> Response:
        options: ServeOptions = request.app.state.options
        found = pictures.newest(archive_of(request), options)
        answer = show(
            request,
            "status.html",
            picture=found,
            total=found.holdings.total,
            months=found.holdings.by_month()[:MONTHS],
            sites=found.holdings.by_site()[:SITES],
            more=max(0, len(found.holdings.sites) - SITES),
            most=max((size for _, size in found.holdings.kinds.values()), default=0),
        )
        answer.background = BackgroundTask(pictures.renew, archive_of(request), options)
        return answer

    return status


@dataclass(frozen=True, slots=True)
class _Picture:
    status: Status
    #: Seconds on the monotonic clock when it was made, and that it took.
    at: float
    took: float

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.at >= max(_FRESH, _REST * self.took)

    @property
    def is_slow(self) -> bool:
        return self.took > _PATIENCE


class Pictures:
    """The last picture; who asks for the first, or where it is made quickly, waits for one. Threads may share these."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._lock, self._renewing = Lock(), Lock()
        self._last: _Picture | None = None

    def newest(self, archive: Archive, options: ServeOptions) -> Status:
        with self._lock:
            if self._last is None or (self._last.is_old and not self._last.is_slow):
                self._last = self._made(archive, options)
            return self._last.status

    def renew(self, archive: Archive, options: ServeOptions) -> None:
        """Make a picture in the place of an old one, unless that is under way."""
        if self._renewing.acquire(blocking=False):
            try:
                if self._last is not None and self._last.is_old:
                    self._last = self._made(archive, options)
            finally:
                self._renewing.release()

    def _made(self, archive: Archive, options: ServeOptions) -> _Picture:
        begin = time.monotonic()
        status = status_of(archive, options.config, datetime.now(UTC), self._reports)
        end = time.monotonic()
        return _Picture(status, end, end - begin)

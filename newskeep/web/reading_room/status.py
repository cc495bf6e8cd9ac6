"""The whole archive on a page: what it holds and takes, how it goes, and what is due next."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

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


def page(reports: Reports) -> Callable[[Request], Response]:
    """Return the handler; `reports` is what it remembers of crawl reports."""
    pictures = _Pictures(reports)

    def status(request: Request) -> Response:
        options: ServeOptions = request.app.state.options
        found = pictures.newest(archive_of(request), options)
        return show(
            request,
            "status.html",
            picture=found,
            total=found.holdings.total,
            months=found.holdings.by_month()[:MONTHS],
            sites=found.holdings.by_site()[:SITES],
            more=max(0, len(found.holdings.sites) - SITES),
            most=max((size for _, size in found.holdings.kinds.values()), default=0),
        )

    return status


class _Pictures:
    """The last picture; who asks while one is made waits for it. Threads may share one."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._lock = Lock()
        self._last: tuple[float, Status] | None = None

    def newest(self, archive: Archive, options: ServeOptions) -> Status:
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] >= _FRESH:
                made = status_of(archive, options.config, datetime.now(UTC), self._reports)
                self._last = time.monotonic(), made
            return self._last[1]

"""What is asked again at once: what failed on the way, and what the server calls a fault of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import DownloadTimeoutError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class RetryPolicy(RetryMiddleware):
    """Scrapy's, but what timed out is asked once more only: each attempt holds the host for the whole time allowed."""

    def process_exception(  # type: ignore[override]
        self, request: Request, exception: Exception
    ) -> Request | Response | None:
        if isinstance(exception, DownloadTimeoutError) and request.meta.get("retry_times", 0) >= 1:
            return None
        return super().process_exception(request, exception)

"""Where redirects may lead, and what must not go along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware

from crawler.conditional import CONDITIONS
from crawler.refusals import Refused
from storage.errors import InvalidURL
from storage.urls import normalize

if TYPE_CHECKING:
    from scrapy.http import Response


class RedirectPolicy(RedirectMiddleware):
    """Follows redirects to http and https; a target of another kind, or with credentials in it, is refused.

    Validators are of the address they were asked with: they are not sent to another.
    """

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        result = super().process_response(request, response)
        if isinstance(result, Request):
            try:
                normalize(result.url)
            except InvalidURL as error:
                raise Refused(f"redirects to an address that is refused: {error}") from error
            for name in CONDITIONS:
                result.headers.pop(name, None)
        elif response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
            scheme = (response.headers["Location"] or b"").partition(b":")[0].decode("latin-1")
            raise Refused(f"redirects to an address that is not http: {scheme}")
        return result

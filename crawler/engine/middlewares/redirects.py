"""Where redirects may lead, and what must not go along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

from crawler.discovery import identity
from crawler.politeness.errors import AlreadyHeld, Refused
from crawler.session.conditional import CONDITIONS
from crawler.sites.context import context_of
from crawler.sites.items import known_of
from storage.errors import InvalidURL
from storage.urls import normalize

if TYPE_CHECKING:
    from scrapy.http import Response


class RedirectPolicy(RedirectMiddleware):
    """Follows redirects to http and https; a target of another kind, or with credentials in it, is refused.

    A chain ends where it comes to an address for the second time: without cookies the answer would be the same. That of
    a site's article ends at an article that need not be asked for now. Validators are of the address they were asked
    with: they are not sent to another.
    """

    def _engine_started(self) -> None:
        # Scrapy's warns that nothing sets a Referer. A private name of it: crawler/capture.py says where others are.
        pass

    def handle_referer(self, request: Request, response: Response) -> None:  # noqa: ARG002
        """Send none, as everywhere (REFERER_ENABLED)."""
        request.headers.pop("Referer", None)

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        result = super().process_response(request, response)
        if isinstance(result, Request):
            try:
                normalize(result.url)
            except InvalidURL as error:
                raise Refused(f"redirects to an address that is refused: {error}") from error
            if result.url in result.meta["redirect_urls"]:
                raise IgnoreRequest("a redirect loop")
            await self._mind_held(result)
            for name in CONDITIONS:
                result.headers.pop(name, None)
        elif response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
            scheme = (response.headers["Location"] or b"").partition(b":")[0].decode("latin-1")
            raise Refused(f"redirects to an address that is not http: {scheme}")
        return result

    async def _mind_held(self, redirected: Request) -> None:
        """Raise `AlreadyHeld` for an article that this run asks for by its own address, or that is not due."""
        ledger, known = context_of(self.crawler).ledger, known_of(redirected)
        if ledger is None or known is None:
            return
        target = await ledger.held_at(identity(redirected.url))
        if target is not None and target != known.url:
            raise AlreadyHeld(target)

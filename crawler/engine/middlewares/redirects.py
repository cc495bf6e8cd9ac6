"""Where redirects may lead, and what must not go along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http.cookies import CookieJar

from crawler.discovery import identity
from crawler.html.refresh import refresh_target
from crawler.politeness.errors import AlreadyHeld, Refused
from crawler.session.conditional import CONDITIONS
from crawler.session.page_extraction import is_page
from crawler.session.recorder import recorded_of
from crawler.sites.context import context_of
from crawler.sites.items import UNRECORDED, known_of
from storage.errors import InvalidURL
from storage.http import HttpMessage
from storage.urls import join, normalize

if TYPE_CHECKING:
    from scrapy.http import Response


#: In a request's meta: the cookies of its chain of redirects, and what was asked so far: addresses, cookies sent.
_COOKIES, _ASKED = "chain_cookies", "chain_asked"
#: How often a chain may come to one address, each time with other cookies.
_MOST_TIMES = 3
#: Bytes of a page that is looked at for a refresh; one that only sends on is short.
_SHORT = 256 * 1024
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class RedirectPolicy(RedirectMiddleware):
    """Follows redirects to http and https; a target of another kind, or with credentials in it, is refused.

    A page that is nothing but a refresh is a redirect. The cookies that a chain's answers set go along with it and end
    with it (RFC 6265, 5.3), so that no capture depends on one before it. A chain ends where it comes to an address for
    the second time with the same cookies. That of a site's article ends at an article that need not be asked for now.
    Validators are of the address they were asked with: they are not sent to another.
    """

    def _engine_started(self) -> None:
        # Scrapy's warns that nothing sets a Referer. A private name of it: engine/handler.py says where others are.
        pass

    def handle_referer(self, request: Request, response: Response) -> None:  # noqa: ARG002
        """Send none, as everywhere (REFERER_ENABLED)."""
        request.headers.pop("Referer", None)

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        if request.meta.get(UNRECORDED):
            # Who logs in follows by itself.
            return response
        if location := response.headers.get("Location"):
            response.headers["Location"] = join(request.url, location.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
        try:
            result = super().process_response(request, response)
        except ValueError as error:
            # Scrapy makes a request of the target before it looks at it.
            raise Refused(_unfit(response.headers["Location"] or b"")) from error
        if request.meta.get("dont_redirect"):
            return result
        if result is response and (target := _refreshed(request, response)):
            result = self._redirect(
                self._build_redirect_request(request, response, url=target), request, "meta refresh"
            )
            if self._is_loop(request, result, response):
                # It renews itself: a page as it is.
                return response
        elif isinstance(result, Request) and self._is_loop(request, result, response):
            raise IgnoreRequest("a redirect loop")
        if isinstance(result, Request):
            try:
                normalize(result.url)
            except InvalidURL as error:
                raise Refused(f"redirects to an address that is refused: {error}") from error
            await self._mind_held(result)
            for name in CONDITIONS:
                result.headers.pop(name, None)
        elif response.status in (301, 302, 303, 307, 308) and "Location" in response.headers:
            raise Refused(_unfit(response.headers["Location"] or b""))
        return result

    @staticmethod
    def _is_loop(request: Request, target: Request, response: Response) -> bool:
        """Take the answer's cookies along to the target; return whether it was asked for with the same already."""
        jar = request.meta.get(_COOKIES) or CookieJar()
        jar.extract_cookies(response, request)
        target.headers.pop("Cookie", None)
        jar.add_cookie_header(target)
        asked = [*request.meta.get(_ASKED, []), (request.url, request.headers.get("Cookie"))]
        target.meta[_COOKIES], target.meta[_ASKED] = jar, asked
        before = [cookies for url, cookies in asked if url == target.url]
        return target.headers.get("Cookie") in before or len(before) >= _MOST_TIMES

    async def _mind_held(self, redirected: Request) -> None:
        """Raise `AlreadyHeld` for an article that this run asks for by its own address, or that is not due."""
        ledger, known = context_of(self.crawler).ledger, known_of(redirected)
        if ledger is None or known is None:
            return
        target = await ledger.held_at(identity(redirected.url))
        if target is not None and target != known.url:
            raise AlreadyHeld(target)


def chain_cookies(request: Request) -> Iterator[bytes]:
    """The cookies that answers on the way to a request set, each as `name=value`."""
    for cookie in request.meta.get(_COOKIES) or ():
        yield (cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}").encode(
            "utf-8", "surrogateescape"
        )


def _unfit(location: bytes) -> str:
    """Why there is no going to the target of a redirect that is no web address."""
    target = location.decode("utf-8", "replace")
    if (scheme := _SCHEME.match(target)) and scheme[1].lower() not in ("http", "https"):
        return f"redirects to an address that is not http: {scheme[1]}"
    try:
        return f"redirects to an address that is refused: {normalize(target)}"
    except InvalidURL as error:
        return f"redirects to an address that is refused: {error}"


def _refreshed(request: Request, response: Response) -> str | None:
    """The address to which a page that is nothing else sends its readers; `None` for all other answers."""
    recorded = recorded_of(request)
    if recorded is None or not is_page(recorded.exchange.response):
        return None
    message = HttpMessage.parse(recorded.exchange.response)
    beginning = message.beginning(_SHORT)
    if len(beginning) == _SHORT:
        return None
    target = refresh_target(beginning, message.header("content-type"), message.header("refresh"))
    try:
        return normalize(join(response.url, target)) if target else None
    except InvalidURL:
        return None

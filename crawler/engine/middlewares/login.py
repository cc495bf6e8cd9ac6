"""Logs in where a site has a log-in: before its first page, and again when the session has ended."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from crawler.politeness.errors import NotLoggedIn
from crawler.politeness.shown_page import ShownPage
from crawler.session.outcomes import failed_outcome, phrase
from crawler.session.recorder import recorded_of
from crawler.sites.context import CrawlContext, context_of
from crawler.sites.items import ANONYMOUS, UNRECORDED
from crawler.subscriptions.login import (
    Login,
    LoginRefused,
    Submission,
    form_submission,
    json_submission,
    token_of,
)
from crawler.subscriptions.subscription import Subscription
from storage.errors import InvalidURL, SpoolError
from storage.http import HttpMessage
from storage.urls import join, normalize

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

#: In a request's meta: the number of the session it was sent in, and whether it was sent again for having ended.
_SESSION, _AGAIN = "login_session", "login_again"
#: What redirects and answers have left in the meta of a request that is sent again.
_OF_ANSWERS = ("redirect_", "chain_", "recorded", "private", "download_latency")
#: What stands in the place of pages for subscribers (politeness/walls.py).
_WALLS = ("a login wall", "a paywall")
#: Redirects that are followed after a log-in.
_HOPS = 10
#: Bytes of an answer that are looked at.
_CONTENT_MAX = 4 * 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


class LoginMiddleware:
    """Holds requests of a site back until it is logged in, and asks once more for what came from an ended session.

    A log-in that fails is not tried again in the run: accounts are locked for less.
    """

    def __init__(self, crawler: Crawler, context: CrawlContext) -> None:
        self._crawler = crawler
        self._context = context
        self._lock = asyncio.Lock()
        #: How often we have logged in.
        self._session = 0
        self._failure: str | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, context_of(crawler))

    async def process_request(self, request: Request) -> None:
        subscription = self._context.subscription
        if subscription is None or subscription.login is None or not _is_for_subscriber(request, subscription):
            return
        if self._session == 0:
            await self._log_in(subscription, subscription.login, 0)
        if self._failure is not None:
            raise NotLoggedIn(self._failure)
        request.meta[_SESSION] = self._session

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        subscription = self._context.subscription
        if subscription is None or not _is_for_subscriber(request, subscription):
            return response
        if (refusal := _refusal(request)) is None:
            return response
        if subscription.login is None or request.meta.get(_AGAIN) or subscription.is_doubted:
            self._tell(subscription, request, refusal)
            return response
        await self._log_in(subscription, subscription.login, request.meta.get(_SESSION, 0))
        if self._failure is not None:
            return response
        return _asked_again(request)

    async def _log_in(self, subscription: Subscription, login: Login, ended: int) -> None:
        """Log in, unless that was done since the session `ended` was, or has failed."""
        async with self._lock:
            if self._session != ended or self._failure is not None:
                return
            try:
                await _Attempt(self._crawler, subscription, login).run()
            except LoginRefused as error:
                self._failed(subscription, login, str(error))
            except SpoolError:
                raise
            except Exception as error:
                # Where the server cannot be reached, or does not answer.
                reason = failed_outcome(login.place, Request(login.url), error).reason
                self._failed(subscription, login, reason or "failed")
            else:
                self._session += 1
                subscription.state = "logged in"

    def _failed(self, subscription: Subscription, login: Login, reason: str) -> None:
        self._failure = f"not logged in at {login.place}: {reason}"
        subscription.state = self._failure
        logger.error("%s", self._failure)
        if self._context.ledger is not None:
            self._context.ledger.problem(self._failure)

    def _tell(self, subscription: Subscription, request: Request, refusal: str) -> None:
        """Say once that what is sent does not let us in."""
        if subscription.is_doubted:
            return
        subscription.is_doubted = True
        sent = "the log-in" if subscription.login else "the cookies or fields that were sent"
        place = urlsplit(request.url)
        told = f"{sent} did not let us in at {place.scheme}://{place.netloc}{place.path}: {refusal}"
        subscription.state = told
        logger.warning("%s", told)
        if self._context.ledger is not None:
            self._context.ledger.problem(told)


class _Attempt:
    """One log-in. Nothing of it is recorded; cookies go into the subscription as they come."""

    def __init__(self, crawler: Crawler, subscription: Subscription, login: Login) -> None:
        self._crawler = crawler
        self._subscription = subscription
        self._login = login
        self._has_cookies = False

    async def run(self) -> None:
        """Raises `LoginRefused`, and what Scrapy raises of requests that get no answer."""
        login = self._login
        if login.token is not None:
            answer = await self._post(json_submission(login), {"Accept": "application/json"})
            _check_status(answer)
            name, value = token_of(login, _content(answer))
            self._subscription.set_header(name, value)
            return
        page = await self._follow(await self._get(login.url))
        _check_status(page)
        # Those of the page with the form are for anybody.
        self._has_cookies = False
        end = await self._follow(await self._post(form_submission(login, _content(page), page.url), {}))
        _check_status(end)
        self._judge(end)

    def _judge(self, end: Response) -> None:
        """Whether the page at the end of a log-in by form is that of somebody who is logged in."""
        if self._login.logged_in is not None:
            text = _content(end).decode("utf-8", "replace")
            if re.search(self._login.logged_in, text) is None:
                raise LoginRefused("the page that came does not match logged_in")
            return
        if ShownPage(HttpMessage.parse(b""), _content(end)).asks_password:
            raise LoginRefused("the form came again: a wrong user or password, or something else it wants")
        if not self._has_cookies:
            raise LoginRefused("no cookie was set")

    async def _get(self, url: str) -> Response:
        return await self._ask(Request(url))

    async def _post(self, submission: Submission, headers: Mapping[str, str]) -> Response:
        headers = {"Content-Type": submission.content_type, **headers}
        return await self._ask(Request(submission.url, method="POST", body=submission.body, headers=headers))

    async def _follow(self, response: Response) -> Response:
        """Follow redirects, always by GET: what was typed in goes to the form's own address and nowhere else."""
        for _ in range(_HOPS):
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response
            try:
                target = normalize(join(response.url, location.decode("utf-8", "surrogateescape")))
            except InvalidURL as error:
                raise LoginRefused(f"redirects to an address that {error.reason}") from None
            response = await self._get(target)
        raise LoginRefused("too many redirects")

    async def _ask(self, request: Request) -> Response:
        request = request.replace(callback=NO_CALLBACK, dont_filter=True, priority=1_000)
        # robots.txt speaks to robots that wander, not to a reader at the door. A second attempt is a second log-in.
        request.meta.update({UNRECORDED: True, "dont_obey_robotstxt": True, "dont_retry": True, "dont_redirect": True})
        response = await self._crawler.engine.download_async(request)
        self._has_cookies |= self._subscription.take(response, renewed_only=False)
        return response


def _is_for_subscriber(request: Request, subscription: Subscription) -> bool:
    meta = request.meta
    return not meta.get(UNRECORDED) and not meta.get(ANONYMOUS) and subscription.covers(_begin(request))


def _begin(request: Request) -> str:
    """Where a chain of redirects began."""
    return str(next(iter(request.meta.get("redirect_urls", ())), request.url))


def _refusal(request: Request) -> str | None:
    """How an answer shows that we are not let in, in words; `None` of one that lets us in."""
    recorded = recorded_of(request)
    if recorded is None:
        return None
    if recorded.wall is not None and recorded.wall.reason.startswith(_WALLS):
        return recorded.wall.reason
    status = HttpMessage.parse(recorded.exchange.response).status
    return f"{status} {phrase(status)}" if status == HTTPStatus.UNAUTHORIZED else None


def _asked_again(request: Request) -> Request:
    """The request that redirects and all began with, once more."""
    again = request.replace(url=_begin(request), dont_filter=True, priority=request.priority + 1)
    for name in [name for name in again.meta if name.startswith(_OF_ANSWERS)]:
        del again.meta[name]
    again.headers.pop("Cookie", None)
    again.meta[_AGAIN] = True
    return again


def _check_status(response: Response) -> None:
    if response.status >= 400:
        raise LoginRefused(f"{response.status} {phrase(response.status)}".strip())


def _content(response: Response) -> bytes:
    """The body with its content coding removed. Raises `LoginRefused`."""
    coding = (response.headers.get("Content-Encoding") or b"").decode("latin-1")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Type: text/html\r\n\r\n".encode("latin-1")
    return HttpMessage(head, True, head + response.body).beginning(_CONTENT_MAX)

"""The addresses that hubs call: each subscription's own, open to who knows it; what is sent has to be signed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from newskeep.saving.jobs import URLS_MAX, QueueFull
from newskeep.web.params import Params
from newskeep.web.saving import body_of, jobs_of
from newskeep.websub.callback import deny, new_links, verify
from newskeep.websub.signature import is_signed
from newskeep.websub.subscriber import Subscriber
from newskeep.websub.subscription import Subscription
from storage.counts import counted
from storage.errors import UsageError

_log = logging.getLogger(__name__)

#: What stands before a subscription's id in the path.
PATH = "/websub/"
#: Bytes of a feed that is pushed.
_FEED_MAX = 10_000_000
_TAKEN = 202


def routes() -> list[BaseRoute]:
    return [
        Route(PATH + "{id}", _verified, methods=["GET"]),
        Route(PATH + "{id}", _pushed, methods=["POST"]),
    ]


def _verified(request: Request) -> Response:
    subscriber, now = _subscriber(request), datetime.now(UTC)
    params, name = Params(request), request.path_params["id"]
    mode, topic = params.text("hub.mode", most=20) or "", params.text("hub.topic", most=3_000) or ""
    if mode == "denied":
        if deny(subscriber.store, name, topic, params.text("hub.reason", most=1_000) or "", now):
            return PlainTextResponse("noted")
    else:
        challenge = params.required("hub.challenge", most=4_000)
        if verify(subscriber.store, name, mode, topic, _lease(params), now):
            return PlainTextResponse(challenge)
    raise HTTPException(404, "nothing like this was asked of a hub")


def _lease(params: Params) -> int | None:
    try:
        return params.integer("hub.lease_seconds", 0, 10**11)
    except UsageError:
        return None


async def _pushed(request: Request) -> Response:
    subscriber = _subscriber(request)
    known = await run_in_threadpool(subscriber.store.get, request.path_params["id"])
    if known is None:
        # So that a hub stops calling (section 7).
        raise HTTPException(410, "not subscribed")
    body = await body_of(request, _FEED_MAX)
    # To the sender both are the same: it must not learn whether a signature was right (section 8).
    if is_signed(body, request.headers.get("x-hub-signature"), known.secret) and known.takes(datetime.now(UTC)):
        await run_in_threadpool(_take, request, subscriber, known, body)
    else:
        _log.warning("websub: %s: what came was not signed by its hub, or is not wanted; ignored", known.site)
    return PlainTextResponse("taken", _TAKEN)


def _take(request: Request, subscriber: Subscriber, known: Subscription, body: bytes) -> None:
    """Have saved what is new in a pushed feed, before all else that waits."""
    site = subscriber.site(known.site)
    if site is None:
        return
    index, kind = request.app.state.archive.index, request.headers.get("content-type")
    found = new_links(known, site, index, body, kind, datetime.now(UTC))
    urls = list(dict.fromkeys(found))
    for some in _jobs(urls):
        try:
            jobs_of(request).submit(some, f"WebSub, {urlsplit(known.hub).netloc}", urgent=True)
        except QueueFull as error:
            # The hub sends it again.
            raise HTTPException(503, str(error), {"Retry-After": "60"}) from None
    _log.info("websub: %s: %s pushed", known.site, counted(len(urls), "article"))


def _jobs(urls: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(urls)
    return iter(lambda: list(islice(rest, URLS_MAX)), [])


def _subscriber(request: Request) -> Subscriber:
    subscriber: Subscriber | None = request.app.state.websub
    if subscriber is None:
        raise HTTPException(404, "this server has no subscriptions")
    return subscriber

"""The origin of replayed pages: what is asked of it goes on to pywb, and comes back without what could do harm.

An archived page's scripts run here, so nothing of ours is here. pywb has no lock, and believes any Host field; the gate
before this one has and does not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from urllib.parse import urlsplit

import h11
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newskeep.web.addresses import Origins, sent_target, target
from newskeep.web.memento_lookup import nearest
from newskeep.web.originals import MEMENTO
from newskeep.web.replay.pywb import Pywb
from newskeep.web.withheld import mind
from storage.errors import NotArchived, StoreUnavailable, UsageError
from storage.urls import parse_timestamp

#: Fields that pywb gets; no cookie and no key of the reader's.
_ASKED = frozenset(
    {
        *(b"accept", b"accept-datetime", b"accept-encoding", b"accept-language", b"range", b"referer", b"user-agent"),
        *(b"x-requested-with", b"x-pywb-requested-with", b"x-wombat-history-page"),
    }
)
#: Fields that mean something to the connection, and those that would outlive the page or loosen what the gate sets.
_NOT_ANSWERED = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"set-cookie", b"clear-site-data", b"service-worker-allowed", b"strict-transport-security", b"alt-svc"),
        *(b"www-authenticate", b"refresh", b"nel", b"report-to", b"reporting-endpoints", b"public-key-pins"),
        *(b"content-security-policy", b"content-security-policy-report-only", b"x-frame-options", b"origin-trial"),
        *(b"referrer-policy", b"permissions-policy", b"speculation-rules", b"sourcemap", b"x-sourcemap"),
        *(b"cross-origin-opener-policy", b"cross-origin-embedder-policy", b"cross-origin-resource-policy"),
        *(b"server", b"date", b"x-content-type-options", b"x-robots-tag"),
    }
)
#: What pywb lists: captures from a time on.
_LIST = re.compile(r"/web/\d{0,14}\*/")
#: Seconds for pywb to say something more.
_SILENCE_SECONDS = 60
_RETRY_SECONDS = 0.1
_PIECE = 64 * 1024

Fields = list[tuple[bytes, bytes]]
#: The head, then pieces of the body.
Answer = AsyncGenerator[h11.Response | bytes, None]


def routes(pywb: Pywb) -> list[BaseRoute]:
    async def replay(request: Request) -> Response:
        if banner := _under_banner(request):
            return banner
        await run_in_threadpool(_mind, request)
        answer = _exchange(pywb, request)
        head = await anext(answer)
        assert isinstance(head, h11.Response)
        fields = [(name, value) for name, value in head.headers if not _is_harmful(name)]
        response = StreamingResponse(_body(answer), head.status_code)
        response.raw_headers = fields
        return response

    return [Route("/", _home), Route("/robots.txt", _robots), Route("/{path:path}", replay)]


def _under_banner(request: Request) -> Response | None:
    """Lead who opens a page in a tab of its own, as a link of an archived page may, to the same under its banner.

    Programs, frames, and who asks for the bytes as they were get what they ask for.
    """
    if (
        request.method != "GET"
        or request.headers.get("sec-fetch-dest") != "document"
        or _LIST.match(sent_target(request))
    ):
        return None
    try:
        match, url = target(request, MEMENTO)
    except UsageError:
        return None
    if match[2] == "id_":
        return None
    return RedirectResponse(f"{Origins.of(request).app}/replay/{match[1] + '/' if match[1] else ''}{url}", 302)


def _mind(request: Request) -> None:
    """Raise `Withheld` for what is not shown; pywb, which may not read it either, would call it broken."""
    try:
        match, url = target(request, MEMENTO)
        mind(request, nearest(request.app.state.archive, url, parse_timestamp(match[1]) if match[1] else None))
    except (UsageError, NotArchived):
        # Not an address of a page, or of none that is held: pywb's to say.
        return


def _home(request: Request) -> Response:
    return RedirectResponse(f"{Origins.of(request).app}/", 302)


def _robots(request: Request) -> Response:  # noqa: ARG001
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")


def _is_harmful(name: bytes) -> bool:
    return name in _NOT_ANSWERED or name.startswith(b"access-control-")


async def _body(answer: Answer) -> AsyncIterator[bytes]:
    async for piece in answer:
        assert isinstance(piece, bytes)
        yield piece


async def _exchange(pywb: Pywb, request: Request) -> Answer:
    """Ask pywb, and yield the head of its answer, then its body. Raises `StoreUnavailable`."""
    reader, writer = await _connect(pywb)
    connection = h11.Connection(h11.CLIENT)
    try:
        asked = h11.Request(method=request.method, target=sent_target(request), headers=_fields(request))
        writer.write(connection.send(asked) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        async with aclosing(_events(connection, reader)) as events:
            async for event in events:
                yield event
    except (OSError, TimeoutError, h11.RemoteProtocolError) as error:
        raise StoreUnavailable(f"pywb gave no whole answer: {error or 'it is silent'}") from error
    finally:
        writer.close()


async def _events(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await asyncio.wait_for(reader.read(_PIECE), _SILENCE_SECONDS))
        elif isinstance(event, h11.Response):
            yield event
        elif isinstance(event, h11.Data):
            yield bytes(event.data)
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return


async def _connect(pywb: Pywb) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; waits while pywb starts. Raises `StoreUnavailable` when it is gone."""
    while True:
        try:
            return await asyncio.open_connection(pywb.host, pywb.port)
        except OSError:
            if not pywb.is_starting:
                raise StoreUnavailable(
                    "pywb is not running, so nothing can be replayed; the server's log says why"
                ) from None
        await asyncio.sleep(_RETRY_SECONDS)


def _fields(request: Request) -> Fields:
    """The fields of the request for pywb, which writes addresses with Host and scheme as it is told them."""
    public = urlsplit(Origins.of(request).replay or "")
    asked: Iterable[tuple[bytes, bytes]] = request.headers.raw
    return [
        (b"host", public.netloc.encode("ascii", "replace")),
        (b"x-forwarded-proto", public.scheme.encode("ascii")),
        (b"connection", b"close"),
        *((name, value) for name, value in asked if name in _ASKED),
    ]

"""The origins, each on a port, in one process, with bounds on what a slow or greedy client may take."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from newskeep.saving.jobs import Job, JobQueue
from newskeep.saving.request import SaveRequest
from newskeep.saving.runner import JobRunner
from newskeep.web.app import create_app, create_originals, create_replay
from newskeep.web.metrics import Metrics
from newskeep.web.options import ServeOptions
from newskeep.web.replay import Pywb
from newskeep.websub.subscriber import Subscriber
from storage.annotating import sync as annotations_sync
from storage.errors import NewskeepError, UsageError
from storage.removing.sync import learn

if TYPE_CHECKING:
    from crawler.config import Config
    from storage.archive import Archive

_log = logging.getLogger(__name__)

#: Seconds between two looks at what other machines hid.
LEARN_SECONDS = 60
#: Bytes of a request's first line and fields; URLs may have 8,000 characters, and are in Referer too.
HEAD_MAX_BYTES = 32 * 1024
#: Seconds in which a request must have come whole.
REQUEST_SECONDS = 15
#: Seconds that an open connection may wait for its next request.
IDLE_SECONDS = 10
#: Seconds for which a client may take nothing of its answer.
STALL_SECONDS = 60
#: Connections; from half of it on requests are answered with 503, above it connections are dropped.
CONNECTIONS = 512
#: Seconds that running answers get at the end.
GRACE_SECONDS = 3


class _BoundedConnection(h11.Connection):
    """h11 with the bound on a head that comes whole too: its own is on what is incomplete, and reads may be large."""

    #: What is to be answered to the request that was refused last.
    refusal = 400

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        before = len(self.trailing_data[0]) if self.their_state is h11.IDLE else 0
        try:
            event = super().next_event()
            if isinstance(event, h11.Request) and before - len(self.trailing_data[0]) > HEAD_MAX_BYTES:
                raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)
        except h11.RemoteProtocolError as error:
            self.refusal = error.error_status_hint
            raise
        return event


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with the limits it lacks: for a request to arrive, for an answer to be taken, for whole heads.

    Its own timer runs between requests only, and every byte stops it.
    """

    _arriving: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.conn: _BoundedConnection = _BoundedConnection(h11.SERVER, HEAD_MAX_BYTES)

    def send_400_response(self, msg: str) -> None:
        if self.conn.refusal != 431:
            super().send_400_response(msg)
            return
        text = f"A request's head may have {HEAD_MAX_BYTES:,} bytes.\n".encode("ascii")
        fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]
        head = h11.Response(status_code=431, headers=[*fields, ("Connection", "close")], reason=b"Head Too Large")
        for event in (head, h11.Data(data=text), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._expect()

    def data_received(self, data: bytes) -> None:
        if self._arriving is None and not self._has_arrived():
            self._expect()
        super().data_received(data)
        if self._has_arrived():
            self._cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # A body that nobody reads may still be on its way.
        if not self._has_arrived() and self.conn.their_state is not h11.IDLE and self._arriving is None:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        if self._stalled is not None:
            self._stalled.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    def _has_arrived(self) -> bool:
        return self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)

    def _expect(self) -> None:
        self._arriving = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _cancel(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None


class _Ports:
    """ASGI: the app of the port that was asked, by the socket and not by what the client says."""

    def __init__(self, apps: dict[int, ASGIApp], first: ASGIApp) -> None:
        self._apps = apps
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._first if scope["type"] == "lifespan" else self._apps[scope["server"][1]]
        await app(scope, receive, send)


class _Server(uvicorn.Server):
    """Ends at SIGINT and SIGTERM, and does not raise the signal once more when it has."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(
    archive: Archive,
    options: ServeOptions,
    ready: Callable[[ServeOptions], None],
    access_log: bool = False,
    pywb: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once the ports are open, with the ports that were chosen for 0.

    With a `replay_port` the program `pywb` runs beside the server as long. Raises `UsageError` when a port is taken or
    the address is not ours.
    """
    options.check()
    asked = [("--port", options.port), ("--originals-port", options.originals_port)]
    if options.replay_port is not None:
        asked.append(("--replay-port", options.replay_port))
    with ExitStack() as stack:
        sockets = [stack.enter_context(_listening(options.host, port, name)) for name, port in asked]
        ports = [each.getsockname()[1] for each in sockets]
        settled = options.on_ports(*ports)
        counted = Metrics()
        jobs = JobQueue(archive.state / "jobs")
        subscriber = None
        if settled.public_url is not None and settled.may_save:
            subscriber = Subscriber(archive, settled.config, settled.public_url)
        app = create_app(archive, settled, counted, jobs, subscriber)
        apps: dict[int, ASGIApp] = {ports[0]: app, ports[1]: create_originals(archive, settled, counted)}
        if settled.replay_port is not None and pywb is not None:
            running = stack.enter_context(Pywb(pywb, settled, verbose=access_log))
            Thread(target=running.watch, name="pywb", daemon=True).start()
            apps[settled.replay_port] = create_replay(archive, settled, running, counted)
        server = _Server(_config(_Ports(apps, app), access_log))
        _learn(archive)
        stack.callback(_keep_learning(archive).set)
        if settled.may_save:
            stack.enter_context(JobRunner(jobs, lambda job: _request_of(archive, settled.config, job)))
        if subscriber is not None:
            # Once the ports are open: a hub may call back at once.
            stack.enter_context(subscriber)
        ready(settled)
        server.run(sockets=sockets)


def _request_of(archive: Archive, config: Config, job: Job) -> SaveRequest:
    """What a job asks for, as `newskeep save` would do it by the same configuration."""
    return SaveRequest(
        archive=archive.uri,
        state=str(archive.state.absolute()),
        urls=job.left,
        config=None if config.file is None else str(config.file),
        given={} if config.index is None else {"index": config.index},
        asked_by=f"{job.asked_by}, job {job.id}",
    )


def _keep_learning(archive: Archive) -> Event:
    """Look every minute what other machines took out of the archive or said of it, until the returned event is set."""
    ended = Event()

    def look() -> None:
        while not ended.wait(LEARN_SECONDS):
            try:
                _learn(archive)
            except NewskeepError as error:
                # What is known to be hidden stays so.
                _log.warning("what is hidden and tagged could not be looked up: %s", error)

    Thread(target=look, name="removals", daemon=True).start()
    return ended


def _learn(archive: Archive) -> None:
    learn(archive.store, archive.index)
    annotations_sync.learn(archive.store, archive.index)


def _config(app: ASGIApp, access_log: bool) -> uvicorn.Config:
    settings: dict[str, Any] = {
        "http": BoundedProtocol,
        "ws": "none",
        "timeout_keep_alive": IDLE_SECONDS,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "limit_concurrency": CONNECTIONS // 2,
        "backlog": 256,
        # X-Forwarded-* would let a visitor choose scheme and address; --public-url says them once.
        "proxy_headers": False,
        "server_header": False,
        "log_config": None,
        "access_log": access_log,
        "lifespan": "on",
    }
    # Its warnings are about clients, and anybody could fill the log with them.
    logging.getLogger("uvicorn.error").setLevel(logging.INFO if access_log else logging.ERROR)
    logging.getLogger("uvicorn.access").setLevel(logging.INFO if access_log else logging.ERROR)
    return uvicorn.Config(app, **settings)


def _listening(host: str, port: int, option: str) -> socket.socket:
    """Return a listening socket; raises `UsageError`."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, number)
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror or error}") from None
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(256)
    except OSError as error:
        found.close()
        raise UsageError(
            f"cannot listen on {host} port {port} ({error.strerror}); choose another with {option}"
        ) from None
    return found

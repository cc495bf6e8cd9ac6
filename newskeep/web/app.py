"""The applications: ours, the one for originals, the one for replay. Routes stand one file a group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from newskeep.saving.jobs import JobQueue
from newskeep.web import (
    api,
    cdx,
    errors,
    feeds,
    identity,
    memento,
    metrics,
    originals,
    reading_room,
    replay,
    transparency,
    warcs,
    websub,
)
from newskeep.web.access import Gate, app_fields, originals_fields, replay_fields
from newskeep.web.fleet_watch import FleetWatch
from newskeep.web.language.choice import ChooseLanguage
from newskeep.web.metrics import Metrics
from newskeep.web.options import ServeOptions
from newskeep.web.saving import RateBound
from storage.transparency.showing import LogShow

if TYPE_CHECKING:
    from newskeep.websub.subscriber import Subscriber
    from storage.archive import Archive

#: Requests that read index or store at once, each in a thread; the index lends out 15 connections.
THREADS = 12
_STATIC = Path(__file__).parent / "reading_room" / "static"


def create_app(
    archive: Archive,
    options: ServeOptions,
    counted: Metrics | None = None,
    jobs: JobQueue | None = None,
    subscriber: Subscriber | None = None,
) -> Starlette:
    """Return the app: the reading room and all protocols but the originals themselves.

    `options` has the real ports. `jobs` is where what visitors ask to have saved waits; who makes the app does it
    (newskeep.saving.runner). `subscriber` has what hubs were asked for. Handlers find all this in
    `request.app.state`; plain functions run in threads.
    """
    counted = counted or Metrics()
    static: list[BaseRoute] = [Mount("/static", StaticFiles(directory=_STATIC))] if _STATIC.is_dir() else []
    routes = [
        *memento.routes(),
        *cdx.routes(),
        *warcs.routes(),
        *api.routes(),
        *feeds.routes(),
        *websub.routes(),
        *metrics.routes(),
        *identity.routes(),
        *transparency.routes(),
        *static,
        *reading_room.routes(),
    ]
    gate = Middleware(Gate, options=options, metrics=counted, fields=app_fields)
    app = _application(archive, options, counted, routes, gate)
    app.state.jobs = jobs or JobQueue(archive.state / "jobs")
    app.state.log_show = LogShow(archive.store)
    app.state.saving_rate = RateBound()
    app.state.websub = subscriber
    return app


def create_originals(archive: Archive, options: ServeOptions, counted: Metrics | None = None) -> Starlette:
    """Return the app of the other origin: originals and nothing of ours."""
    counted = counted or Metrics()
    gate = Middleware(Gate, options=options, metrics=counted, fields=originals_fields, signed=True)
    return _application(archive, options, counted, originals.routes(), gate)


def create_replay(
    archive: Archive, options: ServeOptions, pywb: replay.Pywb, counted: Metrics | None = None
) -> Starlette:
    """Return the app of the third origin: pages as pywb replays them and nothing of ours."""
    counted = counted or Metrics()
    gate = Middleware(Gate, options=options, metrics=counted, fields=replay_fields)
    return _application(archive, options, counted, replay.routes(pywb), gate)


def _application(
    archive: Archive, options: ServeOptions, counted: Metrics, routes: list[BaseRoute], gate: Middleware
) -> Starlette:
    # The gate's refusals have words too.
    through = [Middleware(ChooseLanguage), gate]
    app = Starlette(routes=routes, middleware=through, exception_handlers=errors.handlers(), lifespan=_lifespan)
    # An address is right or wrong: no redirect that guesses at a slash, which an archived URL may well end in.
    app.router.redirect_slashes = False
    app.state.archive = archive
    app.state.options = options
    app.state.fleet = FleetWatch(options.config, archive.uri)
    app.state.metrics = counted
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
    current_default_thread_limiter().total_tokens = THREADS
    yield

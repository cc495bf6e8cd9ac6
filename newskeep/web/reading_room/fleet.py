"""The workers on all machines: what each does, what waits, and for how long."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.fleet_watch import FleetWatch
from newskeep.web.reading_room.common import show


def page(request: Request) -> Response:
    watch: FleetWatch = request.app.state.fleet
    if not watch.is_configured:
        raise HTTPException(404, "no queue is configured; newskeep docs workers tells how crawls run on many machines")
    return show(request, "fleet.html", fleet=watch.newest())

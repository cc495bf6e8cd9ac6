"""The tags and collections, by name, each with its articles."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.reading_room.common import archive_of, show


def page(request: Request) -> Response:
    return show(request, "tags.html", tags=archive_of(request).index.tags())

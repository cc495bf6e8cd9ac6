"""A capture held against its digests and its line in the index, now. It reads only, and only for our own pages."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.addresses import target
from newskeep.web.api.check import checks
from newskeep.web.reading_room.common import address, archive_of, capture_asked, is_ours, missing, show
from newskeep.web.reading_room.links import Links
from newskeep.web.reading_room.vocabulary import CHECKS
from storage.errors import NotArchived

_ADDRESS = address("verify")


def page(request: Request) -> Response:
    if not is_ours(request):
        raise HTTPException(403, "this is asked by the button on an article's page; programs ask /api/verify")
    try:
        capture = capture_asked(request, _ADDRESS)
    except NotArchived as error:
        return missing(request, target(request, _ADDRESS)[1], error)
    found = checks(archive_of(request), capture)
    return show(
        request,
        "verify.html",
        capture=capture,
        checks=[(CHECKS.get(each["check"], each["check"]), each["sound"], each["problem"]) for each in found],
        sound=all(each["sound"] for each in found),
        now=datetime.now(UTC),
        here=Links(request).article_near(capture.url, capture.timestamp),
    )

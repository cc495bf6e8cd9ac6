"""An archived page in a frame, with a banner over it that says what it is.

The page is on an origin of its own, as it was sent or as pywb rewrites it: nothing of ours is in it. So whatever it is,
the banner is there, and no script of the page reaches it: the frame may neither leave itself nor fill the screen.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newskeep.web.addresses import target
from newskeep.web.content_types import safe_type
from newskeep.web.memento_lookup import neighbours
from newskeep.web.payload import payload_of
from newskeep.web.reading_room.common import address, archive_of, capture_asked, missing, show
from newskeep.web.reading_room.links import Links
from newskeep.web.withheld import mind
from storage.errors import NotArchived
from storage.urls import timestamp14

_ADDRESS = address("replay")


def page(request: Request) -> Response:
    match, url = target(request, _ADDRESS)
    try:
        capture = capture_asked(request, _ADDRESS)
    except NotArchived as error:
        return missing(request, url, error)
    mind(request, capture)
    if timestamp14(capture.timestamp) != match[1]:
        # The time in the address is that in the banner.
        return RedirectResponse(Links(request).framed(capture), 302)
    archive = archive_of(request)
    head = payload_of(archive, capture).head
    _, saved = safe_type(head.media_type, head.header("content-type"))
    around = neighbours(archive.index, capture)
    shown_page = show(
        request,
        "replay.html",
        capture=capture,
        entry=archive.index.article(capture.url, capture.timestamp),
        before=around.before,
        after=around.after,
        shown=not saved,
        kind=head.media_type,
    )
    # The browser tells the banner of each other address that the frame goes to, also before its first load.
    links = Links(request)
    shown_page.headers["Content-Security-Policy-Report-Only"] = (
        f"frame-src {_only(links.replay(capture) or links.original(capture))}"
    )
    return shown_page


def _only(address: str) -> str:
    """An address as a source of a policy, which has no query and none of the signs that end it (CSP 3, 2.3.1)."""
    return quote(re.split(r"[?#]", address)[0], safe="/:%@!$&'()*+=")

"""The articles whose text is in doubt, of all sites or of one: the least sure first, or the newest."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.api.cursor import doubt_cursor, parse_doubt_cursor
from newskeep.web.params import Params
from newskeep.web.reading_room.common import archive_of, show
from newskeep.web.reading_room.links import Links

#: Articles of a page.
SIZE = 30
#: Orders, the first where none is asked for.
LEAST_SURE, NEWEST = "least-sure", "newest"


def page(request: Request) -> Response:
    params = Params(request)
    site = (params.text("site", most=300) or "").strip() or None
    order = params.choice("order", (LEAST_SURE, NEWEST)) or LEAST_SURE
    after = params.text("after", most=100)
    found = list(
        archive_of(request).index.doubtful(
            site=site,
            newest=order == NEWEST,
            after=parse_doubt_cursor(after) if after else None,
            limit=SIZE + 1,
        )
    )
    following = doubt_cursor(found[SIZE - 1]) if found[SIZE:] else None
    return show(
        request,
        "doubts.html",
        site=site,
        order=order,
        entries=found[:SIZE],
        begun=after is None,
        following=Links(request).doubts(site=site, order=order, after=following) if following else None,
    )

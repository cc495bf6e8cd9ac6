"""The language of the pages, as a reader chooses it: kept in a cookie, which is set by a choice alone."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newskeep.web.addresses import Origins
from newskeep.web.language import BY_TAG
from newskeep.web.language.choice import COOKIE
from newskeep.web.reading_room.common import is_ours
from newskeep.web.saving import body_of
from storage.errors import UsageError

_YEAR_SECONDS = 365 * 86_400


async def choose(request: Request) -> Response:
    """Keep a choice, and lead back to the page on which it was made: always to one of ours."""
    if not is_ours(request):
        raise HTTPException(403, "this is asked by the buttons at the foot of a page; programs send Accept-Language")
    fields = parse_qs((await body_of(request)).decode(errors="replace"))
    wanted = fields.get("language", [""])[-1]
    if wanted not in BY_TAG:
        raise UsageError(f"language is one of {', '.join(BY_TAG)}")
    app = Origins.of(request).app
    response = RedirectResponse(app + _path(fields.get("page", ["/"])[-1]), 303)
    response.set_cookie(COOKIE, wanted, _YEAR_SECONDS, httponly=True, samesite="lax", secure=app.startswith("https:"))
    return response


def _path(page: str) -> str:
    """The page as a path of this origin. What stands behind the origin is nobody else's, unless a name went on."""
    if not page.startswith("/") or not page.isascii() or not page.isprintable():
        raise UsageError("page is the path of a page of this server")
    return page

"""Saving from a browser: a box for addresses, a bookmarklet, and a page that tells what has become of a job."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newskeep.web.addresses import Origins
from newskeep.web.params import Params
from newskeep.web.reading_room.common import is_ours, show
from newskeep.web.saving import body_of, check_may_save, check_open, jobs_of, outcomes_of, submit

#: Jobs that are listed.
LISTED = 10
#: Opens the page below with the address of the page that is read. It changes nothing by itself.
_BOOKMARKLET = "javascript:location.href={app!r}+'/save?url='+encodeURIComponent(location.href)"


def page(request: Request) -> Response:
    """The box, filled with `url` where that is given, and the latest jobs.

    It changes nothing: a bookmarklet leads here from the page of another site.
    """
    check_open(request)
    url = Params(request).text("url") or ""
    bookmarklet = _BOOKMARKLET.format(app=Origins.of(request).app)
    return show(request, "save.html", url=url, bookmarklet=bookmarklet, jobs=jobs_of(request).newest(LISTED))


async def ask(request: Request) -> Response:
    """Make a job of the addresses in the form, and lead to its page."""
    check_may_save(request)
    if not is_ours(request):
        raise HTTPException(403, "this is asked by the button of this page; programs ask /api/save")
    fields = parse_qs((await body_of(request)).decode(errors="replace"))
    urls = [_address(line) for line in " ".join(fields.get("urls", [])).split()]
    job = await run_in_threadpool(submit, request, urls, "the reading room")
    return RedirectResponse(f"/jobs/{job.id}", 303)


def job(request: Request) -> Response:
    """A job and its outcomes; loads itself again until it has ended."""
    asked = jobs_of(request).get(request.path_params["job"])
    return show(request, "job.html", job=asked, outcomes=outcomes_of(request, asked))


def _address(typed: str) -> str:
    return typed if "://" in typed else f"https://{typed}"

"""Saving over the API: URLs become a job, and what has become of it can be asked."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from newskeep.saving.jobs import Job
from newskeep.web.addresses import Origins
from newskeep.web.params import Params
from newskeep.web.saving import BODY_MAX, body_of, check_may_save, jobs_of, outcomes_of, submit
from storage.bounds import parse_json
from storage.errors import Corrupt, UsageError

#: Jobs of a list.
LISTED, LISTED_MAX = 20, 100


def routes() -> list[BaseRoute]:
    return [
        Route("/api/save", _save, methods=["POST"]),
        Route("/api/published", _published, methods=["POST"]),
        Route("/api/jobs", _jobs),
        Route("/api/jobs/{job}", _job),
    ]


async def _save(request: Request) -> Response:
    return await _submit(request, "/api/save")


async def _published(request: Request) -> Response:
    """The hook of a publisher's CMS: what it has just put out goes before all else."""
    return await _submit(request, "/api/published", urgent=True)


async def _submit(request: Request, way: str, *, urgent: bool = False) -> Response:
    check_may_save(request)
    # A form of another site cannot send JSON.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, 'send JSON, {"urls": ["https://…"]}, as Content-Type: application/json')
    urls = _urls(await body_of(request))
    job = await run_in_threadpool(submit, request, urls, way, urgent=urgent)
    told = await run_in_threadpool(_json, request, job)
    return JSONResponse(told, 202, {"Location": told["links"]["job"]})


def _urls(body: bytes) -> list[str]:
    """The addresses in `{"url": …}` or `{"urls": […]}`."""
    try:
        given = parse_json(body, BODY_MAX)
    except Corrupt as error:
        raise UsageError(f"the body is no JSON: {error}") from None
    match given:
        case {"url": str(url), **rest} if not rest:
            return [url]
        case {"urls": list(urls), **rest} if not rest and all(isinstance(url, str) for url in urls):
            return list(urls)
    raise UsageError('send {"url": "https://…"} or {"urls": ["https://…", …]}, and no other field')


def _jobs(request: Request) -> Response:
    size = Params(request).integer("limit", 1, LISTED_MAX) or LISTED
    return JSONResponse({"jobs": [_json(request, job) for job in jobs_of(request).newest(size)]})


def _job(request: Request) -> Response:
    return JSONResponse(_json(request, jobs_of(request).get(request.path_params["job"])))


def _json(request: Request, job: Job) -> dict[str, Any]:
    origins = Origins.of(request)
    return {
        "id": job.id,
        "state": job.state,
        "asked_by": job.asked_by,
        "submitted": job.submitted,
        "started": job.started,
        "finished": job.finished,
        "urls": list(job.urls),
        "outcomes": outcomes_of(request, job),
        "error": job.error,
        "links": {"job": f"{origins.app}/api/jobs/{job.id}", "page": f"{origins.app}/jobs/{job.id}"},
    }

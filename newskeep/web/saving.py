"""What all ways to have pages saved have in common: who may, how much at once, and which job comes of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from newskeep.saving.jobs import URLS_MAX, Job, JobQueue, QueueFull
from newskeep.web import auth
from newskeep.web.addresses import Origins
from newskeep.web.options import ServeOptions
from storage.errors import UsageError
from storage.urls import normalize, parse_timestamp

if TYPE_CHECKING:
    from storage.index.index import Index

#: Jobs that are taken in within so many seconds.
RATE, RATE_SECONDS = 60, 60.0
#: Bytes of a request's body: its URLs, and what a form makes of them.
BODY_MAX = 1_000_000
_CLOSED = "nothing is saved here: `newskeep serve` was started read-only, or open to others without a key"


class RateBound:
    """At most `number` in any `seconds`."""

    def __init__(self, number: int = RATE, seconds: float = RATE_SECONDS) -> None:
        self._number = number
        self._seconds = seconds
        self._taken: deque[float] = deque()
        self._lock = Lock()

    def wait(self, now: float) -> float:
        """Take one, and return 0; or return the seconds after which there will be one."""
        with self._lock:
            while self._taken and self._taken[0] <= now - self._seconds:
                self._taken.popleft()
            if len(self._taken) < self._number:
                self._taken.append(now)
                return 0.0
            return self._taken[0] + self._seconds - now


def check_open(request: Request) -> None:
    """Raise 403 where nobody may have anything saved."""
    options: ServeOptions = request.app.state.options
    if not options.may_save:
        raise HTTPException(403, _CLOSED)


def check_may_save(request: Request) -> None:
    """Raise 403 where nobody may, and for what a page elsewhere sent with the key that the browser keeps."""
    check_open(request)
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin") or origin not in (None, Origins.of(request).app):
        raise HTTPException(403, "a page of another site asked for this")


async def body_of(request: Request, most: int = BODY_MAX) -> bytes:
    """The body of a request; 413 where it has too many bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise HTTPException(413, f"a request may have {most:,} bytes")
    return bytes(body)


def submit(request: Request, urls: Collection[str], way: str, *, urgent: bool = False) -> Job:
    """Make a job of these URLs. `way` and who asks are for the crawl report.

    Raises `UsageError` for what is no address, and 429 where more is asked for than is done.
    """
    if not urls:
        raise UsageError("name at least one URL")
    if len(urls) > URLS_MAX:
        raise UsageError(
            f"at most {URLS_MAX} URLs at a time, not {len(urls):,}; newskeep save takes lists of any length"
        )
    wanted = [normalize(url) for url in urls]
    options: ServeOptions = request.app.state.options
    rate: RateBound = request.app.state.saving_rate
    if seconds := rate.wait(time.monotonic()):
        message = f"at most {RATE} requests in {RATE_SECONDS:g} seconds"
        raise HTTPException(429, message, {"Retry-After": str(int(seconds) + 1)})
    try:
        asked_by = f"{auth.who(options, request.headers.get('authorization'))}, {way}"
        return jobs_of(request).submit(wanted, asked_by, urgent=urgent)
    except QueueFull as error:
        raise HTTPException(429, str(error), {"Retry-After": "60"}) from None


def outcomes_of(request: Request, job: Job) -> list[dict[str, Any]]:
    """The outcomes of a job as they may be shown: without the title of what was taken out, or is not indexed yet."""
    index = request.app.state.archive.index
    return [
        each if each["title"] is None or _is_held(index, each) else {**each, "title": None} for each in job.outcomes
    ]


def _is_held(index: Index, outcome: Mapping[str, Any]) -> bool:
    """Whether the very capture that an outcome tells of can be found."""
    time = outcome["timestamp"]
    if time is None:
        return False
    since, until = parse_timestamp(time, "start"), parse_timestamp(time, "end")
    return next(index.captures(outcome["final_url"], since=since, until=until, limit=1), None) is not None


def jobs_of(request: Request) -> JobQueue:
    queue: JobQueue = request.app.state.jobs
    return queue

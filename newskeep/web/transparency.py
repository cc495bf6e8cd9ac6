"""`/log`: the newest signed heads of the archive's logs, and that they go on from earlier ones; for witnesses.

Open to everybody: a head says how many records there are and when the last came, and nothing of what is in them.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from storage.errors import NotArchived, UsageError
from storage.transparency.showing import LogShow
from storage.transparency.witness import last_seen

PATH = "/log"


def routes() -> list[BaseRoute]:
    return [
        Route(PATH, _logs),
        Route(f"{PATH}/{{log:str}}", _newest),
        Route(f"{PATH}/{{log:str}}/countersignature", _countersignature),
    ]


def is_open(path: str) -> bool:
    """Whether a path is one of these, which need no key."""
    return path == PATH or path.startswith(f"{PATH}/")


def _logs(request: Request) -> Response:
    return JSONResponse({"logs": _show(request).logs()})


def _newest(request: Request) -> Response:
    first = request.query_params.get("first", "0")
    if not (first.isascii() and first.isdigit() and len(first) <= 12):
        raise UsageError("first: the number of leaves that you have seen")
    return JSONResponse(_show(request).newest(request.path_params["log"], int(first)).to_json())


def _countersignature(request: Request) -> Response:
    """What this archive, as a witness, signed last of the log of another one."""
    log = request.path_params["log"]
    found = last_seen(request.app.state.archive.store, log) if log.isalnum() else None
    if found is None:
        raise NotArchived(f"the log {log} is not witnessed here")
    return JSONResponse(found.to_json())


def _show(request: Request) -> LogShow:
    show: LogShow = request.app.state.log_show
    return show

"""What went wrong, as the one who asked can read it: a page in a browser, JSON from the API, else a line of text."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ExceptionHandler

from newskeep.web.language import gettext
from newskeep.web.language import gettext_noop as _
from newskeep.web.templating import render
from newskeep.web.withheld import Withheld
from storage.errors import (
    AlreadyRunning,
    ConfigError,
    NewskeepError,
    NotArchived,
    ObjectMissing,
    StoreUnavailable,
    UsageError,
)

_log = logging.getLogger(__name__)

#: The first that fits counts; whatever else is a fault of ours.
_STATUSES: tuple[tuple[type[NewskeepError], int], ...] = (
    # Who runs the server made the mistake, not who asks.
    (ConfigError, 503),
    (UsageError, 400),
    (NotArchived, 404),
    (ObjectMissing, 404),
    (StoreUnavailable, 503),
    (AlreadyRunning, 503),
)
#: Errors by their status, as titles; of others the phrase of HTTP.
_TITLES = {
    400: _("Bad Request"),
    401: _("Unauthorized"),
    403: _("Forbidden"),
    404: _("Not Found"),
    405: _("Method Not Allowed"),
    409: _("Conflict"),
    429: _("Too Many Requests"),
    451: _("Unavailable For Legal Reasons"),
    500: _("Internal Server Error"),
    503: _("Service Unavailable"),
}
_JSON_PATHS = ("/api/", "/cdx", "/openapi.json", "/timemap/json/")


class Busy(NewskeepError):
    """The answer took longer than an answer may; asking for less helps."""


def handlers() -> Mapping[type[Exception], ExceptionHandler]:
    return {NewskeepError: _ours, HTTPException: _http}


def status_of(error: NewskeepError) -> int:
    if isinstance(error, Withheld):
        return HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS
    if isinstance(error, Busy):
        return 503
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def error_response(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error in the form that suits who asked; HEAD too."""
    path: str = request.scope["path"]
    if path.startswith(_JSON_PATHS):
        # "message" is what pywb and those who parse it look for.
        return JSONResponse({"message": message, "status": status}, status, headers)
    if "text/html" in request.headers.get("accept", ""):
        told = gettext(message)
        is_english = told == message
        page = render(request, "error.html", status, title=_title(status), message=told, is_english=is_english)
        page.headers.update(headers or {})
        return page
    return PlainTextResponse(f"{message}\n", status, headers)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, NewskeepError)
    status = status_of(error)
    if status >= 500:
        _log.warning("%s: %s", request.scope["path"], error)
    return error_response(request, status, str(error), {"Retry-After": "10"} if status == 503 else None)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = error.detail if error.detail != _phrase(error.status_code) else _MESSAGES.get(error.status_code)
    return error_response(request, error.status_code, message or error.detail, error.headers)


_MESSAGES = {404: _("there is nothing at this address"), 405: _("this address only takes another method")}


def _title(status: int) -> str:
    return gettext(_TITLES.get(status) or _phrase(status))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)

"""What every request passes, and what every answer carries: host, key, fields against misuse of either origin."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crawler.identity.key import DIRECTORY_PATH
from crawler.politeness.addresses import is_loopback
from newskeep.web import auth, transparency, websub
from newskeep.web.addresses import HOST, Origins, sent_target
from newskeep.web.errors import error_response
from newskeep.web.metrics import Metrics
from newskeep.web.options import ServeOptions

_log = logging.getLogger(__name__)

#: Open to everybody: a watchdog needs no key, and verifiers of our signatures have none.
_OPEN = ("/healthz", DIRECTORY_PATH)

#: What the replay beside us may read with its own key.
_FOR_REPLAY = ("/cdx", "/warc/")

_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)

_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def app_fields(origins: Origins) -> Mapping[str, str]:
    """Fields of the app's answers: nothing from elsewhere is loaded, and only archived pages are shown in frames."""
    frames = f"{origins.originals} {origins.replay}" if origins.replay else origins.originals
    return {
        **_COMMON,
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            f"font-src 'self'; manifest-src 'self'; frame-src {frames}; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


def originals_fields(origins: Origins) -> Mapping[str, str]:
    """Fields of the originals' answers: a sandbox without script, forms, windows or network, an origin of its own."""
    return {
        **_COMMON,
        "Content-Security-Policy": (
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; "
            f"form-action 'none'; base-uri 'none'; frame-ancestors {origins.app}"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        # No camera, place or payment, for whoever finds a way to run a script after all.
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "private, no-cache",
    }


def replay_fields(origins: Origins) -> Mapping[str, str]:
    """Fields of replayed pages: their scripts run, and nothing is loaded from, or sent to, any other origin."""
    return {
        **_COMMON,
        # pywb finds by it what a page's script asked for in a way that was not rewritten.
        "Referrer-Policy": "same-origin",
        "Content-Security-Policy": (
            "sandbox allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox; "
            "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
            f"form-action 'self'; base-uri 'self'; frame-ancestors 'self' {origins.app}"
        ),
        "X-DNS-Prefetch-Control": "off",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "private, no-cache",
    }


class Gate:
    """ASGI middleware: lets in who may come in, counts them, and puts `fields` on what goes out."""

    def __init__(
        self,
        app: ASGIApp,
        options: ServeOptions,
        metrics: Metrics,
        fields: Callable[[Origins], Mapping[str, str]],
        signed: bool = False,
    ) -> None:
        self._app = app
        self._options = options
        self._metrics = metrics
        self._fields = fields
        #: Whether a signed path is as good as a key.
        self._signed = signed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _in_origin_form(scope)
        request = Request(scope)
        refusal = self._refusal(request)
        started, status = time.perf_counter(), 0
        fields = self._fields(Origins.of(request))

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in fields.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if refusal is None:
                await self._app(scope, receive, answer)
            else:
                code, line, extra = refusal
                await error_response(request, code, line, extra)(scope, receive, answer)
        except Exception:
            if status:
                # It is on its way: the server cuts the connection, so that nobody takes it for whole.
                raise
            _log.exception("%s", scope["path"])
            message = "a fault of ours; the server's log has the details"
            await error_response(request, 500, message)(scope, receive, answer)
        finally:
            self._metrics.count(scope["path"], status or 500, time.perf_counter() - started)

    def _refusal(self, request: Request) -> tuple[int, str, Mapping[str, str]] | None:
        # Before HTTP/1.1 there was none, and what watches over servers often has none still; every browser sends one.
        has_host = "host" in request.headers or request.scope["http_version"] != "1.0"
        if has_host and (wrong := self._wrong_host(request.headers)) is not None:
            return 421, wrong, {}
        if "service-worker" in request.headers:
            # Nothing of ours is one, and nothing archived may become one.
            return 403, "service workers are not served", {}
        path, given = request.scope["path"], request.headers.get("authorization")
        if is_open(path) or auth.admits(self._options, given):
            return None
        if path.startswith(_FOR_REPLAY) and auth.admits_replay(self._options, given):
            return None
        if self._signed and (signed := auth.unsign(self._options, sent_target(request))):
            _strip(request.scope, signed.partition("?")[0])
            return None
        challenge = {"WWW-Authenticate": 'Basic realm="Newskeep", charset="UTF-8"'}
        return 401, "a token or a name and password is needed", challenge

    def _wrong_host(self, headers: Headers) -> str | None:
        """A page elsewhere may give its own name our address (DNS rebinding): on loopback only loopback names count."""
        given = headers.get("host", "")
        match = HOST.fullmatch(given)
        if match is None:
            return "the Host field is missing or wrong"
        known = (self._options.public_url, self._options.originals_url, self._options.replay_url)
        if any(url is not None and url.partition("://")[2] == given.lower() for url in known):
            return None
        if is_loopback(self._options.host) and not is_loopback(match[1].strip("[]")):
            return f"this server is for this machine only, not for {match[1]}; behind a proxy, give it --public-url"
        return None


def is_open(path: str) -> bool:
    """Whether a path is for everybody, also where a key is asked for."""
    return path in _OPEN or path.startswith(websub.PATH) or transparency.is_open(path)


def _in_origin_form(scope: Scope) -> Scope:
    """A request whose target is a whole URL as the same one by path and Host (RFC 9112, 3.2.2)."""
    match = _ABSOLUTE.fullmatch(scope["raw_path"])
    if match is None:
        return scope
    fields = [(name, value) for name, value in scope["headers"] if name != b"host"]
    path = match[2] or b"/"
    return {
        **scope,
        "raw_path": path,
        "path": unquote(path.decode("latin-1")),
        "headers": [*fields, (b"host", match[1])],
    }


def _strip(scope: Scope, path: str) -> None:
    """Take the signature out of a request's path."""
    scope["raw_path"] = path.encode("ascii", "replace")
    scope["path"] = unquote(path)

"""Addresses of ours, and the archived URLs that stand in their paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import unquote

from starlette.requests import Request

from newskeep.web import auth
from newskeep.web.options import ServeOptions
from storage.errors import UsageError
from storage.model import Capture
from storage.urls import normalize, timestamp14

#: A name or address and perhaps a port, as a Host field may have it.
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins as the visitor reaches them: scheme, host and port, no slash at the end."""

    app: str
    originals: str
    options: ServeOptions
    #: Of replayed pages; `None` without replay.
    replay: str | None = None

    @classmethod
    def of(cls, request: Request) -> Origins:
        """The origins of who asks: as configured, or on the host that was asked, which has been checked before."""
        options: ServeOptions = request.app.state.options
        if options.public_url is not None and options.originals_url is not None:
            return cls(options.public_url, options.originals_url, options, options.replay_url)
        match = HOST.fullmatch(request.headers.get("host", ""))
        name = match[1] if match else options.host
        ports = (options.port, options.originals_port, options.replay_port)
        app, originals, replay = (f"http://{name}{'' if port == 80 else f':{port}'}" for port in ports)
        return cls(app, originals, options, replay if options.replay_port is not None else None)

    def timegate(self, url: str) -> str:
        return f"{self.app}/timegate/{url}"

    def timemap(self, url: str, form: Literal["link", "json"] = "link", since: str = "") -> str:
        return f"{self.app}/timemap/{form}/{since + '/' if since else ''}{url}"

    def article(self, url: str, timestamp: datetime) -> str:
        """The reading room's page of an article."""
        return f"{self.app}/article/{timestamp14(timestamp)}/{url}"

    def memento(self, capture: Capture, modifier: str = "") -> str:
        """The address of a memento (URI-M); with modifier "id_" that of the body alone, as it was sent."""
        return f"{self.originals}{memento_path(timestamp14(capture.timestamp), capture.url, modifier)}"

    def replayed(self, timestamp: datetime, url: str) -> str | None:
        """The address of a page with its pictures, styles and scripts; `None` without replay."""
        return self.replay and f"{self.replay}{memento_path(timestamp14(timestamp), url)}"

    def open(self, path: str) -> str:
        """The address of a path of the originals for who has been let in: signed where a key is needed."""
        return self.originals + (auth.sign(self.options, path) if self.options.needs_key else path)


def sent_target(request: Request) -> str:
    """The path and query of a request as they were sent, escapes untouched."""
    path, query = (bytes(request.scope[part]).decode("ascii", "replace") for part in ("raw_path", "query_string"))
    return f"{path}?{query}" if query else path


def memento_path(timestamp: str, url: str, modifier: str = "") -> str:
    return f"/web/{timestamp}{modifier}/{url}"


def target(request: Request, prefix: re.Pattern[str]) -> tuple[re.Match[str], str]:
    """Return the match of `prefix` on the path as it was sent, and the archived URL that follows, normalized.

    The URL may be escaped as a whole or not at all, have no scheme, or have lost a slash of "//" to a proxy.
    Raises `UsageError`.
    """
    sent = sent_target(request)
    match = prefix.match(sent)
    if match is None:
        raise UsageError(f"{sent[:200]}: not an address of this server; newskeep docs http tells them")
    return match, archived_url(sent[match.end() :])


def archived_url(text: str) -> str:
    """Return the URL that somebody means by what stands in a path, normalized. Raises `InvalidURL`."""
    if re.match(r"https?%3a", text, re.IGNORECASE):
        text = unquote(text)
    text = re.sub(r"^(https?):/+", r"\1://", text, flags=re.IGNORECASE)
    if not re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", text, re.IGNORECASE):
        text = f"http://{text}"
    return normalize(text)

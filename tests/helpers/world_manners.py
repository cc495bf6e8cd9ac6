"""How the servers of some sites behave: too busy, banning, down, slow; each returns an answer instead of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal
from urllib.parse import quote

from world_pages import CHALLENGE, wall_page
from world_sites import Site

#: Seconds to wait that a busy server asks for, and a patient one.
SHORT, LONG = 2, 1500
#: Every so many requests a busy server asks to wait.
BUSY = 8
#: Requests within a simulated hour that a strict server bears; then it answers 403 until the hour is over.
STRICT = 60
#: Days, counted from the world's beginning, from and until which a banning site answers 403.
BAN = (2, 5)
SLOW = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    #: What was asked for: "article", "front", "section", "feed", "sitemap", "robots", "archive", "list", "static",
    #: "other", "old", "trap", "missing", or "" where the server did not come so far.
    kind: str = ""
    #: The article's number, its version and in which form it was asked for.
    article: int | None = None
    version: int | None = None
    form: str = ""
    #: Why the answer is not the page: "ban", "busy", "early", "challenge", "login", "down".
    note: str = ""
    etag: str | None = None
    modified: datetime | None = None
    #: Seconds before the answer.
    pause: float = 0.0
    #: "reset" ends the connection, "mute" never says a word.
    fails: Literal["", "reset", "mute"] = ""


@dataclass(slots=True)
class Memory:
    """What a server remembers of its visitors."""

    requests: int = 0
    hour: str = ""
    #: Requests within this hour.
    hourly: int = 0
    wait_until: datetime | None = None

    def count(self, at: datetime) -> None:
        self.requests += 1
        if self.hour != f"{at:%Y%m%d%H}":
            self.hour, self.hourly = f"{at:%Y%m%d%H}", 0
        self.hourly += 1


@dataclass(frozen=True, slots=True)
class Asked:
    site: Site
    #: Path and query as sent.
    target: str
    at: datetime
    memory: Memory
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


def instead(asked: Asked) -> Answer | None:
    """Return what the server answers instead of the page, if anything."""
    behave = MANNERS.get(asked.site.character.manner)
    return behave(asked) if behave else None


def _busy(asked: Asked) -> Answer | None:
    return _wait(asked, 429, str(SHORT), SHORT)


def _busy_date(asked: Asked) -> Answer | None:
    until = asked.at + timedelta(seconds=SHORT)
    return _wait(asked, 503, format_datetime(until, usegmt=True), SHORT)


def _patient(asked: Asked) -> Answer | None:
    return _wait(asked, 429, str(LONG), LONG)


def _wait(asked: Asked, status: int, retry_after: str, seconds: int) -> Answer | None:
    memory = asked.memory
    note = "busy"
    if memory.wait_until and asked.at < memory.wait_until:
        note = "early"
    elif memory.requests % BUSY:
        return None
    else:
        memory.wait_until = asked.at.replace(microsecond=0) + timedelta(seconds=seconds)
    headers = (("Retry-After", retry_after),)
    return Answer(status, b"<html><body><h1>Too many readers</h1></body></html>", headers, note=note)


def _banning(asked: Asked) -> Answer | None:
    first, last = BAN
    return _forbidden() if first <= asked.site.day(asked.at) < last else None


def _strict(asked: Asked) -> Answer | None:
    return _forbidden() if asked.memory.hourly > STRICT else None


def _forbidden() -> Answer:
    return Answer(403, b"<html><body><h1>403 Forbidden</h1><p>Access denied.</p></body></html>", note="ban")


def _challenge(asked: Asked) -> Answer | None:
    if asked.path == "/robots.txt":
        return None
    return Answer(403, CHALLENGE.encode(), (("cf-mitigated", "challenge"), ("Server", "cloudflare")), note="challenge")


def _login(asked: Asked) -> Answer | None:
    if asked.path == "/account/sign-in":
        return Answer(200, wall_page(asked.site, asked.at).encode(), kind="other", note="login")
    if asked.site.by_path(asked.path, asked.at):
        to = f"/account/sign-in?next={quote(asked.target, safe='')}"
        return Answer(302, b"", (("Location", to),), note="login")
    return None


def _flapping(asked: Asked) -> Answer | None:
    """Down in every third hour: half of the requests are cut off, the others answered by a gateway."""
    if asked.at.hour % 3 != 1:
        return None
    if asked.memory.requests % 2:
        return Answer(fails="reset", note="down")
    return Answer(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", note="down")


def _mute(_asked: Asked) -> Answer | None:
    return Answer(fails="mute", note="down")


#: "slow" pages are the right ones and come late; behind "dead" nobody listens.
MANNERS: dict[str, Callable[[Asked], Answer | None]] = {
    "busy": _busy,
    "busydate": _busy_date,
    "patient": _patient,
    "banning": _banning,
    "strict": _strict,
    "challenge": _challenge,
    "login": _login,
    "flapping": _flapping,
    "mute": _mute,
}

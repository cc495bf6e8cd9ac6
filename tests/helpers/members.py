"""A small paper whose stories only subscribers read: by a cookie, a token, or after a log-in by form.

What the server knows of its readers is in `passwords`, `sessions` and `tokens`; whoever brings none of them gets the
page to log in.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from origin import Origin, response
from small_paper import Paper

from storage.http import HttpMessage

WALL = (
    b"<!doctype html><title>Log in</title><h1>Log in</h1><form method=post action=/session>"
    b"<input type=hidden name=csrf value=%b><label>E-mail<input name=mail type=email></label>"
    b"<label>Password<input name=word type=password></label><button name=go value=in>Log in</button></form>"
)
USER, PASSWORD = "jane@mail.example", "sesame & open-2026"


class Members:
    """The articles of `paper` behind a wall; the front page, feed and robots.txt are for everybody."""

    def __init__(self, origin: Origin, stories: int = 3) -> None:
        self.paper = Paper(origin, stories, modified=False)
        self.origin = origin
        self.sessions: set[str] = set()
        self.tokens: set[str] = set()
        #: Every session and token that was ever given.
        self.given: list[str] = []
        self.csrf = "forgery-guard-0123456789"
        self.logins = 0
        #: How many stories a session is good for; 0: for all.
        self.lasts = 0
        self._read = 0
        #: Whether the end of a session shows as a redirect to the page to log in.
        self.redirects = False
        self.cookie_attributes = "Path=/; HttpOnly"
        origin.on_request(self._answer)

    def _answer(self, path: str, request: bytes) -> bytes | None:
        message = HttpMessage.parse(request)
        match path.partition("?")[0]:
            case "/login":
                kind = [("Content-Type", "text/html"), ("Set-Cookie", f"form={self.csrf}; Path=/")]
                return response(WALL % self.csrf.encode(), headers=kind)
            case "/session":
                return self._session(message)
            case "/api/token":
                return self._token(message)
        if path.startswith("/2026/") and not self._knows(message):
            if self.redirects:
                return response(status="302 Found", headers=[("Location", f"/login?back={path}")])
            return response(WALL % b"x", headers=[("Content-Type", "text/html")])
        return None

    def _knows(self, message: HttpMessage) -> bool:
        cookies = dict(pair.strip().partition("=")[::2] for pair in (message.header("cookie") or "").split(";"))
        bearer = (message.header("authorization") or "").removeprefix("Bearer ")
        if cookies.get("sid") not in self.sessions and bearer not in self.tokens:
            return False
        self._read += 1
        if self.lasts and self._read > self.lasts:
            self._read = 0
            self.sessions.clear()
            self.tokens.clear()
            return False
        return True

    def _session(self, message: HttpMessage) -> bytes:
        typed = {name: values[0] for name, values in parse_qs(message.body.decode()).items()}
        self.logins += 1
        wanted = {"mail": USER, "word": PASSWORD, "csrf": self.csrf, "go": "in"}
        if typed != wanted or f"form={self.csrf}" not in (message.header("cookie") or ""):
            return response(WALL % self.csrf.encode(), headers=[("Content-Type", "text/html")])
        session = self._new("session")
        self.sessions.add(session)
        cookie = ("Set-Cookie", f"sid={session}; {self.cookie_attributes}")
        return response(status="303 See Other", headers=[("Location", "/"), cookie])

    def _token(self, message: HttpMessage) -> bytes:
        self.logins += 1
        if json.loads(message.body) != {"username": USER, "password": PASSWORD}:
            return response(b"{}", status="403 Forbidden")
        token = self._new("token")
        self.tokens.add(token)
        return response(
            json.dumps({"data": {"access": token}}).encode(), headers=[("Content-Type", "application/json")]
        )

    def _new(self, kind: str) -> str:
        self.given.append(f"{kind}-of-jane-{len(self.given)}-5f3a9c1b7e")
        return self.given[-1]

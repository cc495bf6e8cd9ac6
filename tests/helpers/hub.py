"""A WebSub hub over loopback: takes subscriptions, verifies them by a request of its own, pushes with a signature."""

from __future__ import annotations

import hmac
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode


@dataclass
class Answered:
    """What a subscriber answered."""

    status: int
    body: bytes


class Hub:
    """`lease` is what it grants, in seconds; with `refuses` it answers every subscription so. For a `with` block."""

    def __init__(self) -> None:
        self.lease = 864_000
        self.status = 202
        self.denies: str | None = None
        #: What came, in order: the fields of each request.
        self.asked: list[dict[str, str]] = []
        #: Verified subscriptions: callback -> fields.
        self.subscribers: dict[str, dict[str, str]] = {}
        self.challenged: list[Answered] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/hub"
        self.moved = f"http://127.0.0.1:{self._server.server_port}/moved"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, fields: dict[str, str]) -> None:
        with self._changed:
            self.asked.append(fields)
            self._changed.notify_all()
        if self.status == 202:
            threading.Thread(target=self._verify, args=(fields,), daemon=True).start()

    def wait_for(self, number: int, seconds: float = 400) -> None:
        """Wait until so many subscriptions are verified."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.subscribers) == number, seconds), (
                self.asked,
                self.challenged,
            )

    def wait_asked(self, number: int, seconds: float = 400) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= number, seconds), self.asked

    def _verify(self, fields: Mapping[str, str]) -> None:
        callback, mode = fields["hub.callback"], fields["hub.mode"]
        if self.denies is not None:
            call(callback, {"hub.mode": "denied", "hub.topic": fields["hub.topic"], "hub.reason": self.denies})
            return
        query = {"hub.mode": mode, "hub.topic": fields["hub.topic"], "hub.challenge": "a <challenge> & more"}
        if mode == "subscribe":
            query["hub.lease_seconds"] = str(self.lease)
        told = call(callback, query)
        with self._changed:
            self.challenged.append(told)
            if told.status == 200 and told.body.decode() == query["hub.challenge"]:
                if mode == "subscribe":
                    self.subscribers[callback] = dict(fields)
                else:
                    self.subscribers.pop(callback, None)
            self._changed.notify_all()

    def publish(self, feed: bytes, *, method: str = "sha256", key: str | None = None) -> list[Answered]:
        """Push a feed to all subscribers, signed with their secret or with another `key`."""
        told = []
        for callback, fields in list(self.subscribers.items()):
            secret = fields["hub.secret"] if key is None else key
            signature = f"{method}={hmac.new(secret.encode(), feed, method).hexdigest()}"
            told.append(push(callback, feed, **{"X-Hub-Signature": signature}))
        return told


def call(callback: str, query: Mapping[str, str]) -> Answered:
    return _sent(urllib.request.Request(f"{callback}?{urlencode(query)}"))


def push(callback: str, feed: bytes, **fields: str) -> Answered:
    headers = {"Content-Type": "application/rss+xml", **fields}
    return _sent(urllib.request.Request(callback, feed, headers, method="POST"))


def _sent(request: urllib.request.Request) -> Answered:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=240) as answer:
            return Answered(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answered(error.code, error.read())
    except urllib.error.URLError:
        return Answered(0, b"")


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.path == "/moved":
                self.send_response(307)
                self.send_header("Location", "/hub")
            else:
                self.send_response(hub.status)
                hub.take({name: values[0] for name, values in parse_qs(body).items()})
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler

"""A large file from an http or https address: a stream into a file, gone on with where it broke off (RFC 9110, 14).

Only from public addresses unless told otherwise, judged on every connection and redirect.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from crawler.politeness.addresses import is_public
from storage.errors import InvalidURL, NewskeepError
from storage.spool import Look, no_look, writing
from storage.urls import normalize

_CHUNK = 1 << 18
_REDIRECTS = 10
#: Times in a row that a transfer may break with nothing won, and seconds between two tries.
_TRIES, _PAUSE = 5, 1.0
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_MOVED = (301, 302, 303, 307, 308)
_BUSY = (429, 500, 502, 503, 504)


class DownloadError(NewskeepError):
    """A file that cannot be had; the message says why, without the address."""


class _Broken(Exception):
    """A transfer that may go on at the next try."""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    user_agent: str
    allow_private: bool = False
    #: A file of certificates in PEM, trusted beside the roots of the system.
    ca_file: str | None = None
    #: Seconds without a byte.
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was fetched, or is known not to have changed since."""

    path: Path
    #: The file's SHA-256 where the server says that it is the one that was fetched and used up before.
    unchanged_sha256: str | None = None


class Downloader:
    """Fetches into a folder, where half a file waits for the next run, and remembers what it has had.

    `is_held` says whether the archive has the file of a SHA-256: only then need it not be fetched again.
    """

    def __init__(
        self,
        folder: Path,
        options: DownloadOptions,
        is_held: Callable[[str], bool],
        look: Look = no_look,
        on_bytes: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._folder = folder
        self._options = options
        self._is_held = is_held
        self._look = look
        self._on_bytes = on_bytes

    def fetch(self, url: str) -> Download:
        """Bring the file of an address. Raises `DownloadError`, `SpoolError`, and what `look` raises."""
        state = _State(self._folder, url)
        if state.sha256 and not self._is_held(state.sha256):
            state.restart({})
        failed = 0
        while True:
            before = state.size
            try:
                return self._fetch(url, state)
            except (_Broken, OSError, http.client.HTTPException) as error:
                failed = 1 if state.size > before else failed + 1
                if failed >= _TRIES:
                    raise DownloadError(f"{_why(error)}; the same command goes on from here") from error
                self._wait()

    def done(self, url: str, sha256: str) -> None:
        """Remove a file that is in the archive, and remember it, so that it need not be fetched again."""
        _State(self._folder, url).finish(sha256)

    def _wait(self) -> None:
        end = time.monotonic() + _PAUSE
        while time.monotonic() < end:
            self._look()
            time.sleep(0.1)

    def _fetch(self, url: str, state: _State) -> Download:
        with self._asked(url, state.conditions()) as answer:
            if answer.status == 304:
                return Download(state.path, state.sha256)
            if answer.status == 416 and state.size:
                # More is here than there: ask for all anew.
                state.restart({})
                raise _Broken("the file has changed")
            if answer.status in _BUSY:
                raise _Broken(f"{answer.status} {answer.reason}")
            if answer.status not in (200, 206):
                raise DownloadError(f"{answer.status} {answer.reason}".strip())
            self._receive(answer, state)
            state.complete()
        return Download(state.path)

    def _receive(self, answer: http.client.HTTPResponse, state: _State) -> None:
        place = _RANGE.match(answer.headers.get("Content-Range") or "")
        if answer.status == 200:
            state.restart(_validators(answer))
        elif place is None or int(place[1]) != state.size:
            state.restart({})
            raise _Broken("another range than the one that was asked for")
        with writing(state.path):
            file = state.path.open("ab")
        with file:
            while piece := answer.read(_CHUNK):
                self._look()
                with writing(state.path):
                    file.write(piece)
                self._on_bytes(len(piece))
        # http.client ends in silence where a body is shorter than was announced.
        if answer.length:
            raise _Broken("the connection was closed in the middle of the file")

    @contextmanager
    def _asked(self, url: str, conditions: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        for _ in range(_REDIRECTS):
            connection = self._connection(url)
            try:
                parts = urlsplit(url)
                target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
                fields = {"User-Agent": self._options.user_agent, "Accept-Encoding": "identity", **conditions}
                connection.request("GET", target, headers=fields)
                answer = connection.getresponse()
                location = answer.headers.get("Location")
                if answer.status not in _MOVED or location is None:
                    yield answer
                    return
                url = _next(url, location)
            finally:
                connection.close()
        raise DownloadError("too many redirects")

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host, options = parts.hostname or "", self._options
        if parts.scheme == "http":
            return _Plain(host, parts.port or 80, options)
        return _Secure(host, parts.port or 443, options)


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, options: DownloadOptions) -> None:
        super().__init__(host, port, timeout=options.timeout)
        self._options = options

    def connect(self) -> None:
        self.sock = _connected(self.host, self.port, self._options)


class _Secure(_Plain):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        if self._options.ca_file:
            context.load_verify_locations(self._options.ca_file)
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            raise DownloadError(f"its TLS certificate is not to be believed: {error.verify_message}") from error


def _connected(host: str, port: int, options: DownloadOptions) -> socket.socket:
    """A connection to a host, at an address that may be connected to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise DownloadError("name not found") from error
    addresses = [str(each[4][0]) for each in found]
    allowed = [address for address in addresses if options.allow_private or is_public(address)]
    if not allowed:
        raise DownloadError(f"not a public address: {addresses[0]}; --allow-private allows it")
    failure: OSError | None = None
    for address in allowed:
        try:
            return socket.create_connection((address, port), options.timeout)
        except OSError as error:
            failure = error
    assert failure is not None
    raise failure


class _State:
    """What is on disk of one download: the bytes so far, and beside them what they are bytes of."""

    def __init__(self, folder: Path, url: str) -> None:
        name = hashlib.sha256(url.encode()).hexdigest()[:32]
        self.path = folder / f"{name}.part"
        self._about = folder / f"{name}.json"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._fields = self._load()

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def sha256(self) -> str | None:
        """Of the file that was here and is in the archive."""
        found = self._fields.get("sha256")
        return found if isinstance(found, str) else None

    def conditions(self) -> dict[str, str]:
        """Fields that ask for what is not here, or whether what was here has changed."""
        etag, modified = self._fields.get("etag"), self._fields.get("modified")
        if self.sha256 or self._fields.get("complete"):
            fields = {"If-None-Match": etag, "If-Modified-Since": None if etag else modified}
            return {name: value for name, value in fields.items() if value}
        # Without a strong validator nobody knows whether the rest belongs to what is here (RFC 9110, 13.1.5).
        strong = etag if etag and not etag.startswith("W/") else modified
        return {"Range": f"bytes={self.size}-", "If-Range": strong} if self.size and strong else {}

    def restart(self, validators: Mapping[str, str]) -> None:
        """Begin with an empty file that the server calls so."""
        with writing(self.path):
            self.path.write_bytes(b"")
        self._store(dict(validators))

    def complete(self) -> None:
        """Note that all of the file is here."""
        self._store({**self._fields, "complete": True})

    def finish(self, sha256: str) -> None:
        with writing(self.path):
            self.path.unlink(missing_ok=True)
        self._store({**self._fields, "sha256": sha256})

    def _store(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        with writing(self._about):
            self._about.write_text(json.dumps(fields), encoding="utf-8")

    def _load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._about.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _validators(answer: http.client.HTTPResponse) -> dict[str, str]:
    fields = {"etag": answer.headers.get("ETag"), "modified": answer.headers.get("Last-Modified")}
    return {name: value for name, value in fields.items() if value}


def _next(url: str, location: str) -> str:
    try:
        return normalize(urljoin(url, location))
    except (InvalidURL, ValueError):
        raise DownloadError("a redirect to what is no http or https address") from None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(str(error).split()) or type(error).__name__

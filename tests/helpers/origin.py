"""A raw-socket HTTP origin for tests: it sends exactly what it is told and logs every byte, both ways.

    with Origin() as origin:
        origin.on("/a", b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
        origin.on("/slow", b"HTTP/1.1 200 OK\\r\\n", Pause(0.2), b"Content-Length: 9\\r\\n\\r\\nshort", Close())
        fetch(origin.url("/a"))
        assert origin.log[0].sent.endswith(b"hi")

Nothing is added to a script: no Date, no Server. `hostile_responses.py` has a table of
responses that are hard to capture.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection in good order (FIN, and close_notify under TLS)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a RST."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Send nothing and keep the connection open until the client goes or the origin stops."""


#: Bytes go out in one piece where the socket takes them.
Step = bytes | Pause | Close | Reset | Hang
Script = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Logged:
    """One request as it came and what was handed to the socket for it; both counted from 1, in order of arrival."""

    connection: int
    number: int
    #: The request's target without scheme and host, query included.
    path: str
    request: bytes
    sent: bytes
    #: Seconds since the epoch when the request was complete.
    at: float


@dataclass(slots=True)
class _Entry:
    """A log line being written; `lock` makes sending and noting what was sent one step."""

    connection: int
    number: int
    path: str
    request: bytes
    at: float
    sent: bytearray = field(default_factory=bytearray)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def logged(self) -> Logged:
        with self.lock:
            return Logged(self.connection, self.number, self.path, self.request, bytes(self.sent), self.at)


def response(body: bytes = b"", status: str = "200 OK", headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a plain HTTP/1.1 response with Content-Length (left out for 204 and 304)."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    if not status.startswith(("204", "304")):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Origin:
    """A server on one loopback address (127.x.y.z or ::1); a free port unless `port` is given.

    An unknown path gets a 404. `keep_log=False` saves the memory of a long run. `tls`: with a certificate signed by
    itself, or with a context of `certificates.py`.
    """

    def __init__(
        self, host: str = "127.0.0.1", tls: bool | ssl.SSLContext = False, port: int = 0, keep_log: bool = True
    ) -> None:
        self.host = host
        self.tls = tls
        self.keep_log = keep_log
        self.requests = 0
        self.connections = 0
        self._scripts: dict[str, list[Script]] = {}
        self._any: Callable[[str], bytes | None] = lambda _path: None
        self._judge: Callable[[str, bytes], bytes | None] = lambda _path, _request: None
        self._entries: list[_Entry] = []
        self._live: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((host, port))
        except OSError:
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name=f"origin {host}", daemon=True)

    def __enter__(self) -> Self:
        self._listener.listen(512)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut every connection and wait for the threads."""
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            for connection in self._live:
                _quietly(connection.shutdown, socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    @property
    def netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}{path}"

    def on(self, path: str, *steps: Step) -> None:
        """Answer `path` with these steps; several scripts are used one after the other, the last one again and again.

        After the last step the connection is kept, unless the response (or the request) says it ends here.
        """
        with self._lock:
            self._scripts.setdefault(path, []).append(steps)

    def reply(
        self, path: str, body: bytes = b"", status: str = "200 OK", headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Answer `path` with a plain response with Content-Length."""
        self.on(path, response(body, status, headers))

    def on_any(self, respond: Callable[[str], bytes | None]) -> None:
        """Answer paths without a script with what `respond(path)` returns, whole response; `None` is a 404."""
        self._any = respond

    def on_request(self, respond: Callable[[str, bytes], bytes | None]) -> None:
        """Before all scripts, answer with what `respond(path, request)` returns; `None` leaves it to them."""
        self._judge = respond

    @property
    def log(self) -> list[Logged]:
        """Every complete request so far, in order of arrival."""
        with self._lock:
            entries = list(self._entries)
        return [entry.logged() for entry in entries]

    def logged(self, path: str) -> list[Logged]:
        """The log lines of one path."""
        return [entry for entry in self.log if entry.path == path]

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
                self._live.add(connection)
                self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        stream = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                stream = self._secured(connection)
            stream.setblocking(False)
            _Conversation(self, stream, number).run()
        except OSError:
            pass  # the client went away, or the origin stops
        finally:
            with self._lock:
                self._live -= {connection, stream}
                self._threads.discard(threading.current_thread())
            stream.close()
            connection.close()

    def _secured(self, connection: socket.socket) -> ssl.SSLSocket:
        connection.settimeout(120)
        context = self.tls if isinstance(self.tls, ssl.SSLContext) else tls_context(self.host)
        secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:  # wrapping detaches the plain socket; stopping must find the new one
            self._live.discard(connection)
            self._live.add(secured)
        try:
            secured.do_handshake()
        except OSError:
            secured.close()
            raise
        return secured

    def _script(self, target: str) -> Script:
        """Take the next script for a request's target: with its query, else without, else what `on_any` gives."""
        with self._lock:
            for path in (target, target.partition("?")[0]):
                if scripts := self._scripts.get(path):
                    return scripts.pop(0) if len(scripts) > 1 else scripts[0]
        answer = self._any(target)
        return (response(b"not here", "404 Not Found"),) if answer is None else (answer,)

    def _note(self, entry: _Entry) -> None:
        with self._lock:
            self.requests += 1
            if self.keep_log:
                self._entries.append(entry)


class _Conversation:
    """One connection from its first request to its end; the socket does not block."""

    def __init__(self, origin: Origin, stream: socket.socket, number: int) -> None:
        self.origin = origin
        self.stream = stream
        self.connection = number
        self.unread = b""
        # A TLS socket sends a large buffer in records and tells only of the whole: hand it a record at a time.
        self.piece = 16_384 if isinstance(stream, ssl.SSLSocket) else 1 << 20

    def run(self) -> None:
        number = 0
        while request := self._request():
            number += 1
            line = request.partition(b"\n")[0].decode("latin-1").split()
            parts = urlsplit(line[1]) if len(line) > 1 else urlsplit("")
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            entry = _Entry(self.connection, number, target, request, time.time())
            self.origin._note(entry)
            judged = self.origin._judge(target, request)
            script = self.origin._script(target) if judged is None else (judged,)
            if not all(self._perform(step, entry) for step in script):
                return
            if ends_connection(request, bytes(entry.sent)):
                self._close()
                return

    def _perform(self, step: Step, entry: _Entry) -> bool:
        """Do one step; false when the connection is at its end."""
        match step:
            case bytes():
                self._send(step, entry)
                return True
            case Pause(seconds):
                return not self.origin._stopping.wait(seconds)
            case Hang():
                while self._receive():
                    pass
            case Reset():
                # Close with a linger time of zero throws away what is unsent and sends RST.
                self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Close():
                self._close()
        return False

    def _close(self) -> None:
        if isinstance(self.stream, ssl.SSLSocket):
            _quietly(self.stream.unwrap)  # sends close_notify and does not wait for the client's
        _quietly(self.stream.shutdown, socket.SHUT_WR)

    def _request(self) -> bytes:
        """Return the next request, head and body by Content-Length; empty when the client has gone."""
        while not (head := re.match(rb".*?\r?\n\r?\n", self.unread, re.DOTALL)):
            if not (more := self._receive()):
                return b""
            self.unread += more
        declared = re.search(rb"(?im)^content-length:[ \t]*(\d+)", head[0])
        size = head.end() + (int(declared[1]) if declared else 0)
        while len(self.unread) < size:
            if not (more := self._receive()):
                return b""
            self.unread += more
        request, self.unread = self.unread[:size], self.unread[size:]
        return request

    def _receive(self) -> bytes:
        while True:
            try:
                return self.stream.recv(65_536)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)

    def _send(self, data: bytes, entry: _Entry) -> None:
        view = memoryview(data)
        while view:
            try:
                # Noted before the lock is free: a client that has the bytes finds them in the log.
                with entry.lock:
                    count = self.stream.send(view[: self.piece])
                    entry.sent += view[:count]
                view = view[count:]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)

    def _wait(self, event: int) -> None:
        poll = select.poll()
        poll.register(self.stream, event)
        poll.poll()


def ends_connection(request: bytes, sent: bytes) -> bool:
    """Tell whether the connection ends here: either side says so, or only its end tells where the body ends."""
    interim = re.match(rb"(?:HTTP/1\.\d 1\d\d.*?\r?\n\r?\n)*", sent, re.DOTALL)
    final = re.compile(rb".*?\r?\n\r?\n", re.DOTALL).match(sent, interim.end() if interim else 0)
    head = final[0] if final else b""
    asked = re.search(rb"(?im)^connection:.*\bclose\b", request.partition(b"\r\n\r\n")[0])
    if asked or not head or re.search(rb"(?im)^connection:.*\bclose\b", head):
        return True
    kept = re.match(rb"HTTP/1\.1", head) or re.search(rb"(?im)^connection:.*\bkeep-alive\b", head)
    framed = re.match(rb"HTTP/1\.\d (204|304)", head) or re.search(rb"(?im)^(content-length:|transfer-encoding:)", head)
    return not (kept and framed)


@cache
def tls_context(host: str) -> ssl.SSLContext:
    """Return a server context with a certificate for `host` (and localhost) signed by itself, made on the fly."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address(host))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as both:
        both.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        both.write(certificate.public_bytes(pem))
        both.flush()
        context.load_cert_chain(both.name)
    return context


def _quietly(call: Callable[..., object], *args: object) -> None:
    """Call what may find the connection gone already."""
    with suppress(OSError, ValueError):  # ValueError: a TLS socket that was shut down meanwhile
        call(*args)

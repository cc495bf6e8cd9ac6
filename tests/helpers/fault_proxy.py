"""A loopback HTTP proxy in front of a real server that does to chosen requests what networks and servers do.

Every connection carries one request, so that a fault hits the request it is meant for and no other.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Self

from ports import held_port

CHUNK = 65536
#: What a slow server takes at a time.
SLOW = 256 << 10


class Kind(Enum):
    #: The connection is reset as soon as the request's head is there.
    RESET = auto()
    #: The request is taken and never answered.
    BLACK_HOLE = auto()
    #: An error reply with `status` and `code`; the server never sees the request.
    REFUSE = auto()
    #: The connection is reset after `at` bytes of the request's body.
    CUT_UPLOAD = auto()
    #: One bit of the request's body changes, at byte `at`.
    FLIP_UPLOAD = auto()
    #: The server does as asked, but its reply never arrives.
    LOSE_REPLY = auto()
    #: The connection is reset after `at` bytes of the reply's body.
    CUT_DOWNLOAD = auto()
    #: One bit of the reply's body changes, at byte `at`.
    FLIP_DOWNLOAD = auto()
    #: The reply stops after `at` bytes of its body, and the connection stays.
    HANG_DOWNLOAD = auto()
    #: The reply comes a byte at a time, each after `pause`.
    TRICKLE = auto()
    #: The server takes 256 KiB of the request's body at a time, each after `pause`.
    SLOW_UPLOAD = auto()
    #: The reply's body ends after `at` bytes, and its Content-Length says so too; the rest of the head stays.
    SHORTEN = auto()


#: What bends the body of a reply.
DOWNLOADS = (Kind.CUT_DOWNLOAD, Kind.HANG_DOWNLOAD, Kind.FLIP_DOWNLOAD, Kind.SHORTEN)


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    #: Method of the requests it hits; "" for any.
    method: str = ""
    #: A regular expression found in the target of the requests it hits, such as "uploadId=".
    target: str = ""
    #: How many requests it hits; `None` for all.
    times: int | None = None
    at: int = 0
    status: int = 503
    code: str = "SlowDown"
    #: Seconds.
    pause: float = 0.5


class FaultProxy:
    """Listens while the `with` block runs; `faults` may be set and changed at any time."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        #: "METHOD target" of each request, in the order they came.
        self.seen: list[str] = []
        self._held = ExitStack()
        port = self._held.enter_context(held_port())
        self._listener = socket.create_server(("127.0.0.1", port))
        # So that an upload is as slow for its sender as for us, not swallowed at once by the system.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW)
        self.endpoint = f"http://127.0.0.1:{port}"

    def inject(self, *faults: Fault) -> None:
        """Set what happens from now on: the first of the faults that fits a request hits it."""
        with self._lock:
            self._faults = [*faults]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._held.close()

    def close(self) -> None:
        """Break all connections and refuse new ones; until the block ends, nobody else listens here."""
        self._closing.set()
        with suppress(OSError):
            # Wakes the thread that accepts; close alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with self._tracked(client), suppress(OSError, EOFError):
            head, rest = _read_head(client)
            method, target = head.decode("latin-1").split(" ", 2)[:2]
            fault = self._fault_for(method, target)
            match fault.kind if fault else None:
                case Kind.RESET:
                    _reset(client)
                case Kind.BLACK_HOLE:
                    self._closing.wait()
                case Kind.REFUSE:
                    assert fault
                    _refuse(client, head, rest, fault)
                case Kind.TRICKLE:
                    assert fault
                    self._trickle(client, fault)
                case _:
                    self._pass_on(client, head, rest, fault)

    def _trickle(self, client: socket.socket, fault: Fault) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nX-Long: " + b"." * 100_000:
            client.sendall(bytes([byte]))
            if self._closing.wait(fault.pause):
                return

    def _pass_on(self, client: socket.socket, head: bytes, rest: bytes, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        with self._tracked(socket.create_connection(self._server)) as server:
            server.sendall(_one_request(head))

            def send() -> None:
                with suppress(OSError, _CutError):
                    for data in _bent(_pieces(client, rest), fault, Kind.CUT_UPLOAD, Kind.FLIP_UPLOAD):
                        if fault and kind is Kind.SLOW_UPLOAD:
                            self._closing.wait(fault.pause * len(data) / SLOW)
                        server.sendall(data)
                    return
                if kind is Kind.CUT_UPLOAD:
                    _reset(server)
                    _reset(client)

            self._start(send)
            reply, body = _read_final_head(server, client)
            if kind is Kind.LOSE_REPLY:
                for _ in _pieces(server, body):
                    pass
                _reset(client)
                return
            if fault and kind is Kind.SHORTEN:
                reply = re.sub(rb"(?i)(\r\ncontent-length:)[^\r]*", rb"\g<1> %d" % fault.at, reply)
            client.sendall(reply)
            try:
                for data in _bent(_pieces(server, body), fault, *DOWNLOADS):
                    client.sendall(data)
            except _CutError:
                if kind is Kind.CUT_DOWNLOAD:
                    _reset(client)
                elif kind is Kind.HANG_DOWNLOAD:
                    self._closing.wait()

    def _fault_for(self, method: str, target: str) -> Fault | None:
        with self._lock:
            self.seen.append(f"{method} {target}")
            for number, fault in enumerate(self._faults):
                fits = fault.method in ("", method) and re.search(fault.target, target)
                if fits and fault.times != 0:
                    if fault.times is not None:
                        self._faults[number] = replace(fault, times=fault.times - 1)
                    return fault
        return None

    @contextmanager
    def _tracked(self, connection: socket.socket) -> Iterator[socket.socket]:
        with self._lock:
            self._open.add(connection)
        try:
            yield connection
        finally:
            with self._lock:
                self._open.discard(connection)
            # Wakes the thread that may be reading from it, too.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


class _CutError(Exception):
    """The body ends here."""


def _bent(pieces: Iterator[bytes], fault: Fault | None, *kinds: Kind) -> Iterator[bytes]:
    """Give the body on, cut or changed where the fault is one of `kinds`."""
    passed = 0
    for piece in pieces:
        data = piece
        if fault and fault.kind in kinds:
            place = fault.at - passed
            if fault.kind in (Kind.FLIP_UPLOAD, Kind.FLIP_DOWNLOAD):
                if 0 <= place < len(data):
                    data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            elif place <= len(data):
                yield data[:place]
                raise _CutError
        passed += len(data)
        yield data


def _pieces(source: socket.socket, first: bytes) -> Iterator[bytes]:
    if first:
        yield first
    while data := source.recv(CHUNK):
        yield data


def _read_head(source: socket.socket, data: bytes = b"") -> tuple[bytes, bytes]:
    """Return a message's head with its empty line, and what was read of the body."""
    while b"\r\n\r\n" not in data:
        if not (more := source.recv(CHUNK)):
            raise EOFError
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _read_final_head(server: socket.socket, client: socket.socket) -> tuple[bytes, bytes]:
    """Return the head of the reply, having passed on every "100 Continue" before it."""
    head, rest = _read_head(server)
    while head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
        client.sendall(head)
        head, rest = _read_head(server, rest)
    if b"\r\nconnection:" not in head.lower():
        head = head[:-2] + b"Connection: close\r\n\r\n"
    return head, rest


def _one_request(head: bytes) -> bytes:
    """Return the request's head asking the server to close after it; signatures leave that header out."""
    head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head)
    return head[:-2] + b"Connection: close\r\n\r\n"


def _refuse(client: socket.socket, head: bytes, rest: bytes, fault: Fault) -> None:
    # The body first: a reply before its end would look like a broken connection.
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    left = int(length[1]) - len(rest) if length else 0
    if b"100-continue" not in head.lower():
        while left > 0 and (data := client.recv(CHUNK)):
            left -= len(data)
    body = f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>Injected</Message></Error>".encode()
    if head.startswith(b"HEAD "):
        body = b""
    reply = f"HTTP/1.1 {fault.status} Injected\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    client.sendall(reply.encode() + b"Connection: close\r\n\r\n" + body)


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a crashed peer or a cut line does."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
        connection.close()

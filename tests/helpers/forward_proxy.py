"""A forward proxy on loopback that a request leaves for no other place: whatever is asked for, it goes to one server.

    with Origin() as plain, Origin(tls=context) as secure, ForwardProxy(plain.port, secure.port) as proxy:
        fetch("http://198.51.100.7/a", proxy=proxy.url)
        assert proxy.asked == ["GET http://198.51.100.7/a"]

Absolute requests are handed to `plain` as they came, CONNECT to `secure`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class ForwardProxy:
    """Refuses CONNECT with `refusal`, a status line's end such as "403 Forbidden", if there is one."""

    def __init__(self, plain: int, secure: int = 0, refusal: str | None = None) -> None:
        self.asked: list[str] = []
        self._ports = plain, secure
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.netloc}"
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for stream in self._open:
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for stream in (self._listener, *self._open):
            stream.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        self._open.update(arguments)
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        """One connection: its first request says whether it is a tunnel; of others each request is noted."""
        head = client.recv(65_536)
        if not head:
            return
        self._note(head)
        if head.startswith(b"CONNECT "):
            answer = self._refusal or "200 Connection established"
            client.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
            if self._refusal:
                return
            server = socket.create_connection(("127.0.0.1", self._ports[1]))
        else:
            server = socket.create_connection(("127.0.0.1", self._ports[0]))
            server.sendall(head)
        self._start(self._pass_on, server, client)
        while more := _received(client):
            if not head.startswith(b"CONNECT "):
                self._note(more)
            server.sendall(more)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        while more := _received(source):
            with suppress(OSError):
                target.sendall(more)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _note(self, request: bytes) -> None:
        self.asked.append(request.partition(b" HTTP/1.1\r\n")[0].decode())


def _received(stream: socket.socket) -> bytes:
    try:
        return stream.recv(65_536)
    except OSError:
        return b""

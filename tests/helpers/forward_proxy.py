"""A forward proxy on loopback that a request leaves for no other place: whatever is asked for, it goes to one server.

    with Origin() as plain, Origin(tls=context) as secure, ForwardProxy(plain.port, secure.port) as proxy:
        fetch("http://198.51.100.7/a", proxy=proxy.url)
        assert proxy.asked == ["GET http://198.51.100.7/a"]

Absolute requests are handed to `plain` as they came, CONNECT to `secure`.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from loopback_proxy import LoopbackProxy


class ForwardProxy(LoopbackProxy):
    """Refuses CONNECT with `refusal`, a status line's end such as "403 Forbidden", if there is one."""

    def __init__(self, plain: int, secure: int = 0, refusal: str | None = None) -> None:
        super().__init__(plain, secure)
        self._refusal = refusal

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

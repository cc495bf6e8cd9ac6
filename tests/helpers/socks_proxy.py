"""A SOCKS5 proxy on loopback (RFC 1928, 1929) that leads to one server, whatever is asked for.

with Origin() as plain, Origin(tls=context) as secure, SocksProxy(plain.port, secure.port) as proxy:
    fetch("http://198.51.100.7/a", proxy=proxy.url)
    assert proxy.asked == ["198.51.100.7:80"]
"""

from __future__ import annotations

import socket

from loopback_proxy import LoopbackProxy, pass_on

_LITERAL, _NAME = 1, 3


class SocksProxy(LoopbackProxy):
    """Connections for port 443 go to `secure`, others to `plain`; with `user` and `password` it asks for them."""

    scheme = "socks5"

    def __init__(self, plain: int, secure: int = 0, user: str = "", password: str = "", refusal: int = 0) -> None:
        """`refusal`: a reply that is no success, such as 2, "not allowed by ruleset"."""
        super().__init__(plain, secure)
        self._account = (user, password) if user else None
        self._refusal = refusal

    def _serve(self, client: socket.socket) -> None:
        if not self._lets_in(client):
            return
        _, _, _, kind = _exactly(client, 4)
        if kind == _NAME:
            host = _exactly(client, _exactly(client, 1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == _LITERAL else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _exactly(client, size))
        port = int.from_bytes(_exactly(client, 2), "big")
        self.asked.append(f"{host}:{port}")
        client.sendall(bytes([5, self._refusal, 0, 1, 0, 0, 0, 0, 0, 0]))
        if self._refusal:
            client.shutdown(socket.SHUT_WR)
            return
        server = socket.create_connection(("127.0.0.1", self._ports[port == 443]))
        self._start(pass_on, server, client)
        pass_on(client, server)

    def _lets_in(self, client: socket.socket) -> bool:
        version, count = _exactly(client, 2)
        methods = _exactly(client, count)
        wanted = 2 if self._account else 0
        client.sendall(bytes([version, wanted if wanted in methods else 255]))
        if wanted not in methods or self._account is None:
            return wanted in methods
        _exactly(client, 1)
        given = tuple(_exactly(client, _exactly(client, 1)[0]).decode() for _ in range(2))
        client.sendall(bytes([1, given != self._account]))
        return given == self._account


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data

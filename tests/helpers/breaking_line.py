"""A line to a server of loopback that breaks where a client sends certain bytes."""

from __future__ import annotations

import socket

from loopback_proxy import LoopbackProxy, pass_on


class BreakingLine(LoopbackProxy):
    """Leads to the server on port `plain`; a connection on which `breaks_at` is sent ends there, for so many times.

    The server never sees those bytes. They have to come in one piece, as a statement does.
    """

    def __init__(self, plain: int, breaks_at: bytes, times: int) -> None:
        super().__init__(plain)
        self.left = times
        self._breaks_at = breaks_at

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._ports[0]))
        self._start(lambda _: pass_on(server, client), server)
        while more := client.recv(65_536):
            if self.left and self._breaks_at in more:
                self.left -= 1
                break
            server.sendall(more)
        for stream in (server, client):
            stream.shutdown(socket.SHUT_RDWR)

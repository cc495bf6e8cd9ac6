"""A line to a server of loopback that falls silent: connections stay, nothing comes through, and nobody is told."""

from __future__ import annotations

import socket
import threading

from loopback_proxy import LoopbackProxy


class SilentLine(LoopbackProxy):
    """Leads to the server on port `plain`, byte by byte."""

    def __init__(self, plain: int) -> None:
        super().__init__(plain)
        self._passes = threading.Event()
        self._passes.set()

    def __exit__(self, *_: object) -> None:
        self.mend()
        super().__exit__()

    def cut(self) -> None:
        """Hold back what is sent from now on, either way."""
        self._passes.clear()

    def mend(self) -> None:
        """Hand on what was held back, late, and all that follows."""
        self._passes.set()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._ports[0]))
        self._start(lambda _: self._pass_on(server, client), server)
        self._pass_on(client, server)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        while more := source.recv(65_536):
            self._passes.wait()
            target.sendall(more)
        self._passes.wait()
        target.shutdown(socket.SHUT_WR)

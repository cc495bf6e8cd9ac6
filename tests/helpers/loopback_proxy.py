"""What proxies of the tests have in common: a port on loopback, a thread a direction, and two servers behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class LoopbackProxy:
    """Whatever is asked for, `_serve` leads it to one of the servers on the ports `plain` and `secure`."""

    scheme = "http"

    def __init__(self, plain: int, secure: int = 0) -> None:
        #: What was asked for, in order.
        self.asked: list[str] = []
        self._ports = plain, secure
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{self.scheme}://{self.netloc}"
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

    def _start(self, target: Callable[..., None], *streams: socket.socket) -> None:
        """Have a thread do this with these connections; an end that breaks off ends it."""

        def work() -> None:
            with suppress(OSError):
                target(*streams)

        self._open.update(streams)
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes until the end. Raises OSError."""
    while more := source.recv(65_536):
        target.sendall(more)
    target.shutdown(socket.SHUT_WR)

"""pywb as a server over a folder of its own, and what it answers."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from foreign_venvs import clean_environ
from sample_archive import Tools

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True, slots=True)
class Pywb:
    """A running pywb with the collections "theirs" (index by wb-manager) and "ours" (index from our CDXJ files)."""

    port: int

    def get(self, path: str, **headers: str) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())


class running_pywb:  # noqa: N801 - used like a function
    """pywb on a free port for the time of the block."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self._program = tools.folder / "bin" / "pywb"
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])

    def __enter__(self) -> int:
        log = self._folder / "pywb.log"
        command = [str(self._program), "-b", "127.0.0.1", "-p", str(self._port)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=clean_environ(), stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"pywb did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        return self._port

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False

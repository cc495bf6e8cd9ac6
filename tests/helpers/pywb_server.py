"""pywb as a server over a folder of its own, and what it answers."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from foreign_venvs import clean_environ
from ports import held_port
from sample_archive import Tools
from servers import running


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
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=240)) as connection:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())


@contextmanager
def running_pywb(tools: Tools, folder: Path) -> Iterator[int]:
    """Run pywb over `folder` for the time of the block; yield its port."""
    pywb = tools.folder / "bin" / "pywb"
    with held_port() as port:
        command = [str(pywb), "-b", "127.0.0.1", "-p", str(port)]
        with running(command, port, folder / "pywb.log", clean_environ(), folder):
            yield port

"""pywb as a server over a folder of its own, and what it answers."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from foreign_venvs import clean_environ
from ports import held_port, listens
from sample_archive import Tools
from waiting import until


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
    log = folder / "pywb.log"
    with held_port() as port, log.open("wb") as output:
        process = subprocess.Popen(
            [str(tools.folder / "bin" / "pywb"), "-b", "127.0.0.1", "-p", str(port)],
            cwd=folder,
            env=clean_environ(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            until(lambda: listens(port), unless=lambda: process.poll() is not None and log.read_text()[-4000:])
            yield port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

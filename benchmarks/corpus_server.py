"""Serves a corpus of pages (`pages/<id>.html.gz`, `gold.jsonl`) from sixteen loopback addresses and logs every byte.

    python benchmarks/corpus_server.py CORPUS > list.txt      # serves until Ctrl-C

The pages of one site stand on one address. A third of them is sent plain, a third in chunks, a third with gzip.
"""

from __future__ import annotations

import gzip
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from corpus import Page, load

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests" / "helpers")]

from origin import Logged, Origin, response  # noqa: E402

HOSTS = tuple(f"127.0.0.{last}" for last in range(2, 18))
HTML = ("Content-Type", "text/html")


def start_origins(stack: ExitStack, keep_log: bool = True) -> list[Origin]:
    """Start an origin on each of HOSTS, all on one port; `stack` ends them."""
    while True:
        first = Origin(HOSTS[0], keep_log=keep_log)
        try:
            rest = [Origin(host, port=first.port, keep_log=keep_log) for host in HOSTS[1:]]
        except OSError:  # somebody has this port on another of the addresses
            continue
        return [stack.enter_context(origin) for origin in (first, *rest)]


def wire(number: int, body: bytes) -> bytes:
    """Return the response for the page of this number, in one of three ways."""
    match number % 3:
        case 0:
            return response(body, headers=[HTML])
        case 1:
            pieces = (body[at : at + 8000] for at in range(0, len(body), 8000))
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            return (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % chunks
            )
        case _:
            return response(gzip.compress(body, 6, mtime=0), headers=[HTML, ("Content-Encoding", "gzip")])


class CorpusServer:
    """`pages` maps each URL to its page, in the corpus's order."""

    def __init__(self, folder: Path) -> None:
        self._corpus = load(folder)
        self._stack = ExitStack()
        self.origins: list[Origin] = []
        self.pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        self.origins = start_origins(self._stack)
        sites = sorted({page.site for page in self._corpus})
        for number, page in enumerate(self._corpus):
            origin = self.origins[sites.index(page.site) % len(self.origins)]
            path = f"/{page.id}"
            origin.on(path, wire(number, page.html))
            self.pages[origin.url(path)] = page
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def log(self) -> list[Logged]:
        return [entry for origin in self.origins for entry in origin.log]


if __name__ == "__main__":
    with CorpusServer(Path(sys.argv[1])) as server:
        print(*server.pages, sep="\n", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()

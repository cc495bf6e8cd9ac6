"""Servers that never stop: whatever they send without end, memory and time stay within bounds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FIELDS = b"".join(b"X-%d: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" % number for number in range(2_000))
#: What comes first, what then comes again and again, and what is said of it.
ENDLESS = {
    "interim": (b"", 200 * b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", "too large: the head"),
    "head": (b"HTTP/1.1 200 OK\r\n", FIELDS, "too large: the head"),
    "head behind an interim": (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n", FIELDS, "too large: the head"),
    "line": (b"HTTP/1.1 200 OK\r\nX: ", 40_000 * b"y", "too large: the head"),
    "chunk extension": (CHUNKED + b"1;", 40_000 * b"x", "not a valid HTTP answer"),
    "chunk extensions": (CHUNKED, 50 * (b"1;" + 900 * b"x" + b"\r\na\r\n"), "not a valid HTTP answer"),
    "chunks of a byte": (CHUNKED, 4_000 * b"1\r\na\r\n", "not a valid HTTP answer"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", 1_000 * b"X-a: yyyyyyyyyyyyyyyyyy\r\n", "not a valid HTTP answer"),
    "body": (OK + b"\r\n", 4_000 * b"<p>hello world", "too large"),
}


@contextmanager
def server(first: bytes, piece: bytes) -> Iterator[str]:
    """Serve it to one after the other, each until it closes the connection; yield the address."""
    closing = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while not closing.is_set():
                with suppress(OSError), listening.accept()[0] as connection:
                    connection.recv(65_536)
                    connection.sendall(first)
                    while not closing.is_set():
                        connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            closing.set()
            with suppress(OSError):
                socket.create_connection(listening.getsockname()).close()
            thread.join()


def save(folder: Path, urls: list[str]) -> tuple[dict[str, str], int]:
    """Return the reasons by URL, and the most memory that the command had, in bytes."""
    command = [sys.executable, "-m", "newskeep", "save", "--archive", str(folder), "--allow-private", "--ignore-robots"]
    with subprocess.Popen([*command, "--json", "--timeout", "20", *urls], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        told = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    assert running.returncode == 5
    return {line["url"]: line["reason"] for line in map(json.loads, told.splitlines())}, used.ru_maxrss * 1024


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_is_cut_off(tmp_path: Path, kind: str) -> None:
    first, piece, reason = ENDLESS[kind]
    with server(first, piece) as url:
        reasons, memory = save(tmp_path / "archive", [url])
    assert reasons[url].startswith(reason), reasons
    assert memory < 600 * 1024**2


def test_many_endless_bodies_at_once_have_a_bound_together(tmp_path: Path) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(server(*ENDLESS["body"][:2])) for _ in range(16)]
        reasons, memory = save(tmp_path / "archive", urls)
    assert len(reasons) == 16 and all(reason.startswith(("too large", "timed out")) for reason in reasons.values())
    # Four of 64 MiB at a time, each of them some four times over; all at once were 2.5 GB.
    assert memory < 1_700 * 1024**2

"""Servers that never stop: whatever they send without end, memory and time stay within bounds."""

from __future__ import annotations

import json
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
    "interim": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </%b>\r\n\r\n" % (900 * b"a"), "too large: the head"),
    "head": (b"HTTP/1.1 200 OK\r\n", FIELDS, "too large: the head"),
    "head behind an interim": (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n", FIELDS, "too large: the head"),
    "line": (b"HTTP/1.1 200 OK\r\nX: ", 40_000 * b"y", "too large: the head"),
    "chunk extension": (CHUNKED + b"1;", 40_000 * b"x", "not a valid HTTP answer"),
    "chunk extensions": (CHUNKED, 50 * (b"1;" + 900 * b"x" + b"\r\na\r\n"), "not a valid HTTP answer"),
    "chunks of a byte": (CHUNKED, 400 * (90 * b"0" + b"1\r\na\r\n"), "not a valid HTTP answer"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", 1_000 * b"X-a: yyyyyyyyyyyyyyyyyy\r\n", "not a valid HTTP answer"),
    "body": (OK + b"\r\n", 4_000 * b"<p>hello world", "too large"),
}
#: As small as they can be: so many come within the same bounds that they take seconds to take apart.
SMALLEST = {
    "interim": (b"", 200 * b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", "too large: the head"),
    "chunks of a byte": (CHUNKED, 4_000 * b"1\r\na\r\n", "not a valid HTTP answer"),
}
Endless = dict[str, tuple[bytes, bytes, str]]


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


#: Runs a command and tells the most memory it had, in KiB. Of its own, since a process begins with what its parent has.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def save(folder: Path, urls: list[str], timeout: float = 240) -> tuple[dict[str, str], int]:
    """Return the reasons by URL, and the most memory that the command had, in bytes; `timeout` is in seconds."""
    command = [sys.executable, "-m", "newskeep", "save", "--archive", str(folder), "--allow-private", "--ignore-robots"]
    measured = [sys.executable, "-c", MEASURE, *command, "--json", "--timeout", str(timeout), *urls]
    done = subprocess.run(measured, capture_output=True, check=False)
    assert done.returncode == 5, done.stderr
    reasons = {line["url"]: line["reason"] for line in map(json.loads, done.stdout.splitlines())}
    return reasons, int(done.stderr.split()[-1]) * 1024


@pytest.mark.parametrize(
    "endless",
    [pytest.param(ENDLESS, id="all"), pytest.param(SMALLEST, id="smallest", marks=pytest.mark.exhaustive)],
)
def test_what_never_ends_is_cut_off(tmp_path: Path, endless: Endless) -> None:
    with ExitStack() as stack:
        urls = {stack.enter_context(server(first, piece)): kind for kind, (first, piece, _) in endless.items()}
        reasons, memory = save(tmp_path / "archive", list(urls))
    for url, kind in urls.items():
        assert reasons[url].startswith(endless[kind][2]), (kind, reasons[url])
    assert memory < 600 * 1024**2


@pytest.mark.exhaustive
def test_many_endless_bodies_at_once_have_a_bound_together(tmp_path: Path) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(server(*ENDLESS["body"][:2])) for _ in range(16)]
        reasons, memory = save(tmp_path / "archive", urls, 20)
    assert len(reasons) == 16 and all(reason.startswith(("too large", "timed out")) for reason in reasons.values())
    # Four of 64 MiB at a time, each of them some four times over; all at once were 2.5 GB.
    assert memory < 1_700 * 1024**2

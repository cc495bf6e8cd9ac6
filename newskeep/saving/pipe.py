"""The pipes of a process that does one thing for another: a request comes in, answers go out, each a line of JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Tell = Callable[[dict[str, Any]], None]


def first_line(descriptor: int) -> bytes:
    """The first line, and nothing behind it."""
    line = bytearray()
    while not line.endswith(b"\n") and (piece := os.read(descriptor, 1 << 16)):
        line += piece
    return bytes(line)


@contextmanager
def answers() -> Iterator[Tell]:
    """Answers on what was standard output; whatever else prints goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as pipe:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

        def tell(answer: dict[str, Any]) -> None:
            with suppress(BrokenPipeError):  # nobody listens any more; its end has stopped us, or will
                pipe.write(json.dumps(answer).encode() + b"\n")

        yield tell


def stop_at_end(descriptor: int) -> None:
    """Stop the main thread in good order when the rest of the input ends."""
    while os.read(descriptor, 1 << 16):
        pass
    # To the thread that waits for the network: another one's signal would not wake it.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

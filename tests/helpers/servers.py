"""Servers of others, as processes of a test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ports import listens
from waiting import until


@contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    also: Iterable[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it is listening when the block begins, on the ports `also` too."""
    words = [*map(str, command)]
    with log.open("wb") as output:
        process = subprocess.Popen(words, cwd=folder, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        for each in (port, *also):
            until(partial(listens, each), unless=lambda: process.poll() is not None and log.read_text()[-4000:])
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

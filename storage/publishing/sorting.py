"""Lines sorted by their bytes, more of them than memory holds: runs on the disk, merged."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

#: Bytes of the lines that are sorted in memory; Python's own share is about as much again.
_RUN_BYTES = 64 << 20
#: Files that are read at once.
_FILES = 128


def sorted_lines(lines: Iterable[bytes], folder: Path, *, run_bytes: int = _RUN_BYTES) -> Iterator[bytes]:
    """Yield lines in the order of their bytes. Files in `folder` take as much room as the lines, at times twice."""
    names = (folder / f"{number:06}.run" for number in count())
    runs = list(_runs(lines, names, run_bytes))
    while len(runs) > _FILES:
        some, runs = runs[:_FILES], runs[_FILES:]
        runs.append(_write(_merged(some), next(names)))
    yield from _merged(runs)


def _runs(lines: Iterable[bytes], names: Iterator[Path], run_bytes: int) -> Iterator[Path]:
    held, size = list[bytes](), 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= run_bytes:
            yield _write(sorted(held), next(names))
            held, size = [], 0
    if held:
        yield _write(sorted(held), next(names))


def _write(lines: Iterable[bytes], path: Path) -> Path:
    with path.open("wb") as file:
        file.writelines(lines)
    return path


def _merged(runs: list[Path]) -> Iterator[bytes]:
    """Yield the lines of sorted files in order, and remove these."""
    with ExitStack() as files:
        yield from heapq.merge(*(files.enter_context(path.open("rb")) for path in runs))
    for path in runs:
        path.unlink()

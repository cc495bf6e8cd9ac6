"""Locks between processes of one machine: held by the kernel, gone with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import AlreadyRunning, StoreUnavailable


@contextmanager
def held(path: Path, work: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    Where it is taken, raises `AlreadyRunning`, naming the `work`; with `wait` it is waited for.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The file stays: one that is removed while somebody waits for it would be two locks.
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreUnavailable(f"cannot write {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise AlreadyRunning(f"{work} of this archive is already running here ({path} is locked)") from None
        yield
    finally:
        os.close(lock)

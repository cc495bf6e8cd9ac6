"""A folder for what is on its way to the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import StoreUnavailable


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """An empty folder, removed at the end; also what a killed run left in it. Raises `StoreUnavailable`."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise StoreUnavailable(f"cannot write {error.filename or folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""Empty databases of ours as SQLite files. What a kind's tables look like on disk is worked out once a process.

To have SQLAlchemy say and SQLite do what makes a dozen tables takes most of what a new archive costs.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import NullPool

from storage.migrations import create

#: The files of kinds of databases that this process has made, by their tables and the version of those.
_made: dict[tuple[MetaData, int], bytes] = {}


def make_empty(path: Path, metadata: MetaData, version: int) -> None:
    """Make a file with these tables at `path`, where there is none, and have it on disk, with no log beside it.

    Raises `DBAPIError` and `OSError`; what is there then is no database.
    """
    image = _made.get((metadata, version))
    if image is None:
        _make(path, metadata, version)
        _made[metadata, version] = path.read_bytes()
        return
    # With SQLite's own mode: who may write is then the same for all files of an archive.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(file, "wb") as new:
        new.write(image)
        new.flush()
        os.fsync(new.fileno())


def _make(path: Path, metadata: MetaData, version: int) -> None:
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None), poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("PRAGMA synchronous=FULL")
        connection.exec_driver_sql("BEGIN")
        create(connection, metadata, version)
        connection.commit()
    engine.dispose()

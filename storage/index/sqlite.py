"""The index as one SQLite file."""

from __future__ import annotations

from pathlib import Path

from storage import sqlite
from storage.index import schema
from storage.sqlite import Database, Kind

# Seconds to wait for another process's write; a write holds its lock well below one.
BUSY_TIMEOUT: float = 30


def open_database(path: Path, *, create: bool) -> Database:
    """Open or make the index file at `path`; see `storage.index.open_index`."""
    return sqlite.open_database(path, _kind(), create=create)


def discard(path: Path) -> None:
    """Remove an index file; see `storage.index.discard_index`."""
    sqlite.discard(path, _kind())


def _kind() -> Kind:
    return Kind(
        noun="index",
        make="make it with `newskeep reindex`",
        again="make it again with `newskeep reindex`",
        metadata=schema.metadata,
        version=schema.VERSION,
        migrations=schema.MIGRATIONS,
        busy_timeout=BUSY_TIMEOUT,
    )

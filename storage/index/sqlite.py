"""The index as one SQLite file: opening, making and discarding it, and what its failures mean to a person."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from storage.errors import AlreadyRunning, Corrupt, NewskeepError, StoreUnavailable
from storage.index import schema

# Seconds to wait for another process's write; a write holds its lock well below one.
BUSY_TIMEOUT = 30
_COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Database:
    """What `Index` needs of a database, whichever it is."""

    #: As a person knows it.
    name: str
    engine: Engine
    read_only: bool
    #: Raises `StoreUnavailable` when what is open is no longer what everybody else sees.
    check: Callable[[], None]
    #: What the database itself finds wrong with its file, a line each; reads all of it.
    problems: Callable[[], list[str]]
    #: Says what an error of the driver, bare or wrapped, means.
    explain: Callable[[Exception], NewskeepError]
    close: Callable[[], None]


def open_database(path: Path, *, create: bool) -> Database:
    """Open or make the index file at `path`; see `storage.index.open_index`."""
    read_only = not (os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK)))
    if not path.exists() and (read_only or not create):
        raise StoreUnavailable(f"{path}: there is no index; make it with `newskeep reindex`")
    lock = _lock_shared(path, read_only)
    engine = _engine(path, read_only)
    try:
        found = path.stat()
        _check_end(path)
        _ensure_schema(path, engine, read_only)
    except BaseException:
        _close(engine, lock)
        raise

    def check() -> None:
        try:
            now = path.stat()
        except FileNotFoundError:
            raise StoreUnavailable(f"{path}: the index was removed; make it again with `newskeep reindex`") from None
        if (now.st_dev, now.st_ino) != (found.st_dev, found.st_ino):
            raise StoreUnavailable(f"{path}: the index was replaced by another one; start again")

    return Database(
        name=str(path),
        engine=engine,
        read_only=read_only,
        check=check,
        problems=lambda: _problems(engine),
        explain=lambda error: _explain(path, error),
        close=lambda: _close(engine, lock),
    )


def discard(path: Path) -> None:
    """Remove an index file; see `storage.index.discard_index`."""
    if not path.parent.is_dir():
        return
    lock = _open_lock(path, read_only=False)
    try:
        if not _flock(lock, fcntl.LOCK_EX):
            raise AlreadyRunning(f"{path}: the index is in use by another process; stop it first")
        _remove(path)
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    # A log left behind would be replayed into the next index of this name.
    for name in (path.name, *(path.name + suffix for suffix in _COMPANIONS)):
        path.with_name(name).unlink(missing_ok=True)


def _lock_shared(path: Path, read_only: bool) -> int | None:
    """Return a lock file held as long as the index is open, so that nobody takes it away underneath.

    Whoever finds no index makes it, alone.
    """
    try:
        lock = _open_lock(path, read_only)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(f"{path}: the index cannot be opened: {error.strerror}") from error
    give_up = time.monotonic() + BUSY_TIMEOUT
    try:
        while not (path.exists() and _flock(lock, fcntl.LOCK_SH)):
            if not path.exists() and _flock(lock, fcntl.LOCK_EX) and not path.exists():
                _make(path)
            elif time.monotonic() > give_up:
                raise StoreUnavailable(f"{path}: another process keeps the index locked; is it still running?")
            else:
                time.sleep(0.02)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _open_lock(path: Path, read_only: bool) -> int:
    lock = path.with_name(path.name + ".lock")
    return os.open(lock, os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _flock(lock: int, mode: int) -> bool:
    try:
        fcntl.flock(lock, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make(path: Path) -> None:
    """Make an empty index, visible only when it is whole: an empty or half file is always damage."""
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(new, isolation_level=None), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA synchronous=FULL")
            connection.exec_driver_sql("BEGIN")
            schema.create(connection)
            connection.commit()
        engine.dispose()
        _remove(path)
        new.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except DBAPIError as error:
        raise _explain(path, error) from error
    except OSError as error:
        raise StoreUnavailable(f"{path}: the index cannot be made: {error.strerror}") from error
    finally:
        _remove(new)


def _engine(path: Path, read_only: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        # Never makes a file: an index that is gone must be noticed.
        mode = "mode=rw"
        if read_only:
            # Without its log at hand, SQLite reads a file in a folder it cannot write only if told that nobody else
            # writes; asked anew for each connection, because somebody else may.
            log = path.with_name(path.name + "-wal")
            mode = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        return sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?{mode}",
            uri=True,
            timeout=BUSY_TIMEOUT,
            # Transactions are ours to begin.
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool if read_only else QueuePool)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Without it, a damaged page may end a list early instead of raising.
        connection.execute("PRAGMA cell_size_check=ON")
        # Kilobytes; the default of 2 MB makes large inserts read the same pages again and again.
        connection.execute("PRAGMA cache_size=-32000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Writers queue at BEGIN, where SQLite waits for a lock; a lock asked for later fails at once. Reads need none.
        begin = connection.get_execution_options().get("begin")
        if begin:
            connection.exec_driver_sql(begin)

    return engine


def _check_end(path: Path) -> None:
    """Raise `StoreUnavailable` for a cut last page: SQLite fills it up with zeros and says nothing."""
    if path.is_dir() or path.with_name(path.name + "-wal").exists():
        return
    with path.open("rb") as file:
        page = int.from_bytes(file.read(18)[16:], "big")
        size = file.seek(0, os.SEEK_END)
    # A page of 65,536 bytes is written as 1.
    if page > 1 and size % page:
        raise StoreUnavailable(
            f"{path}: the index is damaged (its end is missing); make it again with `newskeep reindex`"
        )


def _ensure_schema(path: Path, engine: Engine, read_only: bool) -> None:
    again = "make it again with `newskeep reindex`"
    try:
        with engine.connect() as connection:
            version = schema.version_of(connection)
        if version is None:
            raise StoreUnavailable(f"{path}: not an index of newskeep, or a damaged one; {again}")
        if version > schema.VERSION:
            raise StoreUnavailable(f"{path}: made by a newer newskeep (schema {version}); update this one, or {again}")
        if version < schema.VERSION and read_only:
            raise StoreUnavailable(
                f"{path}: of an older newskeep (schema {version}), and cannot be written to update it"
            )
        if version < schema.VERSION:
            with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection, connection.begin():
                schema.migrate(connection)
    except KeyError as error:
        raise StoreUnavailable(f"{path}: of a newskeep too old to update (schema {error}); {again}") from None
    except DBAPIError as error:
        raise _explain(path, error) from error


def _problems(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [line for line in connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars() if line != "ok"]


def _explain(path: Path, error: Exception) -> NewskeepError:
    """Return the error that tells a person what an error of the driver means."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(bare, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreUnavailable(f"{path}: the index is damaged ({bare}); make it again with `newskeep reindex`")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreUnavailable(f"{path}: another process has kept the index busy for {BUSY_TIMEOUT} s; try again")
    if name.startswith("SQLITE_CONSTRAINT"):
        return Corrupt(f"{path}: two rows claim one place ({bare})")
    if name == "SQLITE_ERROR":
        return StoreUnavailable(
            f"{path}: the index has not the tables it should ({bare}); make it again with `newskeep reindex`"
        )
    return StoreUnavailable(f"{path}: the index cannot be read or written ({bare})")


def _close(engine: Engine, lock: int | None) -> None:
    engine.dispose()
    if lock is not None:
        with suppress(OSError):
            os.close(lock)

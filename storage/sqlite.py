"""A database of ours as one SQLite file: opening, making and discarding it, and what its failures mean to a person.

Several processes and threads use one at once. Each such database is derived from something else: one that is damaged
is replaced, not mended.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from storage.database import Database, Kind
from storage.empty_sqlite import make_empty
from storage.errors import AlreadyRunning, Corrupt, NewskeepError, StoreUnavailable
from storage.migrations import migrate, version_of
from storage.text import characters

_COMPANIONS = ("-wal", "-shm", "-journal")


def open_database(path: Path, kind: Kind, *, create: bool = True) -> Database:
    """Open the file at `path`; make an empty one where there is none and `create` is set.

    Read-only where the file or its folder cannot be written. An older schema is brought up to date. Raises
    `StoreUnavailable` when the file is absent (and `create` is not set), damaged, or made by a newer version.
    """
    read_only = not (os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK)))
    if not path.exists() and (read_only or not create):
        raise StoreUnavailable(f"{path}: there is no {kind.noun}; {kind.make}")
    lock = _lock_shared(path, kind, read_only)
    engine = _engine(path, kind, read_only)
    try:
        found = path.stat()
        _check_end(path, kind)
        _ensure_schema(path, kind, engine, read_only)
    except BaseException:
        _close(engine, lock)
        raise

    def check() -> None:
        try:
            now = path.stat()
        except FileNotFoundError:
            raise StoreUnavailable(f"{path}: the {kind.noun} was removed; {kind.again}") from None
        if (now.st_dev, now.st_ino) != (found.st_dev, found.st_ino):
            raise StoreUnavailable(f"{path}: the {kind.noun} was replaced by another one; start again")

    return Database(
        name=str(path),
        noun=kind.noun,
        engine=engine,
        connect=engine.connect,
        read_only=read_only,
        check=check,
        problems=lambda: _problems(engine),
        size=lambda: sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*") if each.is_file()),
        explain=lambda error: _explain(path, kind, error),
        close=lambda: _close(engine, lock),
    )


def schema_version(path: Path) -> int | None:
    """Return the version of a database of ours as it is, without opening it for work; `None` where it has none."""
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True)
        try:
            found = connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
            return None if found is None else int(found[0])
        finally:
            connection.close()
    return None


def discard(path: Path, kind: Kind) -> None:
    """Remove a database with its companions, whatever state it is in; none there is no error.

    Raises `AlreadyRunning` when another process has it open: its leftovers would spoil a new one.
    """
    if not path.parent.is_dir():
        return
    lock = _open_lock(path, read_only=False)
    try:
        if not _flock(lock, fcntl.LOCK_EX):
            raise AlreadyRunning(f"{path}: the {kind.noun} is in use by another process; stop it first")
        _remove(path)
    finally:
        os.close(lock)


def _remove(path: Path) -> None:
    # A log left behind would be replayed into the next one of this name.
    for name in (path.name, *(path.name + suffix for suffix in _COMPANIONS)):
        path.with_name(name).unlink(missing_ok=True)


def _lock_shared(path: Path, kind: Kind, read_only: bool) -> int | None:
    """Return a lock file held as long as the database is open, so that nobody takes it away underneath.

    Whoever finds none makes it, alone.
    """
    try:
        lock = _open_lock(path, read_only)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(f"{path}: the {kind.noun} cannot be opened: {error.strerror}") from error
    give_up = time.monotonic() + kind.busy_timeout
    try:
        while not (path.exists() and _flock(lock, fcntl.LOCK_SH)):
            if not path.exists() and _flock(lock, fcntl.LOCK_EX) and not path.exists():
                _make(path, kind)
            elif time.monotonic() > give_up:
                raise StoreUnavailable(f"{path}: another process keeps the {kind.noun} locked; is it still running?")
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


def _make(path: Path, kind: Kind) -> None:
    """Make an empty database, visible only when it is whole: an empty or half file is always damage."""
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        make_empty(new, kind.metadata, kind.version)
        _remove(path)
        new.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except DBAPIError as error:
        raise _explain(path, kind, error) from error
    except OSError as error:
        raise StoreUnavailable(f"{path}: the {kind.noun} cannot be made: {error.strerror}") from error
    finally:
        _remove(new)


class _Cursor(sqlite3.Cursor):
    """Takes every text: with a lone surrogate in it, SQLite would refuse it."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        return super().execute(sql, _storable(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        return super().executemany(sql, map(_storable, parameters))


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


def _storable(parameters: Any) -> Any:
    if isinstance(parameters, Mapping):
        return {name: characters(each) if isinstance(each, str) else each for name, each in parameters.items()}
    return [characters(each) if isinstance(each, str) else each for each in parameters]


def _engine(path: Path, kind: Kind, read_only: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        # Never makes a file: one that is gone must be noticed.
        mode = "mode=rw"
        if read_only:
            # Without its log at hand, SQLite reads a file in a folder it cannot write only if told that nobody else
            # writes; asked anew for each connection, because somebody else may.
            log = path.with_name(path.name + "-wal")
            mode = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        return sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?{mode}",
            uri=True,
            timeout=kind.busy_timeout,
            # Transactions are ours to begin.
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool if read_only else QueuePool)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.execute(f"PRAGMA synchronous={'FULL' if kind.durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")
        # Without it, a damaged page may end a list early instead of raising.
        connection.execute("PRAGMA cell_size_check=ON")
        # Kilobytes; the default of 2 MB makes large inserts read the same pages again and again. Each connection of a
        # crawl, to the index and to the frontier, fills as much: with 32 MB each, inserts took the same time.
        connection.execute("PRAGMA cache_size=-8000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Writers queue at BEGIN, where SQLite waits for a lock; a lock asked for later fails at once. Reads need none.
        begin = connection.get_execution_options().get("begin")
        if begin:
            connection.exec_driver_sql(begin)

    return engine


def _check_end(path: Path, kind: Kind) -> None:
    """Raise `StoreUnavailable` for a cut last page: SQLite fills it up with zeros and says nothing."""
    if path.is_dir() or path.with_name(path.name + "-wal").exists():
        return
    with path.open("rb") as file:
        page = int.from_bytes(file.read(18)[16:], "big")
        size = file.seek(0, os.SEEK_END)
    # A page of 65,536 bytes is written as 1.
    if page > 1 and size % page:
        raise StoreUnavailable(f"{path}: the {kind.noun} is damaged (its end is missing); {kind.again}")


def _ensure_schema(path: Path, kind: Kind, engine: Engine, read_only: bool) -> None:
    try:
        with engine.connect() as connection:
            version = version_of(connection)
        if version is None:
            raise StoreUnavailable(f"{path}: not {_a(kind.noun)} of newskeep, or a damaged one; {kind.again}")
        if version > kind.version:
            raise StoreUnavailable(
                f"{path}: made by a newer newskeep (schema {version}); update this one, or {kind.again}"
            )
        if version < kind.version and read_only:
            raise StoreUnavailable(
                f"{path}: of an older newskeep (schema {version}), and cannot be written to update it"
            )
        if version < kind.version:
            with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection, connection.begin():
                migrate(connection, kind.version, kind.migrations)
    except KeyError as error:
        raise StoreUnavailable(f"{path}: of a newskeep too old to update (schema {error}); {kind.again}") from None
    except DBAPIError as error:
        raise _explain(path, kind, error) from error


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _problems(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [line for line in connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars() if line != "ok"]


def _explain(path: Path, kind: Kind, error: Exception) -> NewskeepError:
    """Return the error that tells a person what an error of the driver means."""
    bare = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(bare, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreUnavailable(f"{path}: the {kind.noun} is damaged ({bare}); {kind.again}")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreUnavailable(
            f"{path}: another process has kept the {kind.noun} busy for {kind.busy_timeout} s; try again"
        )
    if name.startswith("SQLITE_CONSTRAINT"):
        return Corrupt(f"{path}: two rows claim one place ({bare})")
    if name == "SQLITE_ERROR":
        return StoreUnavailable(f"{path}: the {kind.noun} has not the tables it should ({bare}); {kind.again}")
    return StoreUnavailable(f"{path}: the {kind.noun} cannot be read or written ({bare})")


def _close(engine: Engine, lock: int | None) -> None:
    engine.dispose()
    if lock is not None:
        with suppress(OSError):
            os.close(lock)

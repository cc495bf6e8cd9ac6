"""A database of ours on a PostgreSQL server, which several machines share.

With `postgres_text` it is the only user of psycopg. Its tables have a schema of their own, `newskeep_index` for an
index, and belong to one archive. Every change of them takes one lock of the whole database first, as SQLite's BEGIN
IMMEDIATE does: what a writer has looked at stays so until it is done. Readers wait for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from storage.database import Database, Kind, transaction
from storage.errors import AlreadyRunning, ConfigError, StoreUnavailable
from storage.extras import command_for
from storage.migrations import create, migrate, version_of
from storage.postgres_address import SESSION_SETTINGS, PostgresAddress
from storage.postgres_errors import explain
from storage.postgres_pooler import take_session

# Seconds: to connect; for which a server may say nothing though it was asked.
_CONNECT, _SILENCE = 10, 60
# Seconds that a writer waits for others: each of them takes what SQLite's writers take, but they may be many.
_LOCK_WAIT = 300
# Seconds after which the server gives up a writer that says nothing any more: its machine is gone or cut off, and all
# others wait for it. Between two statements a busy one needs a few.
_WRITER_SILENCE = 30
# The first number of our advisory locks; the second is what is locked: the schema, or the rows.
_LOCKS = 0x6E657773
_SCHEMA, _ROWS, _UPKEEP = 1, 2, 3
# Seconds between two looks for the lock of upkeep: a server lets go of a session a moment after that has ended.
_LETTING_GO = (0.05, 0.1, 0.2, 0.4, 0.8)
#: A session that holds a lock for hours is not ended for its silence.
_LONG_SESSION = "SET idle_session_timeout = 0"

#: How a transaction begins, by what `storage.database.transaction` asks for in SQLite's words. Not of a stricter level,
#: which a server may have as its default: a writer sees what the one before it did while it waited for the lock.
_PLAIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN = {
    "BEGIN": (_PLAIN,),
    "BEGIN IMMEDIATE": (
        _PLAIN,
        f"SET LOCAL lock_timeout = '{_LOCK_WAIT}s'",
        f"SET LOCAL idle_in_transaction_session_timeout = '{_WRITER_SILENCE}s'",
        f"SELECT pg_advisory_xact_lock({_LOCKS}, {_ROWS})",
    ),
}

_OURS = "WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)"
_INVALID = f"SELECT indexrelid::regclass::text FROM pg_index {_OURS} AND NOT indisvalid"
_CHECK_INDEXES = f"""
    SELECT bt_index_check(indexrelid) FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    {_OURS} AND amname = 'btree'
"""

# What others may do with our tables; the schema itself stays, with who may use it, when they are made anew.
_GRANTS = """
    SELECT relname, 'GRANT ' || privilege_type || ' ON ' || quote_ident(relname) || ' TO '
        || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
    FROM pg_class, aclexplode(relacl)
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND grantee <> relowner
"""
_DROPS = """
    SELECT 'DROP TABLE ' || quote_ident(relname) || ' CASCADE' FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    UNION ALL
    SELECT 'DROP FUNCTION ' || oid::regprocedure || ' CASCADE' FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
"""

# The archive that the tables were made for: another one's would find, and remove, what is not its own.
_owner = Table("archive", MetaData(), Column("uri", Text, primary_key=True))


def open_database(address: PostgresAddress, kind: Kind, archive: str, *, create: bool = True) -> Database:
    """Open the tables of `kind` that are those of `archive` (its URI); make empty ones where there are none.

    Read-only where the server or the user's rights say so. An older schema is brought up to date. Raises
    `StoreUnavailable` when the server cannot be reached or has no such database, when there are no tables (and `create`
    is not set), or tables of a newer version or another archive; `StoreDenied` when it refuses the user; `ConfigError`
    where the extra `postgres` is missing, or the address has a parameter that libpq does not take.
    """
    engine = _engine(address, kind)
    try:
        with _explained(address, kind), engine.connect() as connection:
            read_only = _ensure_schema(connection, address, kind, archive, create)
    except BaseException:
        engine.dispose()
        raise
    return Database(
        name=address.shown,
        noun=kind.noun,
        engine=engine,
        connect=lambda: _connect(engine),
        read_only=read_only,
        # Whatever happened to the tables, the next statement tells.
        check=lambda: None,
        problems=lambda: _problems(engine, kind),
        size=lambda: _size(engine),
        explain=lambda error: explain(address.shown, kind, error, _LOCK_WAIT),
        close=engine.dispose,
    )


def discard(address: PostgresAddress, kind: Kind, archive: str) -> None:
    """Empty the tables of `kind`, whatever is in them, in one step for all who use them; none there is no error.

    Raises `StoreUnavailable` as `open_database` does, also for tables of another archive, and for newer ones.
    """
    engine = _engine(address, kind)
    try:
        with _explained(address, kind), engine.connect() as connection, transaction(connection, "BEGIN IMMEDIATE"):
            _lock_schema(connection)
            grants: list[tuple[str, str]] = []
            if _has_schema(connection, kind):
                _check_owner(connection, address, kind, archive)
                _check_version(_version(connection), address, kind)
                grants = [(table, grant) for table, grant in connection.exec_driver_sql(_GRANTS)]
                for statement in connection.exec_driver_sql(_DROPS).scalars().all():
                    connection.exec_driver_sql(statement)
            _make(connection, kind, archive)
            there = set(inspect(connection).get_table_names())
            for table, grant in grants:
                if table in there:
                    connection.exec_driver_sql(grant)
    finally:
        engine.dispose()


@contextmanager
def held(address: PostgresAddress, kind: Kind, work: str) -> Iterator[Callable[[], None]]:
    """Hold the lock of upkeep of a database while the block runs, for all machines that share it.

    Where it is taken, raises `AlreadyRunning`, naming the `work`. A server that restarts lets go of it: what is yielded
    is called before each step, and takes it again; it raises `AlreadyRunning` where another machine was faster,
    `StoreUnavailable` while the server is away.
    """
    engine = _engine(address, kind)
    with ExitStack() as ending:
        ending.callback(engine.dispose)
        lock = _UpkeepLock(engine, address, kind, work)
        # The session ends with the block, whether the server still answers or not, and the lock with it.
        ending.callback(lock.let_go)
        lock.take()
        yield lock.mind


class _UpkeepLock:
    """The lock, held by a session of its own."""

    def __init__(self, engine: Engine, address: PostgresAddress, kind: Kind, work: str) -> None:
        self._engine = engine
        self._address = address
        self._kind = kind
        self._work = work
        self._session: Connection | None = None

    def take(self) -> None:
        with _explained(self._address, self._kind):
            self._session = session = _connect(self._engine)
            session.exec_driver_sql(_LONG_SESSION)
            for pause in (*_LETTING_GO, None):
                if session.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCKS}, {_UPKEEP})").scalar_one():
                    return
                if pause is not None:
                    time.sleep(pause)
        # A session that lives is taken for one that has the lock.
        self.let_go()
        where = f"on another machine ({self._address.shown})"
        raise AlreadyRunning(f"{self._work} of this archive is already running {where}")

    def mind(self) -> None:
        """See that it is still ours, and take it again where it is nobody's."""
        try:
            if self._session is not None:
                self._session.exec_driver_sql("SELECT 1")
                return
        except DBAPIError:
            self.let_go()
        self.take()

    def let_go(self) -> None:
        if self._session is not None:
            self._session.invalidate()
            self._session = None


def schema_version(address: PostgresAddress, kind: Kind) -> tuple[str, int | None]:
    """Return what the server is, and the version of our tables on it, `None` where there are none.

    Nothing is made and nothing brought up to date. Raises as `open_database`.
    """
    engine = _engine(address, kind)
    try:
        with _explained(address, kind), engine.connect() as connection:
            server = str(connection.exec_driver_sql("SHOW server_version").scalar_one())
            return f"PostgreSQL {server.split(' ', maxsplit=1)[0]}", _version(connection)
    finally:
        engine.dispose()


def copy_rows(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows by COPY, several times as fast as INSERT; inside the caller's transaction."""
    names = [column.name for column in table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    bare = connection.connection.cursor()
    with bare, bare.copy(f"COPY {table.name} ({columns}) FROM STDIN") as into:  # type: ignore[attr-defined]
        for row in rows:
            into.write_row([row.get(name) for name in names])


def _engine(address: PostgresAddress, kind: Kind) -> Engine:
    try:
        import psycopg

        from storage.postgres_text import Characters
    except ImportError:
        raise ConfigError(f"{address.shown}: PostgreSQL needs psycopg: {command_for('postgres')}") from None

    def connect() -> Any:
        # Transactions are ours to begin; a look-up by itself needs none, and so no three questions in place of one.
        return psycopg.connect(
            address.uri,
            autocommit=True,
            connect_timeout=_CONNECT,
            fallback_application_name="newskeep",
            # Whatever the user's own settings are.
            client_encoding="UTF8",
            # A server that is cut off must not be waited for without an end.
            keepalives_idle=_SILENCE // 2,
            keepalives_interval=_SILENCE // 6,
            keepalives_count=3,
            tcp_user_timeout=_SILENCE * 1_000,
        )

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: ConnectionPoolEntry) -> None:
        connection.adapters.register_dumper(str, Characters)
        take_session(connection, address.shown)
        for setting in (
            f"search_path = {_schema(kind)}",
            # What an archive of some years needs to intersect lists of words without a second look at each page.
            "work_mem = '64MB'",
            "jit = off",
            "client_min_messages = warning",
            *SESSION_SETTINGS,
        ):
            connection.execute(f"SET {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        for statement in _BEGIN.get(connection.get_execution_options().get("begin", ""), ()):
            connection.exec_driver_sql(statement)

    return engine


def _connect(engine: Engine) -> Connection:
    """Return a connection that answers: what waited in the pool may be of before the server's restart."""
    connection = engine.connect()
    try:
        connection.exec_driver_sql("SELECT 1")
    except DBAPIError as error:
        connection.close()
        if not error.connection_invalidated:
            raise
        # The pool has been emptied.
        return engine.connect()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _explained(address: PostgresAddress, kind: Kind) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise explain(address.shown, kind, error, _LOCK_WAIT) from error


def _ensure_schema(
    connection: Connection, address: PostgresAddress, kind: Kind, archive: str, create_tables: bool
) -> bool:
    """Bring the tables to our version; return whether they can be read only."""
    _check_encoding(connection, address)
    if not _has_schema(connection, kind):
        if not create_tables:
            raise StoreUnavailable(f"{address.shown}: there is no {kind.noun}; {kind.make}")
        with transaction(connection, "BEGIN"):
            _lock_schema(connection)
            # Another process may have been faster.
            if not _has_schema(connection, kind):
                _make(connection, kind, archive)
    _check_owner(connection, address, kind, archive)
    version = _version(connection)
    _check_version(version, address, kind)
    read_only = _is_read_only(connection)
    if version != kind.version:
        if read_only:
            raise StoreUnavailable(
                f"{address.shown}: of an older newskeep (schema {version}), and cannot be written to update it"
            )
        try:
            with transaction(connection, "BEGIN IMMEDIATE"):
                _lock_schema(connection)
                migrate(connection, kind.version, kind.migrations)
        except KeyError as error:
            raise StoreUnavailable(
                f"{address.shown}: of a newskeep too old to update (schema {error}); {kind.again} --fresh"
            ) from None
    connection.rollback()
    return read_only


def _schema(kind: Kind) -> str:
    return f"newskeep_{kind.noun}"


def _has_schema(connection: Connection, kind: Kind) -> bool:
    """Whether our tables are there; they are made whole or not at all.

    Asked of the catalogue's rows, as names are remembered: what another has just made would not be seen.
    """
    ours = f"relname = 'about' AND nspname = '{_schema(kind)}'"
    asked = f"SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE {ours}"
    return bool(connection.exec_driver_sql(asked).scalar_one())


def _version(connection: Connection) -> int | None:
    return version_of(connection)


def _lock_schema(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCKS}, {_SCHEMA})")


def _make(connection: Connection, kind: Kind, archive: str) -> None:
    # IF NOT EXISTS asks for the right to make one all the same.
    if not inspect(connection).has_schema(_schema(kind)):
        connection.exec_driver_sql(f"CREATE SCHEMA {_schema(kind)}")
    for table in kind.metadata.tables.values():
        for index in table.indexes:
            # Named here, and not where the tables are: the name of PostgreSQL's option alone loads its dialect.
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    create(connection, kind.metadata, kind.version)
    _owner.create(connection)
    connection.execute(insert(_owner).values(uri=archive))


def _check_encoding(connection: Connection, address: PostgresAddress) -> None:
    """Raise `StoreUnavailable` for a database that cannot keep every text."""
    bare: Any = connection.connection.dbapi_connection
    if (encoding := bare.info.parameter_status("server_encoding")) != "UTF8":
        cure = "make one with `createdb --encoding=UTF8 --template=template0`"
        raise StoreUnavailable(f"{address.shown}: the database keeps texts in {encoding} and not in UTF8; {cure}")


def _check_owner(connection: Connection, address: PostgresAddress, kind: Kind, archive: str) -> None:
    owner = connection.scalar(select(_owner.c.uri))
    if owner != archive:
        raise StoreUnavailable(
            f"{address.shown}: the {kind.noun} of the archive {owner}; {archive} needs a database of its own"
        )


def _check_version(version: int | None, address: PostgresAddress, kind: Kind) -> None:
    if version is None:
        raise StoreUnavailable(f"{address.shown}: the {kind.noun} is damaged: it has no version; drop its schema")
    if version > kind.version:
        raise StoreUnavailable(f"{address.shown}: made by a newer newskeep (schema {version}); update this one")


def _is_read_only(connection: Connection) -> bool:
    asked = "SELECT current_setting('transaction_read_only')::bool OR NOT has_table_privilege('about', 'UPDATE')"
    return bool(connection.exec_driver_sql(asked).scalar_one())


def _size(engine: Engine) -> int:
    asked = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND relnamespace = "
    with _connect(engine) as connection:
        return int(connection.exec_driver_sql(f"{asked} current_schema()::regnamespace").scalar_one())


def _problems(engine: Engine, kind: Kind) -> list[str]:
    """Have the server read all rows, which checks its pages; and the indexes, where the database has `amcheck`."""
    looks = [f"SELECT count(hashtext(held::text)) FROM {table.name} AS held" for table in kind.metadata.sorted_tables]
    with _connect(engine) as connection:
        invalid = connection.exec_driver_sql(_INVALID).scalars()
        found = [f"the index {name} is not whole: REINDEX INDEX {_schema(kind)}.{name}" for name in invalid]
        if connection.exec_driver_sql("SELECT to_regproc('bt_index_check') IS NOT NULL").scalar_one():
            looks.append(_CHECK_INDEXES)
        for look in looks:
            try:
                connection.exec_driver_sql(look).all()
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                found.append(" ".join(str(error.orig).split()))
    return found

"""The PostgreSQL that the jobs are in: reached through Procrastinate's connector, its errors as ours.

Procrastinate and psycopg are used in this room alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, LiteralString, Self

from newskeep.queue import schema
from storage.errors import NewskeepError, StoreDenied, StoreUnavailable, UsageError
from storage.extras import command_for
from storage.postgres_address import SESSION_SETTINGS, PostgresAddress
from storage.postgres_errors import mistaken

try:
    import psycopg
    from procrastinate import App, SyncPsycopgConnector, exceptions
    from psycopg_pool import PoolTimeout
except ImportError:
    raise UsageError(f"jobs need packages that are not installed: {command_for('distributed')}") from None

Row = dict[str, Any]
#: PostgreSQL's code for what the user has no right to.
_NOT_ALLOWED = "42501"

#: Seconds until a server that says nothing counts as away. What is asked here is little and indexed.
PATIENCE = 10.0
#: So that a connection whose other end is gone is found out, and not waited for: libpq's words, in seconds; the last in
#: milliseconds.
_CONNECTION = {
    "connect_timeout": int(PATIENCE),
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": int(PATIENCE * 1000),
    "application_name": "newskeep",
}


#: The first statement of a session.
CONFIGURE: LiteralString = "; ".join(f"SET {setting}" for setting in SESSION_SETTINGS)


def pool_options(address: PostgresAddress, most: int = 4) -> dict[str, Any]:
    """What both of Procrastinate's connectors are made with, beside what has a session `CONFIGURE` itself."""
    return {"conninfo": address.uri, "kwargs": _CONNECTION, "min_size": 1, "max_size": most, "timeout": PATIENCE}


class QueueDatabase:
    """Short transactions from any thread. Every method may raise `StoreUnavailable`."""

    def __init__(self, address: PostgresAddress) -> None:
        """Connect, and make the tables where they are absent."""
        self.address = address
        # A pool that cannot connect tries for ever, and does not say why: one connection tells.
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
        with self.errors(), psycopg.connect(address.uri, autocommit=True, **_CONNECTION) as connection:  # type: ignore[arg-type]
            _configure(connection)
            schema.make(connection)
        self.app = App(connector=SyncPsycopgConnector(**pool_options(address), configure=_configure))
        with self.errors():
            self.app.open()
        self._connector = self.app.connector.get_sync_connector()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with suppress(exceptions.ProcrastinateException):
            self.app.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Have what goes wrong with the server raised as `StoreUnavailable`; what is there already stays what it is."""
        try:
            yield
        except exceptions.UniqueViolation:
            # Not the server's fault: what is to be there once is there.
            raise
        except (exceptions.ConnectorException, psycopg.Error, PoolTimeout) as error:
            raise unavailable(self.address, error) from error

    def all(self, query: LiteralString, **values: Any) -> list[Row]:
        with self.errors():
            return list(self._connector.execute_query_all(query, **values))

    def one(self, query: LiteralString, **values: Any) -> Row | None:
        return next(iter(self.all(query, **values)), None)

    def run(self, query: LiteralString, **values: Any) -> None:
        with self.errors():
            self._connector.execute_query(query, **values)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """One transaction of psycopg's own, for COPY and for reading many rows."""
        assert isinstance(self.app.connector, SyncPsycopgConnector)
        with self.errors(), self.app.connector.pool.connection() as connection:
            yield connection


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.execute(CONFIGURE)
    # A pool takes none that is in a transaction.
    connection.commit()


def has_queue(address: PostgresAddress) -> bool:
    """Whether our tables are there; none are made. Raises `StoreUnavailable`."""
    try:
        with psycopg.connect(address.uri, autocommit=True, **_CONNECTION) as connection:  # type: ignore[arg-type]
            return schema.is_there(connection)
    except psycopg.Error as error:
        raise unavailable(address, error) from error


def unavailable(address: PostgresAddress, error: BaseException) -> NewskeepError:
    """What is told of a server that cannot be reached or refuses us, or of an address that no server can be reached by.

    libpq's own words, which name no password.
    """
    cause: BaseException = error
    while not isinstance(cause, psycopg.Error) and cause.__cause__ is not None:
        cause = cause.__cause__
    said = str(cause).strip().splitlines()
    # libpq tells in the first line what happened, and begins with where, which is said already.
    code = getattr(cause, "sqlstate", None)
    if code is None and said and (mistake := mistaken(f"the queue {address.shown}", said[0])):
        return mistake
    why = said[0].rpartition(" failed: ")[2].removeprefix("FATAL:").strip() if said else type(cause).__name__
    if code == _NOT_ALLOWED:
        return StoreDenied(f"the queue {address.shown}: its user may not do this ({why}); grant it the right")
    return StoreUnavailable(f"the queue {address.shown} is out of reach: {why}")

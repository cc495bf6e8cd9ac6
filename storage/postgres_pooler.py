"""Connection poolers before a PostgreSQL server: which of them we cannot live with.

Between two transactions we rely on our session: on temporary tables, settings and the lock of upkeep. A pooler that
gives each transaction another session (PgBouncer: `pool_mode = transaction`) breaks this without a word.
"""

from __future__ import annotations

from typing import Any

from storage.errors import StoreUnavailable

_LOOK = "SELECT pg_backend_pid(), current_setting('newskeep.taken', true)"
_TAKE = "SET newskeep.taken = 'yes'"


def take_session(connection: Any, shown: str) -> None:
    """Mark the session behind a new connection of psycopg, where a pooler gave it; `shown` names the database.

    Raises `StoreUnavailable` where it has the mark already: a pooler that gives a client a session of its own cleans it
    before. So nothing has to wait for a second session, which a pooler may not have; the first client is let in.
    """
    process, taken = connection.execute(_LOOK).fetchone()
    # The server tells its own process, a pooler a number of its own.
    if process == connection.info.backend_pid:
        return
    if taken:
        cure = "set its pool_mode = session, or name the server itself"
        raise StoreUnavailable(f"{shown}: a connection pooler gives each transaction another session; {cure}")
    connection.execute(_TAKE)

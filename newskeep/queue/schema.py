"""The tables of the queue: Procrastinate's, and beside them ours, whose names begin with newskeep_.

newskeep_workers   who works: a row for each of procrastinate_workers that is ours
newskeep_attempts  how each attempt at a job went
newskeep_hosts     which attempt may ask a host, and from when on the next one may
newskeep_lists     lists of URLs that were submitted
newskeep_listed    their URLs, cut into batches, with what became of each
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, LiteralString

from storage.errors import StoreUnavailable

if TYPE_CHECKING:
    from psycopg import Connection

#: Raise by one with every change of the tables, and add what makes the version before it this one.
VERSION = 2
#: Of pg_advisory_lock: two that come at once must not both make the tables. Any number that nobody else takes.
_LOCK = 0x6E6B_7175

_TABLES: LiteralString = """
CREATE TABLE newskeep_queue (version integer NOT NULL, procrastinate text NOT NULL);

CREATE TABLE newskeep_workers (
    worker bigint PRIMARY KEY REFERENCES procrastinate_workers (id) ON DELETE CASCADE,
    name text NOT NULL,
    queue text NOT NULL,
    pid integer NOT NULL,
    program text NOT NULL,
    at_once integer NOT NULL,
    started timestamptz NOT NULL DEFAULT now(),
    draining boolean NOT NULL DEFAULT false,
    -- Seconds after its last heartbeat from which on it counts as gone.
    lease double precision NOT NULL,
    machine text,
    -- Why it takes no jobs for now, though it is well otherwise.
    paused text
);

CREATE TABLE newskeep_attempts (
    job bigint NOT NULL REFERENCES procrastinate_jobs (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    worker text NOT NULL,
    started timestamptz NOT NULL DEFAULT now(),
    ended timestamptz,
    -- finished, stopped, failed, blocked, unable, away, elsewhere, lost ...; nothing while it runs.
    state text,
    reason text,
    crawl text,
    counts jsonb NOT NULL DEFAULT '{}',
    machine text,
    pid integer,
    -- Whether it counts among the tries of the job; none does that was made before somebody asked for it again.
    counted boolean NOT NULL DEFAULT true,
    PRIMARY KEY (job, attempt)
);

CREATE TABLE newskeep_hosts (
    host text PRIMARY KEY,
    -- The attempt that may ask it, as "job/attempt", and until when, if it does not say so again.
    holder text,
    until timestamptz,
    -- Seconds from the end of one request to the next that the holder keeps to.
    pause double precision NOT NULL DEFAULT 0,
    -- When somebody else asked to have it.
    wanted timestamptz,
    -- No request begins before.
    next_at timestamptz,
    -- What it asked for by 429 or 503.
    wait_until timestamptz,
    reason text
);
CREATE INDEX newskeep_hosts_by_holder ON newskeep_hosts (holder) WHERE holder IS NOT NULL;

CREATE TABLE newskeep_lists (
    list bigserial PRIMARY KEY,
    queue text NOT NULL,
    name text NOT NULL,
    submitted timestamptz NOT NULL DEFAULT now(),
    options jsonb NOT NULL DEFAULT '{}',
    -- URLs, batches; none while it is still being read.
    urls integer,
    batches integer
);

CREATE TABLE newskeep_listed (
    list bigint NOT NULL REFERENCES newskeep_lists (list) ON DELETE CASCADE,
    position integer NOT NULL,
    -- As given; the host that it is cut by is empty where it cannot be fetched.
    given text NOT NULL,
    host text NOT NULL,
    batch integer,
    outcome jsonb,
    PRIMARY KEY (list, position)
);
CREATE INDEX newskeep_listed_by_batch ON newskeep_listed (list, batch, position);
"""

#: What makes tables of the version before into those of this one.
_CHANGES: Mapping[int, LiteralString] = {
    2: """
ALTER TABLE newskeep_workers ADD COLUMN machine text, ADD COLUMN paused text;
ALTER TABLE newskeep_attempts
    ADD COLUMN machine text, ADD COLUMN pid integer, ADD COLUMN counted boolean NOT NULL DEFAULT true;
""",
}


def make(connection: Connection[Any]) -> None:
    """Make the tables where they are absent, and older ones what they are now.

    The connection is in autocommit, and closed by the caller. Raises `StoreUnavailable` for those of a newer program.
    """
    if (_version(connection) or 0) < VERSION:
        # In a statement of its own: what others made meanwhile is seen by a transaction that begins after it. It is
        # given back with the connection.
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        with connection.transaction():
            found = _version(connection)
            if found is None:
                _make(connection)
            else:
                _change(connection, found)
    version = _version(connection)
    if version is not None and version > VERSION:
        raise StoreUnavailable(f"the queue was made by a newer newskeep (version {version}, ours is {VERSION})")


def is_there(connection: Connection[Any]) -> bool:
    """Whether our tables are there."""
    return not _missing(connection, "newskeep_queue")


def _make(connection: Connection[Any]) -> None:
    from importlib.metadata import version

    from procrastinate.schema import SchemaManager

    # Another program of the user's may have Procrastinate's tables there already.
    if _missing(connection, "procrastinate_jobs"):
        # Not with parameters: several statements.
        connection.execute(SchemaManager.get_schema())
    connection.execute(_TABLES)
    connection.execute("INSERT INTO newskeep_queue VALUES (%s, %s)", (VERSION, version("procrastinate")))


def _change(connection: Connection[Any], found: int) -> None:
    for version in range(found + 1, VERSION + 1):
        connection.execute(_CHANGES[version])
        connection.execute("UPDATE newskeep_queue SET version = %s", (version,))


def _version(connection: Connection[Any]) -> int | None:
    if _missing(connection, "newskeep_queue"):
        return None
    row = connection.execute("SELECT version FROM newskeep_queue").fetchone()
    return None if row is None else int(row[0])


def _missing(connection: Connection[Any], table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    return row is None or row[0] is None

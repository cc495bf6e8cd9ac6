"""Tables of the frontier and their version.

They are in a file of SQLite's, or, where machines share an index, on its PostgreSQL server.

One row an address is most of it, and there may be millions: addresses are found by a hash of their URL, what many of
them have in common (where a URL begins, which source named it) stands once in `names`, and each index holds only the
rows that it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

from crawler.discovery import dates_in_address
from crawler.frontier.dialects import DATED, Dated, DateOrText, NewestFirst
from storage.database import Kind
from storage.index.rows import seconds
from storage.migrations import Migration, about_table

#: Raise by one with every change of the tables, and add the step to MIGRATIONS.
VERSION = 3

#: Numbers that stand in rows: never change one, only add.
ROLES = ("feed", "sitemap", "page", "article")
STATES = ("waiting", "held", "gone", "refused", "failed", "alias")
#: What `queue` says of an address that is to be asked for: a source; an article never asked for; an article again.
SOURCE, NEW, AGAIN = 0, 1, 2


def queue_of(role: str, state: str, due: object) -> int | None:
    """Return the queue of an address: it follows from these three, and is written with them."""
    if due is None:
        return None
    if role != "article":
        return SOURCE
    return NEW if state == "waiting" else AGAIN


metadata = MetaData()
about = about_table(metadata)

# Only INTEGER is a row id in SQLite.
_Id = BigInteger().with_variant(Integer(), "sqlite")
# Compared by its bytes; PostgreSQL would otherwise sort by language.
_Name = Text().with_variant(Text(collation="C"), "postgresql")

# Times are seconds since 1970 throughout.
sites = Table(
    "sites",
    metadata,
    # Never given twice: a process that still writes about a forgotten site writes about no other one.
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("started", BigInteger),
    Column("finished", BigInteger),
    Column("due", BigInteger),
    Column("blocked_until", BigInteger),
    Column("blocked_reason", Text),
    Column("blocks", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("sites_by_due", sites.c.due)

# What rows of a site share: "https://www.example.com" and the addresses of sources.
names = Table(
    "names",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("site", BigInteger, nullable=False),
    Column("name", _Name, nullable=False),
    UniqueConstraint("site", "name").ddl_if(dialect="sqlite"),
    sqlite_autoincrement=True,
)
# A source's address may be longer than a row of a B-tree takes in PostgreSQL, 2,704 bytes. Writers take turns, so that
# none enters a name twice.
_NAMES_BY_HASH = "CREATE INDEX names_by_name ON names USING hash (name)"


@event.listens_for(names, "after_create")
def _index_names(_: Table, connection: Connection, **__: Any) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_NAMES_BY_HASH)


addresses = Table(
    "addresses",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("site", BigInteger, nullable=False),
    # 64 bits of a hash of the URL: a site of a million addresses has two alike once in forty million such sites.
    Column("key", BigInteger, nullable=False),
    # The URL: an entry of names, and what follows it.
    Column("origin", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    # Places in ROLES and STATES.
    Column("role", BigInteger, nullable=False),
    Column("state", BigInteger, nullable=False),
    Column("reason", Text),
    # An entry of names.
    Column("source", BigInteger),
    Column("announced", BigInteger, nullable=False),
    Column("published", BigInteger),
    Column("fetched", BigInteger),
    Column("changed", BigInteger),
    # First time that it was held.
    Column("captured", BigInteger),
    Column("due", BigInteger),
    # Seconds.
    Column("interval", BigInteger),
    Column("status", BigInteger),
    Column("failures", BigInteger, nullable=False, server_default="0"),
    Column("etag", Text),
    # Seconds where it is a date as HTTP writes it, else the text behind a "=".
    Column("last_modified", DateOrText),
    # Packed, see storage/index/rows.py.
    Column("digest", LargeBinary),
    Column("alias_of", Text),
    # SOURCE, NEW or AGAIN; none where nothing is due. Not computed by SQLite: it would not read it from an index alone.
    Column("queue", BigInteger),
    # Where nothing says when it was published: the day or the month's beginning that its address names, and when it had
    # last changed when a source first told so.
    Column("named", BigInteger),
    Column("modified", BigInteger),
    # The best that is known of its publication, for the order. A date in the future is a mistake of the source's.
    Column("dated", BigInteger, Dated()),
)
Index("addresses_by_url", addresses.c.site, addresses.c.key, unique=True)
Index(
    "addresses_by_due",
    addresses.c.site,
    addresses.c.queue,
    addresses.c.due,
    addresses.c.interval,
    sqlite_where=text("due IS NOT NULL"),
)
Index("addresses_new", addresses.c.site, NewestFirst(addresses.c.dated), sqlite_where=text("queue = 1"))
Index("addresses_by_time", addresses.c.site, addresses.c.announced, sqlite_where=text("role = 3"))

hosts = Table(
    "hosts",
    metadata,
    Column("host", _Name, primary_key=True),
    Column("wait_until", BigInteger),
    Column("reason", Text),
    sqlite_with_rowid=False,
)

# Of what sites allow a copy each, which holds for hours.
robots = Table(
    "robots",
    metadata,
    Column("origin", _Name, primary_key=True),
    Column("until", BigInteger, nullable=False),
    # As zlib has it.
    Column("content", LargeBinary, nullable=False),
)
Index("robots_by_until", robots.c.until)

runs = Table(
    "runs",
    metadata,
    Column("site", BigInteger, primary_key=True, autoincrement=False),
    Column("crawl", _Name, primary_key=True),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger),
    Column("state", Text),
    # JSON.
    Column("counts", Text, nullable=False),
    Column("hosts", Text, nullable=False),
    Column("problems", Text, nullable=False),
    sqlite_with_rowid=False,
)


def named_day(url: str, at: int) -> int | None:
    """The beginning of the day or month that an address names, seconds; `at` is the time at which it is looked at."""
    spans = dates_in_address(url, datetime.fromtimestamp(at, UTC))
    return seconds(spans[0].start) if spans else None


def _date_by_address(connection: Connection) -> None:
    """Version 2: the date in the address, and a sitemap's date of change, which counted as that of publication."""
    connection.exec_driver_sql("DROP INDEX addresses_new")
    connection.exec_driver_sql("ALTER TABLE addresses DROP COLUMN fresh")
    for column in ("named INTEGER", "modified INTEGER", f"dated INTEGER GENERATED ALWAYS AS ({DATED}) VIRTUAL"):
        connection.exec_driver_sql(f"ALTER TABLE addresses ADD COLUMN {column}")
    connection.exec_driver_sql("CREATE INDEX addresses_new ON addresses (site, dated DESC) WHERE queue = 1")
    waiting = (
        "SELECT addresses.id, name || path, announced FROM addresses JOIN names ON names.id = origin WHERE queue = 1"
    )
    for number, url, announced in connection.exec_driver_sql(waiting).all():
        if (day := named_day(url, announced)) is not None:
            connection.exec_driver_sql("UPDATE addresses SET named = ? WHERE id = ?", (day, number))


def _index_names_by_hash(connection: Connection) -> None:
    """Version 3: on a server, the address of a source may have any length."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE names DROP CONSTRAINT names_site_name_key")
        connection.exec_driver_sql(_NAMES_BY_HASH)


#: Version -> what makes it the next one. A version that is missing here can only be moved away. No server has had one
#: before 2.
MIGRATIONS: Mapping[int, Migration] = {1: _date_by_address, 2: _index_names_by_hash}

KIND = Kind(
    noun="frontier",
    make="the first crawl makes it",
    again="move it away: newskeep learns from the index which articles are held, and only their rhythm is lost",
    metadata=metadata,
    version=VERSION,
    migrations=MIGRATIONS,
    # A power failure may cost what the last seconds told; asking again for it is all that follows.
    durable=False,
)

"""Tables of the frontier and their version.

One row an address is most of it, and there may be millions: addresses are found by a hash of their URL, what many of
them have in common (where a URL begins, which source named it) stands once in `names`, and each index holds only the
rows that it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Computed,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from crawler.discovery import dates_in_address
from storage.database import Kind
from storage.index.rows import seconds
from storage.migrations import Migration, about_table

#: Raise by one with every change of the tables, and add the step to MIGRATIONS.
VERSION = 2

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


# SQLite's min() of nothing and something is nothing.
_DATED = "min(coalesce(published, named, modified), announced)"

metadata = MetaData()
about = about_table(metadata)

# Times are seconds since 1970 throughout.
sites = Table(
    "sites",
    metadata,
    # Never given twice: a process that still writes about a forgotten site writes about no other one.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("started", Integer),
    Column("finished", Integer),
    Column("due", Integer),
    Column("blocked_until", Integer),
    Column("blocked_reason", Text),
    Column("blocks", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("sites_by_due", sites.c.due)

# What rows of a site share: "https://www.example.com" and the addresses of sources.
names = Table(
    "names",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", Integer, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("site", "name"),
    sqlite_autoincrement=True,
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", Integer, nullable=False),
    # 64 bits of a hash of the URL: a site of a million addresses has two alike once in forty million such sites.
    Column("key", Integer, nullable=False),
    # The URL: an entry of names, and what follows it.
    Column("origin", Integer, nullable=False),
    Column("path", Text, nullable=False),
    # Places in ROLES and STATES.
    Column("role", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("reason", Text),
    # An entry of names.
    Column("source", Integer),
    Column("announced", Integer, nullable=False),
    Column("published", Integer),
    Column("fetched", Integer),
    Column("changed", Integer),
    # First time that it was held.
    Column("captured", Integer),
    Column("due", Integer),
    # Seconds.
    Column("interval", Integer),
    Column("status", Integer),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("etag", Text),
    # Seconds where it is a date as HTTP writes it, else the text behind a "=".
    Column("last_modified", Integer),
    # Packed, see storage/index/rows.py.
    Column("digest", LargeBinary),
    Column("alias_of", Text),
    # SOURCE, NEW or AGAIN; none where nothing is due. Not computed by SQLite: it would not read it from an index alone.
    Column("queue", Integer),
    # Where nothing says when it was published: the day or the month's beginning that its address names, and when it had
    # last changed when a source first told so.
    Column("named", Integer),
    Column("modified", Integer),
    # The best that is known of its publication, for the order. A date in the future is a mistake of the source's.
    Column("dated", Integer, Computed(_DATED, persisted=False)),
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
Index("addresses_new", addresses.c.site, addresses.c.dated.desc(), sqlite_where=text("queue = 1"))
Index("addresses_by_time", addresses.c.site, addresses.c.announced, sqlite_where=text("role = 3"))

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("wait_until", Integer),
    Column("reason", Text),
    sqlite_with_rowid=False,
)

# Of what sites allow a copy each, which holds for hours.
robots = Table(
    "robots",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("until", Integer, nullable=False),
    # As zlib has it.
    Column("content", LargeBinary, nullable=False),
)
Index("robots_by_until", robots.c.until)

runs = Table(
    "runs",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("crawl", Text, primary_key=True),
    Column("started", Integer, nullable=False),
    Column("finished", Integer),
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
    for column in ("named INTEGER", "modified INTEGER", f"dated INTEGER GENERATED ALWAYS AS ({_DATED}) VIRTUAL"):
        connection.exec_driver_sql(f"ALTER TABLE addresses ADD COLUMN {column}")
    connection.exec_driver_sql("CREATE INDEX addresses_new ON addresses (site, dated DESC) WHERE queue = 1")
    waiting = (
        "SELECT addresses.id, name || path, announced FROM addresses JOIN names ON names.id = origin WHERE queue = 1"
    )
    for number, url, announced in connection.exec_driver_sql(waiting).all():
        if (day := named_day(url, announced)) is not None:
            connection.exec_driver_sql("UPDATE addresses SET named = ? WHERE id = ?", (day, number))


#: Version -> what makes it the next one. A version that is missing here can only be moved away.
MIGRATIONS: Mapping[int, Migration] = {1: _date_by_address}

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

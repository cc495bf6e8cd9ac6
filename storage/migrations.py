"""Databases that know the version of their tables, and the way from older versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    column,
    insert,
    inspect,
    select,
    table,
    update,
)

Migration = Callable[[Connection], None]

_about = table("about", column("name", Text), column("value", Integer))


def about_table(metadata: MetaData) -> Table:
    """Return the table that holds the version; each database has one."""
    return Table("about", metadata, Column("name", Text, primary_key=True), Column("value", Integer, nullable=False))


def create(connection: Connection, metadata: MetaData, version: int) -> None:
    """Make the tables of an empty database; `metadata` has an `about_table` among them."""
    metadata.create_all(connection)
    connection.execute(insert(_about).values(name="schema", value=version))


def version_of(connection: Connection) -> int | None:
    """Return the schema version of a database, `None` where it is none of ours."""
    if not inspect(connection).has_table(_about.name):
        return None
    found = connection.scalar(select(_about.c.value).where(_about.c.name == "schema"))
    return None if found is None else int(found)


def migrate(connection: Connection, version: int, migrations: Mapping[int, Migration]) -> None:
    """Bring an older schema up to `version`, inside the caller's write transaction.

    `migrations`: version -> what makes it the next one. Raises KeyError with the version that none leads on from.
    """
    found = version_of(connection) or 0
    while found < version:
        migrations[found](connection)
        found += 1
        connection.execute(update(_about).where(_about.c.name == "schema").values(value=found))

"""What SQLite and PostgreSQL say differently of the frontier's tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Computed, Dialect, Integer, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

#: The best that is known of an article's publication, in SQLite's words, whose min() of nothing and something is
#: nothing.
DATED = "min(coalesce(published, named, modified), announced)"
_DATED_POSTGRESQL = (
    "CASE WHEN coalesce(published, named, modified) < announced"
    " THEN coalesce(published, named, modified)"
    " WHEN coalesce(published, named, modified) IS NOT NULL THEN announced END"
)


class Dated(Computed):
    """What `dated` is computed by: when it is read in SQLite, when it is written in PostgreSQL, for its index."""

    def __init__(self) -> None:
        super().__init__(DATED, persisted=False)


class NewestFirst(ColumnElement[int]):
    """A column's order, the largest first and what is missing last, as SQLite has it by itself."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


class DateOrText(TypeDecorator[int | str]):
    """Seconds, or a text that begins with "=". In PostgreSQL, whose columns have one type, both are text."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: int | str | None, dialect: Dialect) -> int | str | None:
        return str(value) if dialect.name == "postgresql" and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> int | str | None:
        is_date = dialect.name == "postgresql" and value is not None and not value.startswith("=")
        return int(value) if is_date else value


def upsert(table: Table, dialect: str) -> Any:
    """An INSERT of a table that may say ON CONFLICT, in the words of a dialect."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)


@compiles(Dated, "postgresql")
def _dated_postgresql(element: Dated, compiler: Any, **options: Any) -> str:  # noqa: ARG001
    return f"GENERATED ALWAYS AS ({_DATED_POSTGRESQL}) STORED"


@compiles(NewestFirst)
def _newest_first(element: NewestFirst, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.column, **options)} DESC"


@compiles(NewestFirst, "postgresql")
def _newest_first_postgresql(element: NewestFirst, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.column, **options)} DESC NULLS LAST"

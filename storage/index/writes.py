"""The transactions that change the index."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, insert, literal, select, update
from sqlalchemy.schema import CreateTable, DropTable

from storage.errors import Corrupt
from storage.index import ArticleEntry, WarcEntry
from storage.index.rows import article_row, capture_row
from storage.index.schema import articles, captures, staged_articles, staged_captures, warcs
from storage.model import Capture

_Row = TypeVar("_Row", Capture, ArticleEntry)

# Rows packed and handed to the driver at a time; keeps memory flat.
_BATCH = 1_000
# Names looked up at a time; every database takes that many parameters.
_NAMES = 500


@contextmanager
def _transaction(connection: Connection, begin: str) -> Iterator[None]:
    # End what reading began; it held no lock.
    connection.rollback()
    connection.execution_options(begin=begin)
    with connection.begin():
        yield


def replace(
    connection: Connection,
    old: Collection[str],
    warc: WarcEntry,
    rows: Iterable[Capture],
    entries: Iterable[ArticleEntry],
) -> bool:
    """See `Index.replace`."""
    afresh = warc.filename in old
    if not afresh and _is_known(connection, warc):
        remove(connection, old)
        return False
    # Packing takes longest and the rows may come over a network: nobody waits for that.
    with _transaction(connection, "BEGIN"):
        _stage(connection, staged_captures, (capture_row(row) for row in _of(warc, rows)))
        _stage(connection, staged_articles, (article_row(entry, warc.parts) for entry in _of(warc, entries)))
    with _transaction(connection, "BEGIN IMMEDIATE"):
        # Another process may have been faster.
        new = afresh or not _is_known(connection, warc)
        _delete(connection, old)
        if new:
            _enter(connection, warc)
        for table in (staged_captures, staged_articles):
            connection.execute(DropTable(table))
    return new


def remove(connection: Connection, filenames: Collection[str]) -> bool:
    """Remove WARCs with their rows; True if any of them was there."""
    if not filenames:
        return False
    with _transaction(connection, "BEGIN IMMEDIATE"):
        return _delete(connection, filenames)


def _is_known(connection: Connection, warc: WarcEntry) -> bool:
    sha256 = connection.scalar(select(warcs.c.sha256).where(warcs.c.filename == warc.filename))
    if sha256 and warc.sha256 and sha256 != warc.sha256:
        raise Corrupt(f"{warc.filename}: the index knows another file of this name (SHA-256 {sha256})")
    return sha256 is not None


def _of(warc: WarcEntry, rows: Iterable[_Row]) -> Iterator[_Row]:
    for row in rows:
        if row.filename != warc.filename:
            raise ValueError(f"{row.filename} in the rows of {warc.filename}")
        yield row


def _stage(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    # Left over if the last attempt on this connection failed.
    connection.execute(DropTable(table, if_exists=True))
    connection.execute(CreateTable(table))
    while batch := list(islice(rows, _BATCH)):
        connection.execute(insert(table), batch)


def _enter(connection: Connection, warc: WarcEntry) -> None:
    entry = {
        "filename": warc.filename,
        "size": warc.size,
        "sha256": warc.sha256,
        "parts": json.dumps(warc.parts),
        "captures": 0,
        "articles": 0,
    }
    connection.execute(insert(warcs).values(entry))
    number = connection.scalars(select(warcs.c.id).where(warcs.c.filename == warc.filename)).one()
    counted = {
        "captures": _move(connection, staged_captures, captures, number, ("surt", "timestamp", "offset")),
        "articles": _move(connection, staged_articles, articles, number, ("offset",)),
    }
    connection.execute(update(warcs).where(warcs.c.id == number).values(counted))


def _move(connection: Connection, staged: Table, table: Table, warc: int, order: tuple[str, ...]) -> int:
    """Insert the staged rows, in the order of their key, which makes large inserts fast; return their number."""
    rows = select(*staged.c, literal(warc)).distinct().order_by(*(staged.c[name] for name in order))
    return connection.execute(insert(table).from_select([*staged.c.keys(), "warc"], rows)).rowcount


def _delete(connection: Connection, filenames: Collection[str]) -> bool:
    names, found = iter(filenames), False
    while some := list(islice(names, _NAMES)):
        numbers = list(connection.scalars(select(warcs.c.id).where(warcs.c.filename.in_(some))))
        if numbers:
            found = True
            connection.execute(delete(captures).where(captures.c.warc.in_(numbers)))
            connection.execute(delete(articles).where(articles.c.warc.in_(numbers)))
            connection.execute(delete(warcs).where(warcs.c.id.in_(numbers)))
    return found

"""The transactions that change the index."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, insert, literal, select, update
from sqlalchemy.schema import CreateTable, DropTable

from storage.database import transaction
from storage.errors import Corrupt
from storage.index import ArticleEntry, WarcEntry, fulltext
from storage.index.rows import article_row, capture_row, fingerprint_of, fitted
from storage.index.schema import (
    article_keys,
    articles,
    captures,
    metadata,
    staged_articles,
    staged_captures,
    staged_keys,
    staged_texts,
    warcs,
)
from storage.model import Capture

_Row = TypeVar("_Row", Capture, ArticleEntry)
_STAGED = (staged_captures, staged_articles, staged_keys, staged_texts)

# Rows packed and handed to the driver at a time; keeps memory flat.
_BATCH = 1_000
# Names looked up at a time; every database takes that many parameters.
_NAMES = 500


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
    with transaction(connection, "BEGIN"):
        for table in _STAGED:
            # Left over if the last attempt on this connection failed.
            connection.execute(DropTable(table, if_exists=True))
            connection.execute(CreateTable(table))
        for captured in _batches(_of(warc, rows)):
            _stage(connection, staged_captures, map(capture_row, captured))
        known = fulltext.of_warcs(connection, _numbers(connection, old))
        for read in _batches(_of(warc, entries)):
            _stage(connection, staged_articles, (article_row(entry, warc.parts) for entry in read))
            _stage(connection, staged_keys, _key_rows(read))
            texts = (entry for entry in read if entry.is_searchable)
            _stage(connection, staged_texts, (fulltext.staged(entry, known) for entry in texts))
    with transaction(connection, "BEGIN IMMEDIATE"):
        # Another process may have been faster.
        new = afresh or not _is_known(connection, warc)
        waiting = _delete(connection, old)
        if new:
            _enter(connection, warc, waiting)
        fulltext.remove(connection, chain.from_iterable(waiting.values()))
        for table in _STAGED:
            connection.execute(DropTable(table))
    return new


def remove(connection: Connection, filenames: Collection[str]) -> bool:
    """Remove WARCs with their rows; True if any of them was there."""
    if not filenames:
        return False
    with transaction(connection, "BEGIN IMMEDIATE"):
        found = next(_numbers(connection, filenames), None) is not None
        fulltext.remove(connection, chain.from_iterable(_delete(connection, filenames).values()))
        return found


def scrub(connection: Connection) -> None:
    """See `Index.scrub`."""
    with transaction(connection, "BEGIN IMMEDIATE"):
        fulltext.scrub(connection)
    # None of them can be part of a transaction.
    connection.execution_options(begin="")
    for statement in _written_anew(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _written_anew(dialect: str) -> tuple[str, ...]:
    if dialect == "sqlite":
        return ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
    return tuple(f"VACUUM (FULL, ANALYZE) {table}" for table in (*metadata.tables, "search"))


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


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _stage(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    if connection.dialect.name == "postgresql":
        from storage.postgres import copy_rows

        copy_rows(connection, table, (fitted("postgresql", row) for row in rows))
    elif packed := list(rows):
        connection.execute(insert(table), packed)


def _key_rows(entries: Iterable[ArticleEntry]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        for key in entry.fingerprint.keys if entry.fingerprint else ():
            yield {"offset": entry.offset, "key": key}


def _enter(connection: Connection, warc: WarcEntry, waiting: fulltext.Waiting) -> None:
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
    keyed = select(staged_keys.c.key, articles.c.id).join_from(
        staged_keys, articles, (articles.c.warc == number) & (articles.c.offset == staged_keys.c.offset)
    )
    connection.execute(
        insert(article_keys).from_select(["key", "article"], keyed.distinct().order_by(staged_keys.c.key))
    )
    counted["searched"] = fulltext.enter(connection, number, waiting)
    connection.execute(update(warcs).where(warcs.c.id == number).values(counted))


def _move(connection: Connection, staged: Table, table: Table, warc: int, order: tuple[str, ...]) -> int:
    """Insert the staged rows, in the order of their key, which makes large inserts fast; return their number."""
    rows = select(*staged.c, literal(warc)).distinct().order_by(*(staged.c[name] for name in order))
    moved = insert(table).from_select([*staged.c.keys(), "warc"], rows)
    # SQLAlchemy asks psycopg for the number only if told to.
    return connection.execute(moved.execution_options(preserve_rowcount=True)).rowcount


def _delete(connection: Connection, filenames: Collection[str]) -> fulltext.Waiting:
    """Remove WARCs with their rows, but for what is searched, which is returned."""
    numbers = list(_numbers(connection, filenames))
    waiting = fulltext.of_warcs(connection, numbers)
    for first in range(0, len(numbers), _NAMES):
        some = numbers[first : first + _NAMES]
        connection.execute(delete(captures).where(captures.c.warc.in_(some)))
        _delete_keys(connection, some)
        connection.execute(delete(articles).where(articles.c.warc.in_(some)))
        connection.execute(delete(warcs).where(warcs.c.id.in_(some)))
    return waiting


def _numbers(connection: Connection, filenames: Collection[str]) -> Iterator[int]:
    """Yield the ids of those WARCs that are there."""
    names = iter(filenames)
    while some := list(islice(names, _NAMES)):
        yield from connection.scalars(select(warcs.c.id).where(warcs.c.filename.in_(some))).all()


def _delete_keys(connection: Connection, warc_ids: Collection[int]) -> None:
    """Remove the keys of these WARCs' articles, each by itself: there is no way from an article to its keys."""
    chosen = select(articles.c.id, articles.c.digest, articles.c.sketch)
    found = iter(connection.execute(chosen.where(articles.c.warc.in_(warc_ids))).all())
    one = delete(article_keys).where(
        article_keys.c.key == bindparam("its_key"), article_keys.c.article == bindparam("its_article")
    )
    while some := list(islice(found, _BATCH)):
        made = ((number, fingerprint_of(digest, sketch)) for number, digest, sketch in some)
        rows = [{"its_key": key, "its_article": number} for number, known in made if known for key in known.keys]
        if rows:
            connection.execute(one, rows)

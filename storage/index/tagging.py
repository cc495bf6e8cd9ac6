"""Which captures and articles have a tag, and the one condition that says so.

The rows themselves know nothing of tags, so that whatever enters, moves or replaces them cannot lose one, and what is
captured of a tagged address later has its tags at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
)

from storage.annotations import Annotation, Place
from storage.index.rows import fitted, seconds
from storage.index.schema import said, tagged

#: Earlier and later than any timestamp.
_FIRST, _LAST = -(1 << 40), 1 << 40
# Rows handed to the driver at a time: a crawl may have tagged very many.
_BATCH = 1_000

# In the SQL itself, which storage/index/fulltext.py takes as text.
_ONE: ColumnClause[int] = literal_column("1")
_TWO: ColumnClause[int] = literal_column("2")
_BANG: ColumnClause[str] = literal_column("'!'")
_NOTHING: ColumnClause[str] = literal_column("''")

_t = tagged.c


def has_tag(table: Table) -> ColumnElement[bool]:
    """The condition that a row with a SURT and a time has the tag `tag`: by the last word on it."""
    row = table.c
    tag: BindParameter[str] = bindparam("tag", unique=False)
    then = and_(_t.tag == tag, _t.low <= row.timestamp, _t.high >= row.timestamp)
    # Each half by an index of its own, which both have to name all of.
    one = and_(_t.first == row.surt, _t.end.is_(None), then)
    some = and_(is_range_with(row.surt), then)
    last = select(func.max(_t.mark)).where(or_(one, some)).correlate(table).scalar_subquery()
    return last % _TWO == _ONE


def is_range_with(surt: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a place is a range with a SURT in it: by the index of the few ranges, never by `first`."""
    return and_(_t.end.is_not(None), _t.end > surt, _t.first.concat(_NOTHING) <= surt)


def candidates(table: Table, column: str) -> Select[tuple[Any]]:
    """The `column` of the rows that the tag `tag` was ever given to: found by the tag, and not by a look at all rows.

    An outer join, since SQLite would else begin with the rows.
    """
    row = table.alias("candidate").c
    covered = and_(
        row.surt >= _t.first,
        # "!" is the first character that a key can hold.
        row.surt < func.coalesce(_t.end, _t.first.concat(_BANG)),
        row.timestamp.between(_t.low, _t.high),
    )
    joined = tagged.outerjoin(row.surt.table, covered)
    tag: BindParameter[str] = bindparam("tag", unique=False)
    return select(row[column]).select_from(joined).where(_t.tag == tag, _t.mark % _TWO == _ONE)


def enter(connection: Connection, annotation: Annotation, found: Iterable[Place]) -> None:
    """Enter an annotation with what follows from it; inside the caller's transaction."""
    dialect = connection.dialect.name
    row = {
        "key": annotation.key,
        "kind": annotation.kind,
        "subject": annotation.subject,
        "fields": annotation.to_json().decode(),
    }
    connection.execute(insert(said).values(fitted(dialect, row)))
    rows = (fitted(dialect, _row(place)) for place in found)
    while some := list(islice(rows, _BATCH)):
        connection.execute(insert(tagged), some)


def keys(connection: Connection) -> set[str]:
    """Return the keys of the annotations that are known."""
    return set(connection.scalars(select(said.c.key)))


def read(key: str, fields: str) -> Annotation:
    return Annotation.from_fields(json.loads(fields), key)


def last_words(rows: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Yield, by name, the tags that the last of their marks gives."""
    last: dict[str, int] = {}
    for tag, mark in rows:
        last[tag] = max(mark, last.get(tag, 0))
    yield from sorted(tag for tag, mark in last.items() if mark % 2)


def _row(place: Place) -> dict[str, Any]:
    return {
        "tag": place.tag,
        "first": place.first,
        "end": place.end,
        "low": _FIRST if place.low is None else seconds(place.low),
        "high": _LAST if place.high is None else seconds(place.high),
        "mark": place.mark,
    }

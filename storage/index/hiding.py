"""What is hidden, and the one condition that says so: every statement that finds captures or articles has it.

The rows themselves stay as they are, so that whatever enters, moves or replaces them cannot forget to hide them, and an
embargo ends by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
)

from storage.index.rows import fitted, seconds
from storage.index.schema import hidden, removals
from storage.removals import Hiding, Removal, in_force

#: Later than any timestamp: hidden without an end. Asked as of then, nothing is hidden any more.
FOREVER = 1 << 40
#: Earlier than any timestamp.
_FIRST = -(1 << 40)

_h = hidden.c


def is_visible(table: Table) -> ColumnElement[bool]:
    """The condition that a row with a SURT and a time is not hidden at the second `now`.

    Of single addresses and of ranges apart, each by an index of its own: what is hidden may be thousands. Whether there
    is any at all is asked once a statement, and no more of a row where there is none, as in most archives.
    """
    row = table.c
    anything = exists().select_from(hidden.alias("anything"))
    now: BindParameter[int] = bindparam("now", unique=False)
    then = and_(_h.low <= row.timestamp, _h.high >= row.timestamp, _h.until > now)
    one = exists().where(_h.first == row.surt, _h.end.is_(None), then)
    some = exists().where(_h.end > row.surt, _h.first <= row.surt, then)
    return ~and_(anything, or_(one.correlate(table), some.correlate(table)))


def enter(connection: Connection, found: Iterable[Removal]) -> None:
    """Put these decisions in the place of all that were known; inside the caller's transaction."""
    known = list(found)
    connection.execute(delete(removals))
    connection.execute(delete(hidden))
    if known:
        rows = [{"key": each.key, "fields": each.to_json().decode()} for each in known]
        connection.execute(insert(removals), rows)
    if places := [fitted(connection.dialect.name, place) for hiding in in_force(known) for place in _places(hiding)]:
        connection.execute(insert(hidden), places)


def known(connection: Connection) -> list[Removal]:
    """Return the decisions that the index knows, in order of time."""
    rows = connection.execute(select(removals.c.key, removals.c.fields).order_by(removals.c.key))
    return [Removal.from_fields(json.loads(fields), key) for key, fields in rows]


def _places(hiding: Hiding) -> Iterator[dict[str, Any]]:
    hide = hiding.hide
    high = FOREVER if hiding.newest is None else seconds(hiding.newest)
    spans = [(seconds(time), seconds(time)) for time in hide.times] or [(_FIRST, high)]
    until = FOREVER if hiding.until is None else seconds(hiding.until)
    for first, end in hide.ranges:
        for low, last in spans:
            yield {
                "removal": hide.id,
                "first": first,
                "end": None if hide.match == "exact" else end,
                "low": low,
                "high": last,
                "until": until,
            }

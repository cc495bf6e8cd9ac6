"""What a database has let go: months whose captures are read from what is published of them.

A fact about this database, and in its table of such facts: one that is made anew has let go nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from storage.index.queries import CompiledQuery
from storage.index.rows import seconds
from storage.index.schema import about, captures, hidden, tagged, warcs
from storage.model import Capture
from storage.urls import surt

#: What the names of such facts begin with; the month follows, and the value is the generation.
PREFIX = "released "

# Not as a range: a server may sort these names by the rules of a language, which look past blanks.
RELEASED = CompiledQuery(
    select(about.c.name, about.c.value)
    .where(func.substr(about.c.name, 1, len(PREFIX)) == PREFIX)
    .order_by(about.c.name)
)
#: Where something is hidden: first, end, low, high; see `storage.index.schema.hidden`.
HIDDEN_PLACES = CompiledQuery(
    select(hidden.c.first, hidden.c.end, hidden.c.low, hidden.c.high).where(
        hidden.c.until > bindparam("now", unique=False)
    )
)
#: Ranges of SURTs to which a tag was ever given.
TAGGED_PLACES = CompiledQuery(
    select(tagged.c.first, tagged.c.end).where(tagged.c.tag == bindparam("tag", unique=False), tagged.c.mark % 2 == 1)
)


def enter(connection: Connection, month: str, generation: int) -> None:
    """Say that a month is read from what is published; inside the caller's transaction."""
    name = PREFIX + month
    connection.execute(delete(about).where(about.c.name == name))
    connection.execute(insert(about).values(name=name, value=generation))


def remove(connection: Connection, found: Iterable[Capture]) -> int:
    """Delete the rows of captures that are published, and return how many there were.

    What an answer says that is not to be shown to others stays: by these rows is told which bytes of a WARC it has.
    """
    keys = {capture.filename for capture in found}
    numbers: dict[str, int] = {
        name: number
        for number, name in connection.execute(select(warcs.c.id, warcs.c.filename).where(warcs.c.filename.in_(keys)))
    }
    rows: list[dict[str, Any]] = [
        {
            "its_surt": surt(capture.url),
            "its_time": seconds(capture.timestamp),
            "its_warc": numbers[capture.filename],
            "its_offset": capture.offset,
        }
        for capture in found
        if capture.filename in numbers
    ]
    if not rows:
        return 0
    one = delete(captures).where(
        captures.c.surt == bindparam("its_surt"),
        captures.c.timestamp == bindparam("its_time"),
        captures.c.warc == bindparam("its_warc"),
        captures.c.offset == bindparam("its_offset"),
        captures.c.noarchive.is_(None),
        captures.c.shown_until.is_(None),
    )
    return connection.execute(one, rows).rowcount

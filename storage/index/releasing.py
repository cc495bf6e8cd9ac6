"""What a database has let go: months whose captures are read from what is published of them.

A fact about this database, and in its table of such facts: one that is made anew has let go nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, literal_column, or_, select, update

from storage.index import fulltext, tagging
from storage.index.queries import CompiledQuery
from storage.index.rows import seconds
from storage.index.schema import about, articles, captures, hidden, searched, tagged, warcs
from storage.model import Capture
from storage.urls import surt

#: What the names of such facts begin with, of captures and of texts; the month follows. The value is the generation.
CAPTURES, TEXTS = "released ", "released-texts "


def _months(prefix: str) -> CompiledQuery:
    # Not as a range: a server may sort these names by the rules of a language, which look past blanks.
    is_one = func.substr(about.c.name, 1, len(prefix)) == prefix
    month = func.substr(about.c.name, len(prefix) + 1)
    return CompiledQuery(select(month, about.c.value).where(is_one).order_by(about.c.name))


RELEASED, RELEASED_TEXTS = _months(CAPTURES), _months(TEXTS)
#: How many texts have left the database so far.
_LEFT = "texts let go"
TEXTS_LEFT = CompiledQuery(select(about.c.value).where(about.c.name == literal(_LEFT)))
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


#: Documents in order of time from a place on: second, id and SURT of the article; digest, id, whether its text is here.
DOCUMENTS = CompiledQuery(
    select(
        articles.c.timestamp,
        articles.c.id,
        articles.c.surt,
        searched.c.digest,
        searched.c.id,
        func.length(searched.c.text) > literal_column("0"),
    )
    .join_from(articles, searched, searched.c.article == articles.c.id)
    .where(
        articles.c.timestamp.between(bindparam("low", unique=False), bindparam("high", unique=False)),
        or_(articles.c.timestamp > bindparam("low", unique=False), articles.c.id < bindparam("id", unique=False)),
    )
    .order_by(articles.c.timestamp, articles.c.id.desc())
    .limit(bindparam("n", unique=False))
)
#: Where a document stands: SURT, second, digest, whether its text is here.
DOCUMENT = CompiledQuery(
    select(articles.c.surt, articles.c.timestamp, searched.c.digest, func.length(searched.c.text) > literal_column("0"))
    .join_from(searched, articles, searched.c.article == articles.c.id)
    .where(searched.c.id == bindparam("id", unique=False))
)
_tagged = tagging.candidates(articles, "id")
#: The same of the articles that a tag was ever given to, the newest first, between two seconds.
TAGGED_DOCUMENTS = CompiledQuery(
    select(articles.c.surt, articles.c.timestamp, searched.c.digest)
    .join_from(articles, searched, searched.c.article == articles.c.id)
    .where(
        articles.c.id.in_(_tagged),
        articles.c.timestamp.between(bindparam("low", unique=False), bindparam("high", unique=False)),
    )
    .order_by(articles.c.timestamp.desc())
    .limit(bindparam("n", unique=False))
)


def enter(connection: Connection, fact: str, month: str, generation: int) -> None:
    """Say that the captures or texts of a month (`fact` is its prefix) are read from what is published.

    Inside the caller's transaction.
    """
    name = fact + month
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


def remove_texts(connection: Connection, documents: Mapping[int, bytes]) -> int:
    """Remove the texts and words of documents, given by ids and digests; return of how many they were there."""
    left = fulltext.let_go(connection, documents)
    counted = update(about).where(about.c.name == _LEFT).values(value=about.c.value + left)
    if left and not connection.execute(counted).rowcount:
        connection.execute(insert(about).values(name=_LEFT, value=left))
    return left

"""The words of articles in SQLite: FTS5, in its own SQL.

It goes through the ids of a word, or of several, downwards from anywhere, so that the newest come first and the next
page costs what the first did, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, text

from storage.index.queries import CompiledQuery
from storage.index.query_nodes import Node, Term
from storage.index.rows import Row
from storage.index.search_statements import Fetch, Question, Statements, parts

# The inner part goes through the words alone, and stops at what fills a page; what is hidden comes and is marked, so
# that a page that is full of it does not look like the last.
_FIND = """
    SELECT searched.id, searched.text, articles.surt, {shown}, {columns} FROM (
        SELECT rowid AS id FROM search WHERE search MATCH :match AND rowid < :before AND rowid >= :low {chosen}
        ORDER BY rowid DESC LIMIT :n
    ) AS found
    CROSS JOIN searched ON searched.id = found.id
    CROSS JOIN articles ON articles.id = searched.article
    CROSS JOIN warcs ON warcs.id = articles.warc
    ORDER BY found.id DESC
"""
# The same in the order of FTS5's rank, which knows how often the words stand in a text and how rare they are.
_BEST = _FIND.replace("ORDER BY rowid DESC", "ORDER BY rank, rowid DESC")
_COUNT = """
    SELECT count(DISTINCT CASE WHEN {shown} THEN articles.surt END), count(*) FROM (
        SELECT rowid AS id FROM search WHERE search MATCH :match AND rowid < :before AND rowid >= :low {chosen}
        LIMIT :n
    ) AS found
    CROSS JOIN searched ON searched.id = found.id
    CROSS JOIN articles ON articles.id = searched.article
"""
# Whether a newer capture of the same URL has the words too: documents of one URL, upwards from one of them.
_NEWER = """
    SELECT searched.id FROM articles CROSS JOIN searched ON searched.article = articles.id
    WHERE articles.surt = :surt AND articles.timestamp >= :time AND searched.id > :id AND searched.id < :before
        AND {shown}
    ORDER BY articles.timestamp, searched.id LIMIT :n
"""
_PLACED = """
    SELECT place.key, length(searched.text) > 0, searched.id, articles.surt, {shown}, {columns}
    FROM json_each(:places) AS place
    CROSS JOIN articles ON articles.surt = json_extract(place.value, '$[0]')
        AND articles.timestamp = json_extract(place.value, '$[1]')
    CROSS JOIN searched ON searched.article = articles.id
        AND lower(hex(searched.digest)) = json_extract(place.value, '$[2]')
    CROSS JOIN warcs ON warcs.id = articles.warc
    ORDER BY place.key, searched.id DESC
"""
_HOLDS = "SELECT 1 FROM search WHERE search MATCH :match AND rowid = :id"
_HOLDING = CompiledQuery(text("SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH :match LIMIT :n)"))
# Texts without the tag fill no page. The plus keeps SQLite from asking for each of the others by itself: a word has one
# list, which is read once, and a tag may be that of very many.
_OF_TAG = " AND +rowid IN (SELECT id FROM searched WHERE article IN ({}))"


def add(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Enter the words of documents, given by their ids, upwards: FTS5 begins a new part of its index wherever an id is
    not larger than the one before.
    """
    connection.exec_driver_sql("INSERT INTO search(rowid, words) VALUES (?, ?)", list(rows))


def remove(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Remove documents; FTS5, which holds no texts, wants to be told their words."""
    connection.exec_driver_sql("INSERT INTO search(search, rowid, words) VALUES ('delete', ?, ?)", list(rows))


def settle(connection: Connection) -> None:
    """FTS5 merges by itself."""


def scrub(connection: Connection) -> None:
    """Merge the parts of the index of words into one: the words of what was removed stand in the old ones."""
    connection.exec_driver_sql("INSERT INTO search(search) VALUES ('optimize')")


def question(root: Node, tags: int, without: int) -> Question:
    return Question(_statements(tags, without), {"match": root.match})


def holding(fetch: Fetch, term: Term, most: int) -> int:
    """Return how many documents have a term, at most so many."""
    return int(fetch(_HOLDING, match=term.match, n=most)[0][0])


def newest(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> list[Row]:
    """Return the newest `n` rows of `find`."""
    return fetch(asked.statements.find, **asked.values, low=low, before=before, n=n)


def best(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> list[Row]:
    """Return the best `n` rows of `best`."""
    return fetch(asked.statements.best, **asked.values, low=low, before=before, n=n)


def how_many(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> Row:
    """Return the row of `how_many`."""
    return fetch(asked.statements.how_many, **asked.values, low=low, before=before, n=n)[0]


@cache
def _statements(tags: int, without: int) -> Statements:
    known = parts(tags, without, _OF_TAG)
    made = (_FIND, _BEST, _COUNT, _NEWER, _HOLDS, _PLACED)
    return Statements(*(CompiledQuery(text(sql.format(**known))) for sql in made))

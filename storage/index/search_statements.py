"""What a full-text search asks of a database, whichever it is; its SQL is that of `fts5` or `word_sets`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from storage.index.queries import ARTICLE_COLUMNS, HAS_TAG, VISIBLE, WITH_TAG, CompiledQuery
from storage.index.rows import Row

#: A second of a document's id has so many bits for the places in it.
PLACE_BITS = 8

#: Runs a statement with values.
Fetch = Callable[..., list[Row]]


class Match(NamedTuple):
    """A document that has what is wanted, with its article."""

    #: Its id.
    number: int
    surt: str
    #: Whether it is not hidden, and has the tags that it must have, and none that it must not.
    is_visible: bool
    #: As `storage.index.rows.article_of` takes it.
    article: Row
    #: Gives its `storage.index.indexed_text.IndexedText`, packed.
    read: Callable[[], bytes]

    @classmethod
    def of(cls, row: Row) -> Match:
        """Of a row of `Statements.find` or `best`."""
        number, packed, surt, is_visible, *article = row
        return cls(number, surt, bool(is_visible), tuple(article), lambda: packed)


class Statements(NamedTuple):
    """Those of a search; each has the values of its `Question`.

    They speak of documents from `low` up to `before`, `n` at most. Where there is `ids`, which gives the newest of
    them, `best` and `how_many` speak of such ids.
    """

    #: Documents with their articles: the newest first, or the best.
    find: CompiledQuery
    best: CompiledQuery
    #: URLs that are visible among the documents, and how many documents these are.
    how_many: CompiledQuery
    #: Documents of a SURT from a time on.
    newer: CompiledQuery
    #: Whether the document `id` has the words.
    holds: CompiledQuery
    #: Documents with their articles by their `places`, a JSON list of SURT, second, and digest in hex, whatever words
    #: they have: number of the place, whether its text is in the database, id, SURT, whether it is visible, the
    #: article's columns.
    placed: CompiledQuery
    ids: CompiledQuery | None = None


class Question(NamedTuple):
    statements: Statements
    values: dict[str, Any]
    #: Whether words must follow each other.
    is_phrased: bool = False


def parts(tags: int, without: int, of_tag: str) -> dict[str, str]:
    """What SQL of a search has in common, for so many tags that an article must have, and so many that it must not.

    `of_tag` is the condition on an id that leaves the texts of a tag alone.
    """
    conditions = [VISIBLE, *(_numbered(HAS_TAG, "tag", n) for n in range(tags))]
    conditions += [f"NOT coalesce({_numbered(HAS_TAG, 'without', n)}, false)" for n in range(without)]
    return {
        "shown": " AND ".join(f"({each})" for each in conditions),
        "chosen": "".join(_numbered(of_tag.format(WITH_TAG), "tag", n) for n in range(tags)),
        "columns": ARTICLE_COLUMNS,
    }


def _numbered(sql: str, name: str, number: int) -> str:
    """SQL of the tag `tag`, about one of several."""
    return re.sub(r":tag\b", f":{name}{number}", sql)

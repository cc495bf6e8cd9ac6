"""A file of texts: documents of a month in order of time, their words and their texts, searched where it lies.

It is a database of SQLite, with pages of 16 KB, that anybody may open. Ids go up with the time. `digest` is that of
`storage.index.schema.searched`: by URL, second and digest the index knows the article.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.bounds import ARTICLE_LINE_MAX
from storage.errors import ConfigError, Corrupt, ObjectMissing
from storage.extras import command_for
from storage.index.rows import Row
from storage.objects import ObjectStore
from storage.published.manifest import PublishedTexts, generation_of
from storage.published.month import Month
from storage.published.not_whole import NotWhole, publish_again
from storage.published.ranges import RangeCache, RangedFile

if TYPE_CHECKING:
    from storage.published.ranged_sqlite import Connection

VERSION = 1
SCHEMA = """
    CREATE TABLE documents (id INTEGER PRIMARY KEY, second INTEGER NOT NULL, surt TEXT NOT NULL, digest BLOB NOT NULL);
    CREATE TABLE texts (id INTEGER PRIMARY KEY, text BLOB NOT NULL);
    CREATE VIRTUAL TABLE search USING fts5(words, content='', columnsize=0, tokenize="ascii tokenchars ':.-_'");
"""

_NEWEST = """
    SELECT documents.* FROM (
        SELECT rowid AS id FROM search WHERE search MATCH :match AND rowid <= :last AND rowid >= :first
        ORDER BY rowid DESC LIMIT :n
    ) AS found CROSS JOIN documents ON documents.id = found.id ORDER BY found.id DESC
"""
_BEST = """
    SELECT found.rank, documents.* FROM (
        SELECT rowid AS id, rank FROM search WHERE search MATCH :match AND rowid <= :last AND rowid >= :first
        ORDER BY rank, rowid DESC LIMIT :n
    ) AS found CROSS JOIN documents ON documents.id = found.id
"""
_HOLDS = "SELECT 1 FROM search WHERE search MATCH :match AND rowid = :id"
_HOLDING = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH :match LIMIT :n)"
_UP_TO = "SELECT id FROM documents WHERE second <= :second ORDER BY second DESC, id DESC LIMIT 1"
_OF_SECOND = "SELECT * FROM documents WHERE second = :second ORDER BY id DESC"
_BEHIND = "SELECT * FROM documents WHERE id > :id ORDER BY id LIMIT :n"
_TEXT = "SELECT text FROM texts WHERE id = :id"


class Gone(Exception):
    """A file is not there any more: its month was published again, or is damaged."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        name, self.generation = generation_of(key)
        self.month = Month.parse(name)


class Document(NamedTuple):
    """Where a document stands in its file; `digest` in hex."""

    id: int
    second: int
    surt: str
    digest: str

    @classmethod
    def of(cls, row: Sequence[Any]) -> Document:
        number, second, surt, digest = row
        return cls(int(number), int(second), str(surt), bytes(digest).hex())


class TextsFile:
    """One file, open; threads may share it. Everything here raises `Gone`, and `StoreUnavailable`: `NotWhole` where the
    file is damaged, and `ConfigError` where apsw, which reads it, is not installed."""

    def __init__(self, store: ObjectStore, about: PublishedTexts, size: int, cache: RangeCache) -> None:
        self.about = about
        self._file = RangedFile(store, about.key, size, cache)
        self._lock = Lock()
        self._connection: Connection | None = None

    def newest(self, match: str, first: int, last: int, n: int) -> list[Document]:
        """Return the last `n` documents, from id `first` to `last`, that have the words, downwards."""
        return [Document.of(row) for row in self._rows(_NEWEST, match=match, first=first, last=last, n=n)]

    def best(self, match: str, first: int, last: int, n: int) -> list[tuple[float, Document]]:
        """Return the best `n` documents by FTS5's rank, the smaller the better."""
        rows = self._rows(_BEST, match=match, first=first, last=last, n=n)
        return [(float(rank), Document.of(row)) for rank, *row in rows]

    def holds(self, match: str, number: int) -> bool:
        return bool(self._rows(_HOLDS, match=match, id=number))

    def holding(self, match: str, most: int) -> int:
        """Return how many documents have the words, at most so many."""
        return int(self._rows(_HOLDING, match=match, n=most)[0][0])

    def up_to(self, second: int) -> int:
        """Return the id of the last document up to a second, 0 where there is none."""
        rows = self._rows(_UP_TO, second=second)
        return int(rows[0][0]) if rows else 0

    def of_second(self, second: int) -> list[Document]:
        """Return the documents of a second, the last first."""
        return [Document.of(row) for row in self._rows(_OF_SECOND, second=second)]

    def documents(self) -> Iterator[Document]:
        """Yield all documents in their order."""
        last = 0
        while rows := self._rows(_BEHIND, id=last, n=1_000):
            yield from map(Document.of, rows)
            last = int(rows[-1][0])

    def text(self, number: int) -> bytes:
        """Return the packed text of a document."""
        rows = self._rows(_TEXT, id=number)
        if not rows or len(rows[0][0]) > ARTICLE_LINE_MAX:
            raise self._damaged(f"{self.about.key}: no text of document {number}")
        return bytes(rows[0][0])

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _rows(self, sql: str, **values: Any) -> list[Row]:
        try:
            with self._lock:
                return self._opened().rows(sql, values)
        except ObjectMissing as error:
            raise Gone(self.about.key) from error
        except Corrupt as error:
            raise self._damaged(error) from error

    def _opened(self) -> Connection:
        if self._connection is None:
            try:
                from storage.published.ranged_sqlite import Connection
            except ModuleNotFoundError as error:
                raise ConfigError(
                    f"to search what is published needs apsw: {command_for('published-search')}"
                ) from error
            self._connection = Connection(self._file)
            version = self._connection.rows("PRAGMA user_version")[0][0]
            if version != VERSION:
                raise self._damaged(f"{self.about.key}: a file of version {version}")
        return self._connection

    def _damaged(self, what: object) -> NotWhole:
        month = generation_of(self.about.key)[0]
        return NotWhole(f"what is published of {month} cannot be searched ({what}); {publish_again(month, texts=True)}")

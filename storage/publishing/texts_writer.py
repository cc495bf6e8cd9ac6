"""The texts of a month's articles, sorted by time and written as files that are searched where they lie.

See `storage.published.texts` for what is in one.
"""

from __future__ import annotations

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from storage.errors import AlreadyRunning, Corrupt, ObjectMissing
from storage.index.articles import entries_of
from storage.index.indexed_text import IndexedText, ReadyText
from storage.index.rows import seconds
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.published.manifest import PublishedTexts, Source
from storage.published.month import Month
from storage.published.texts import SCHEMA, VERSION
from storage.urls import parse_timestamp, surt, timestamp14
from storage.warc import key_of

#: Documents of a file: about 600 MB of them.
FILE_DOCUMENTS = 250_000
#: Documents that go in with one statement.
_BATCH = 500
#: Bytes of a page, and of a leaf of the index of words, which has to fit into one: what is read at a time.
_PAGE, _LEAF = 16_384, 16_000


class DocumentLine(NamedTuple):
    """A line of what is sorted: time, SURT, digest in hex, and the packed text; fields are parted by blanks."""

    time: bytes
    surt: bytes
    digest: bytes
    text: bytes

    @classmethod
    def parse(cls, line: bytes) -> DocumentLine:
        return cls(*line.split())

    @property
    def second(self) -> int:
        return seconds(parse_timestamp(self.time.decode()))

    @property
    def place(self) -> tuple[bytes, bytes, bytes]:
        return self.time, self.surt, self.digest


def document_lines(
    store: ObjectStore, month: Month, sources: Mapping[str, Source], on_problem: Callable[[Problem], None]
) -> Iterator[bytes]:
    """Yield a line for each article of a month, a WARC after the other; damage is told, and what is behind it left out.

    Raises `AlreadyRunning` where a text part is not as long as it was.
    """
    for filename, source in sources.items():
        key, end = key_of(filename, "text"), 0
        if not source.text:
            continue
        try:
            # One that is gone has another length too.
            with suppress(ObjectMissing), store.open(key) as stream:
                for entry in entries_of(stream, key):
                    end = entry.part_offset + entry.part_length
                    if Month.of(entry.timestamp) == month:
                        ready = ReadyText.of(entry, has_words=False)
                        place = f"{timestamp14(entry.timestamp)} {surt(entry.url)} {ready.digest.hex()} "
                        yield place.encode() + b64encode(ready.packed) + b"\n"
        except Corrupt as error:
            on_problem(Problem(key, f"damaged ({error}); what follows in it is not published to be searched"))
            continue
        if end != source.text:
            raise AlreadyRunning(f"{key} was changed meanwhile, as by a compaction; run again")


class TextsWriter:
    """Takes documents in their order; `put(key, path)` is called with each file, which is then removed.

    `prefix` is what the keys begin with.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str,
        put: Callable[[str, Path], None],
        *,
        file_documents: int = FILE_DOCUMENTS,
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._put = put
        self._most = file_documents
        self._waiting: list[DocumentLine] = []
        self._connection: sqlite3.Connection | None = None
        self._count = self._first = self._last = 0
        #: What was put.
        self.files: list[PublishedTexts] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, document: DocumentLine) -> None:
        self._waiting.append(document)
        if len(self._waiting) >= min(_BATCH, self._most):
            self._write()

    def close(self) -> None:
        """Put what is left; nothing where no document came."""
        self._write()
        self._end()

    @property
    def _path(self) -> Path:
        return self._folder / f"texts-{len(self.files):05}.sqlite"

    def _write(self) -> None:
        while self._waiting:
            connection = self._connection or self._begin()
            some = self._waiting[: self._most - self._count]
            self._waiting = self._waiting[len(some) :]
            rows, texts, words = [], [], []
            for number, each in enumerate(some, self._count + 1):
                packed = b64decode(each.text)
                rows.append((number, each.second, each.surt.decode(), bytes.fromhex(each.digest.decode())))
                texts.append((number, packed))
                words.append((number, IndexedText.unpack(packed).words))
            connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?)", rows)
            connection.executemany("INSERT INTO texts VALUES (?, ?)", texts)
            connection.executemany("INSERT INTO search(rowid, words) VALUES (?, ?)", words)
            self._first = self._first if self._count else rows[0][1]
            self._last, self._count = rows[-1][1], self._count + len(rows)
            if self._count >= self._most:
                self._end()

    def _begin(self) -> sqlite3.Connection:
        made = self._connection = sqlite3.connect(self._path, isolation_level=None)
        # What is not whole is thrown away with its folder.
        for name, value in (("page_size", _PAGE), ("journal_mode", "off"), ("synchronous", "off")):
            made.execute(f"PRAGMA {name} = {value}")
        made.executescript(SCHEMA)
        made.execute(f"PRAGMA user_version = {VERSION}")
        made.execute("INSERT INTO search(search, rank) VALUES ('pgsz', ?)", (_LEAF,))
        made.execute("BEGIN")
        return made

    def _end(self) -> None:
        if self._connection is None:
            return
        with closing(self._connection) as connection:
            # One list a word, and what is read together side by side.
            connection.execute("INSERT INTO search(search) VALUES ('optimize')")
            connection.execute("CREATE INDEX documents_by_time ON documents (second)")
            connection.execute("COMMIT")
            connection.execute("VACUUM")
        path = self._path
        key = self._prefix + path.name
        self._put(key, path)
        self.files.append(PublishedTexts(key, self._first, self._last, self._count))
        path.unlink()
        self._connection, self._count = None, 0

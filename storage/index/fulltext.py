"""Full-text search in the index: SQLite's FTS5, in its own SQL. Another database will want a module like this one.

A document's id is its second and one of 256 places in it: FTS5 goes through the ids of a word, or of several, downwards
from anywhere, so the newest come first and the next page costs what the first did, however many there are. Within a
second the one entered first comes first, as in lists of articles. More bits would make every word of every document a
byte or more larger; what a second has no place for goes to the one before. Site, language and author are words too, so
that they narrow a search instead of being sorted out after it.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from hashlib import blake2b
from itertools import groupby, islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from storage.index import ArticleEntry, Filters, Hit
from storage.index.field_words import BREAK, author_words, language_words, site_word
from storage.index.queries import ARTICLE_COLUMNS, HAS_TAG, VISIBLE, WITH_TAG, CompiledQuery
from storage.index.query_nodes import All, Node, Term
from storage.index.query_parser import SearchQuery
from storage.index.rows import Row, article_of, seconds
from storage.index.schema import articles, searched, staged_texts, warcs
from storage.index.snippets import snippet
from storage.index.tokenizer import tokens

#: Documents that wait, by digest: their article is gone, and perhaps about to come back from another WARC.
Waiting = dict[bytes, list[int]]

_PLACE_BITS = 8
_LAST_PLACE = (1 << _PLACE_BITS) - 1
# Far enough for any time, and small enough for 63 bits.
_LAST_SECOND = (1 << 40) - 2
_BATCH = 500


class IndexedText(NamedTuple):
    """What is searched of an article."""

    site: str
    language: str | None
    authors: tuple[str, ...]
    title: str | None
    text: str

    @classmethod
    def of(cls, entry: ArticleEntry) -> IndexedText:
        return cls(entry.site, entry.language, entry.authors, entry.title, entry.text or "")

    def pack(self) -> bytes:
        return zlib.compress(json.dumps(self, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))

    @classmethod
    def unpack(cls, packed: bytes) -> IndexedText:
        site, language, authors, title, text = json.loads(zlib.decompress(packed))
        return cls(site, language, tuple(authors), title, text)

    @property
    def words(self) -> str:
        """All words, a space between, as FTS5 takes them in."""
        found = [f"s:{self.site.casefold()}", *language_words(self.language)]
        for author in self.authors:
            found += [BREAK, *author_words(author)]
        return " ".join([*found, BREAK, *tokens(self.title or ""), BREAK, *tokens(self.text)])


# Writing


def staged(entry: ArticleEntry, known: Collection[bytes]) -> dict[str, Any]:
    """The row of `staged_texts` of an article; without words where its text is among the `known`."""
    document = IndexedText.of(entry)
    packed = document.pack()
    key = json.dumps([entry.url, seconds(entry.timestamp)]).encode()
    digest = blake2b(packed, digest_size=12, key=blake2b(key, digest_size=32).digest()).digest()
    words = None if digest in known else document.words
    return {"offset": entry.offset, "digest": digest, "text": packed, "words": words}


def of_warcs(connection: Connection, numbers: Iterable[int]) -> Waiting:
    """Return the documents of the articles of some WARCs, given by their ids."""
    waiting: Waiting = defaultdict(list)
    for number in numbers:
        rows = select(searched.c.digest, searched.c.id).join_from(
            articles, searched, (articles.c.warc == number) & (searched.c.article == articles.c.id)
        )
        for digest, each in connection.execute(rows):
            waiting[digest].append(each)
    return waiting


def enter(connection: Connection, warc: int, waiting: Waiting) -> int:
    """Give the staged texts to the articles of a WARC; return how many. What waited for them is taken over."""
    there, new = [], []
    rows = (
        select(articles.c.id, articles.c.timestamp, staged_texts.c.offset, staged_texts.c.digest)
        .join_from(staged_texts, articles, (articles.c.warc == warc) & (articles.c.offset == staged_texts.c.offset))
        .order_by(articles.c.timestamp, articles.c.id)
    )
    taken: set[int] = set()
    for article, time, offset, digest in connection.execute(rows).all():
        if article in taken:
            continue
        taken.add(article)
        if waiting.get(digest):
            there.append({"its_id": waiting[digest].pop(), "its_article": article})
        else:
            new.append((time, article, offset))
    if there:
        moved = update(searched).where(searched.c.id == bindparam("its_id"))
        connection.execute(moved.values(article=bindparam("its_article")), there)
    ids = _free_ids(connection, [time for time, _, _ in new])
    # Upwards: FTS5 begins a new part of its index wherever an id is not larger than the one before.
    for some in _batches(sorted((number, *place) for number, (_, *place) in zip(ids, new, strict=True))):
        _insert(connection, some)
    return len(taken)


def _free_ids(connection: Connection, times: Iterable[int]) -> Iterator[int]:
    """Yield an id for each of some times, given in order; in a second each is smaller than those before."""
    given: set[int] = set()
    for time, same in groupby(min(max(time, 0), _LAST_SECOND) for time in times):
        lowest = time << _PLACE_BITS
        found = _smallest(connection, lowest, lowest + _LAST_PLACE)
        number = lowest + _LAST_PLACE + 1 if found is None else found
        for _ in same:
            number -= 1
            # The second is full, and perhaps the one before: wherever there is room.
            while number in given or (number < lowest and _smallest(connection, number, number) is not None):
                number -= 1
            given.add(number)
            yield number


def _smallest(connection: Connection, low: int, high: int) -> int | None:
    found: int | None = connection.exec_driver_sql(
        "SELECT min(id) FROM searched WHERE id BETWEEN ? AND ?", (low, high)
    ).scalar()
    return found


def _insert(connection: Connection, rows: list[tuple[int, int, int]]) -> None:
    offsets = {offset for _, _, offset in rows}
    texts = staged_texts.c
    found = connection.execute(
        select(texts.offset, texts.digest, texts.text, texts.words).where(texts.offset.in_(offsets))
    )
    held = {offset: rest for offset, *rest in found}
    made, words = [], []
    for number, article, offset in rows:
        digest, packed, ready = held[offset]
        made.append({"id": number, "article": article, "digest": digest, "text": packed})
        # What seemed to be there was taken away by another process.
        words.append((number, ready if ready is not None else IndexedText.unpack(packed).words))
    connection.execute(insert(searched), made)
    connection.exec_driver_sql("INSERT INTO search(rowid, words) VALUES (?, ?)", words)


def remove(connection: Connection, numbers: Iterable[int]) -> None:
    """Remove documents."""
    for some in _batches(sorted(numbers)):
        rows = connection.execute(select(searched.c.id, searched.c.text).where(searched.c.id.in_(some))).all()
        words = [(number, IndexedText.unpack(packed).words) for number, packed in sorted(rows)]
        connection.exec_driver_sql("INSERT INTO search(search, rowid, words) VALUES ('delete', ?, ?)", words)
        connection.execute(delete(searched).where(searched.c.id.in_(some)))


def scrub(connection: Connection) -> None:
    """Merge the parts of the index of words into one: the words of what was removed stand in the old ones."""
    connection.exec_driver_sql("INSERT INTO search(search) VALUES ('optimize')")


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    all_rows = iter(rows)
    while some := list(islice(all_rows, _BATCH)):
        yield some


# Reading

#: Articles whose text is not there to be searched.
UNSEARCHED = CompiledQuery(select(func.sum(warcs.c.articles - warcs.c.searched)))
#: Of one WARC.
UNSEARCHED_OF = CompiledQuery(
    select(warcs.c.articles - warcs.c.searched).where(warcs.c.filename == bindparam("filename", unique=False))
)

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
MATCHES = CompiledQuery(text("SELECT 1 FROM search WHERE search MATCH :match AND rowid = :id"))
#: How many documents there are.
DOCUMENTS = CompiledQuery(select(func.sum(warcs.c.searched)))
#: How many of them have a term, at most so many.
HOLDING = CompiledQuery(text("SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH :match LIMIT :n)"))
#: The document of an article.
DOCUMENT = CompiledQuery(text("SELECT id FROM searched WHERE article = :article"))
# Texts without the tag fill no page. The plus keeps SQLite from asking for each of the others by itself: a word has one
# list, which is read once, and a tag may be that of very many.
_OF_TAG = f" AND +rowid IN (SELECT id FROM searched WHERE article IN ({WITH_TAG}))"


class Statements(NamedTuple):
    """What a search asks, for so many tags that an article must have, and so many that it must not."""

    find: CompiledQuery
    best: CompiledQuery
    how_many: CompiledQuery
    newer: CompiledQuery


@cache
def statements(tags: int, without: int) -> Statements:
    conditions = [VISIBLE, *(_numbered(HAS_TAG, "tag", n) for n in range(tags))]
    conditions += [f"NOT coalesce({_numbered(HAS_TAG, 'without', n)}, 0)" for n in range(without)]
    parts = {
        "shown": " AND ".join(f"({each})" for each in conditions),
        "chosen": "".join(_numbered(_OF_TAG, "tag", n) for n in range(tags)),
        "columns": ARTICLE_COLUMNS,
    }
    return Statements(*(CompiledQuery(text(sql.format(**parts))) for sql in (_FIND, _BEST, _COUNT, _NEWER)))


def _numbered(sql: str, name: str, number: int) -> str:
    """SQL of the tag `tag`, about one of several."""
    return re.sub(r":tag\b", f":{name}{number}", sql)


class FulltextQuery(NamedTuple):
    """A search in the language of FTS5, the ids that its time leaves, and its tags as parameters."""

    wanted: SearchQuery
    match: str
    low: int
    high: int
    tags: dict[str, str]
    statements: Statements

    @classmethod
    def of(cls, wanted: SearchQuery, filters: Filters) -> FulltextQuery | None:
        """Return `None` for what nothing can answer."""
        if not wanted:
            return None
        parts: list[Node] = [] if wanted.root is None else [wanted.root]
        if filters.site is not None:
            parts.append(_field([site_word(filters.site)]))
        if filters.language is not None:
            parts.append(_field(list(language_words(filters.language))[-1:] or ["l:"]))
        if filters.author is not None:
            parts.append(_field(author_words(filters.author) or ["a:"]))
        tags = dict.fromkeys([*wanted.tags, *([filters.tag] if filters.tag is not None else [])])
        named = {f"tag{number}": tag for number, tag in enumerate(tags)}
        named |= {f"without{number}": tag for number, tag in enumerate(wanted.without_tags)}
        low = 0 if filters.since is None else max(seconds(filters.since), 0) << _PLACE_BITS
        until = _LAST_SECOND if filters.until is None else min(max(seconds(filters.until), -1), _LAST_SECOND)
        high = (until + 1) << _PLACE_BITS
        return cls(wanted, All(tuple(parts)).match, low, high, named, statements(len(tags), len(wanted.without_tags)))

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that each of its statements has."""
        return {"match": self.match, "low": self.low, **self.tags}

    def hit(self, row: Row, key: int | None = None) -> Hit:
        """What a row of `find` or `best` shows; `key` is its id unless given."""
        number, packed, _, _, *rest = row
        document, entry = IndexedText.unpack(packed), article_of(tuple(rest))
        shown, marks = snippet(document.text, self.wanted)
        title_marks = tuple(self.wanted.marks(entry.title or ""))
        return Hit(entry, number if key is None else key, document.authors, shown, marks, title_marks)


def _field(found: list[str]) -> Term:
    return Term(tuple(found), of_text=False)

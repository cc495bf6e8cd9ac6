"""Full-text search in the index: documents, and questions about their words, which each database keeps in its own way.

A document's id is its second and one of 256 places in it, so that the newest are those with the largest ids. Within a
second the one entered first comes first, as in lists of articles. More bits would make every word of every document a
byte or more larger in FTS5; what a second has no place for goes to the one before. Site, language and author are words
too, so that they narrow a search instead of being sorted out after it.

A document whose month was let go has neither words nor text here (it is empty): both are read from what is published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby, islice
from types import ModuleType
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from storage.index import ArticleEntry, Filters, Hit, fts5, word_sets
from storage.index.field_words import author_words, language_words, site_word
from storage.index.indexed_text import IndexedText, ReadyText
from storage.index.queries import CompiledQuery
from storage.index.query_nodes import All, Node, Term
from storage.index.query_parser import SearchQuery
from storage.index.rows import article_of, seconds
from storage.index.schema import articles, searched, staged_texts, warcs
from storage.index.search_statements import PLACE_BITS, Match, Question
from storage.index.snippets import snippet

#: Documents that wait, by digest: their article is gone, and perhaps about to come back from another WARC.
Waiting = dict[bytes, list[int]]

#: Dialect -> what knows which documents have which words.
WORDS: Mapping[str, ModuleType] = {"sqlite": fts5, "postgresql": word_sets}

_LAST_PLACE = (1 << PLACE_BITS) - 1
# Far enough for any time, and small enough for 63 bits.
_LAST_SECOND = (1 << 40) - 2
_BATCH = 500


# Writing


def staged(entry: ArticleEntry, known: Collection[bytes]) -> dict[str, Any]:
    """The row of `staged_texts` of an article; without words where its text is among the `known`."""
    ready = entry.ready or ReadyText.of(entry, has_words=not known)
    words = ready.words
    if ready.digest in known:
        words = None
    elif words is None:
        words = IndexedText.of(entry).words
    return {"offset": entry.offset, "digest": ready.digest, "text": ready.packed, "words": words}


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
    for some in _batches(sorted((number, *place) for number, (_, *place) in zip(ids, new, strict=True))):
        _insert(connection, some)
    WORDS[connection.dialect.name].settle(connection)
    return len(taken)


def _free_ids(connection: Connection, times: Iterable[int]) -> Iterator[int]:
    """Yield an id for each of some times, given in order; in a second each is smaller than those before."""
    given: set[int] = set()
    for time, same in groupby(min(max(time, 0), _LAST_SECOND) for time in times):
        lowest = time << PLACE_BITS
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
    found: int | None = connection.scalar(select(func.min(searched.c.id)).where(searched.c.id.between(low, high)))
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
    WORDS[connection.dialect.name].add(connection, words)


def remove(connection: Connection, numbers: Iterable[int]) -> None:
    """Remove documents."""
    for some in _batches(sorted(numbers)):
        _remove_words(connection, [(number, packed) for number, _, packed in _held(connection, some)])
        connection.execute(delete(searched).where(searched.c.id.in_(some)))


def let_go(connection: Connection, documents: Mapping[int, bytes]) -> int:
    """Remove the words and texts of documents, which stay; return of how many. Given are ids, each with its digest.

    A document that has another text by now, under the same id, keeps it.
    """
    left = 0
    for some in _batches(sorted(documents)):
        held = {number: packed for number, digest, packed in _held(connection, some) if digest == documents[number]}
        _remove_words(connection, list(held.items()))
        connection.execute(update(searched).where(searched.c.id.in_(held)).values(text=b""))
        left += len(held)
    return left


def _held(connection: Connection, numbers: Collection[int]) -> list[tuple[int, bytes, bytes]]:
    """The documents among these whose texts are here, upwards: id, digest, packed text."""
    columns = select(searched.c.id, searched.c.digest, searched.c.text).order_by(searched.c.id)
    rows = connection.execute(columns.where(searched.c.id.in_(numbers), func.length(searched.c.text) > 0))
    return [(number, bytes(digest), packed) for number, digest, packed in rows]


def _remove_words(connection: Connection, documents: Collection[tuple[int, bytes]]) -> None:
    if documents:
        words = [(number, IndexedText.unpack(packed).words) for number, packed in documents]
        WORDS[connection.dialect.name].remove(connection, words)


def scrub(connection: Connection) -> None:
    """Take the words of what was removed out of the index of words."""
    WORDS[connection.dialect.name].scrub(connection)


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

#: How many documents there are.
DOCUMENTS = CompiledQuery(select(func.sum(warcs.c.searched)))
#: The document of an article.
DOCUMENT = CompiledQuery(select(searched.c.id).where(searched.c.article == bindparam("article", unique=False)))


class FulltextQuery(NamedTuple):
    """A search in the words of a database, and the ids that its time leaves."""

    wanted: SearchQuery
    #: That of `WORDS`.
    words: ModuleType
    question: Question
    low: int
    high: int
    #: Those of its tags, as parameters.
    tags: dict[str, str]
    #: In the language of FTS5, whichever database this is of.
    match: str

    @classmethod
    def of(cls, wanted: SearchQuery, filters: Filters, dialect: str) -> FulltextQuery | None:
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
        low = 0 if filters.since is None else max(seconds(filters.since), 0) << PLACE_BITS
        until = _LAST_SECOND if filters.until is None else min(max(seconds(filters.until), -1), _LAST_SECOND)
        high = (until + 1) << PLACE_BITS
        words = WORDS[dialect]
        root = All(tuple(parts))
        asked: Question = words.question(root, len(tags), len(wanted.without_tags))
        asked = asked._replace(values={**asked.values, **named})
        return cls(wanted, words, asked, low, high, named, root.match)

    def hit(self, match: Match, key: int | None = None) -> Hit:
        """What is shown of a document; `key` is its id unless given."""
        document, entry = IndexedText.unpack(match.read()), article_of(match.article)
        shown, marks = snippet(document.text, self.wanted)
        title_marks = tuple(self.wanted.marks(entry.title or ""))
        return Hit(entry, match.number if key is None else key, document.authors, shown, marks, title_marks)


def _field(found: list[str]) -> Term:
    return Term(tuple(found), of_text=False)

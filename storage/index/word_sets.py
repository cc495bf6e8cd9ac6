"""The words of articles in PostgreSQL: the set of each document's words in a GIN index.

Such an index gives what has the words in no order, all at once, so that the newest of a common word would cost what all
of them do. So the second of a document is among its words too, cut to blocks of several lengths: a search asks for the
words in the newest block, then in older ones, each longer than the last, until its page is full.

A set knows nothing of order. Where words must follow each other, the index says which documents may be meant, and their
words, kept as they came, which are: that has none of the bounds of tsvector's positions.

What is wanted is asked in a subquery, so that the planner does not know it: of a word that stands in most documents it
would go through all of them, and make the set of each, where the index has the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count

from sqlalchemy import Connection, text

from storage.index.field_words import BREAK
from storage.index.queries import CompiledQuery
from storage.index.query_nodes import All, Either, Node, Not, Term, wanted_terms
from storage.index.rows import Row
from storage.index.search_statements import PLACE_BITS, Fetch, Question, Statements, parts

# Blocks of 4 minutes, 17 minutes, … 8 years: bits of a second that are left off.
_LEVELS = range(8, 30, 2)
# Documents in the first block that is looked at, about.
_FEW = 2_000
# Bytes of all different words of a text; a tsvector takes 2**20 of them, and what stands behind cannot be found.
_MOST_BYTES = 1_000_000
# What is looked at more closely is chosen from so many of the newest.
_RANKED_FROM = 5_000
# Where words must follow each other, so many of the newest that have them are looked at to count or to rank.
_LOOKED_AT = 10_000
# Behind every id.
_END = 1 << 62

# What TOAST leaves beside the id, every match would read: rows shorter than 2,032 bytes are not looked at.
_LEAST_BYTES = 2_100

_HELD = "SELECT id FROM search WHERE word_set(words) @@ (SELECT CAST(:match AS tsquery))"
# The plus keeps PostgreSQL from going through these ids, and making the set of each.
_BETWEEN = f"{_HELD} AND id + 0 < :before AND id + 0 >= :low {{chosen}}"
# Every row of `held` is there before the first is taken: the database would else go through all ids from the newest on.
_FOUND = f"""
    WITH held AS MATERIALIZED ({_BETWEEN})
    SELECT held.id FROM (SELECT id FROM held ORDER BY id DESC OFFSET 0) AS held {{exactly}}
    ORDER BY held.id DESC LIMIT :n
"""
_IDS = _FOUND.replace("{exactly}", "")
_NEWEST = f"""
    SELECT searched.id, searched.text, articles.surt, {{shown}}, {{columns}} FROM ({_FOUND}) AS found
    JOIN searched ON searched.id = found.id
    JOIN articles ON articles.id = searched.article
    JOIN warcs ON warcs.id = articles.warc
    ORDER BY found.id DESC
"""
_BEST = """
    SELECT searched.id, searched.text, articles.surt, {shown}, {columns} FROM (
        SELECT id, {score} AS score FROM search WHERE id = ANY(:ids) AND {condition}
        ORDER BY score DESC, id DESC LIMIT :n
    ) AS found
    JOIN searched ON searched.id = found.id
    JOIN articles ON articles.id = searched.article
    JOIN warcs ON warcs.id = articles.warc
    ORDER BY found.score DESC, found.id DESC
"""
_COUNT = """
    SELECT count(DISTINCT CASE WHEN {shown} THEN articles.surt END), count(*) FROM searched
    JOIN articles ON articles.id = searched.article
    WHERE searched.id IN (SELECT id FROM search WHERE id = ANY(:ids) AND {condition})
"""
_NEWER = """
    SELECT searched.id FROM articles JOIN searched ON searched.article = articles.id
    WHERE articles.surt = :surt AND articles.timestamp >= :time AND searched.id > :id AND searched.id < :before
        AND {shown}
    ORDER BY articles.timestamp, searched.id LIMIT :n
"""
_PLACED = """
    SELECT place.number - 1, length(searched.text) > 0, searched.id, articles.surt, {shown}, {columns}
    FROM jsonb_array_elements(CAST(:places AS jsonb)) WITH ORDINALITY AS place(value, number)
    JOIN articles ON articles.surt = place.value ->> 0 AND articles.timestamp = CAST(place.value ->> 1 AS bigint)
    JOIN searched ON searched.article = articles.id AND encode(searched.digest, 'hex') = place.value ->> 2
    JOIN warcs ON warcs.id = articles.warc
    ORDER BY place.number, searched.id DESC
"""
_HOLDS = f"SELECT 1 FROM ({_HELD} AND id = :id) AS held {{exactly}}"
# One document after the other, in the order that they come in, and no more than fill a page.
_EXACTLY = "CROSS JOIN LATERAL (SELECT 1 FROM search WHERE search.id = held.id AND {} OFFSET 0) AS exactly"
_OF_TAG = " AND id IN (SELECT id FROM searched WHERE article IN ({}))"
# How often a term stands in a text: more of it says less and less.
_OFTEN = "(octet_length(words) - octet_length(replace(words, {0}, ' '))) / (octet_length({0}) - 1.0)"
_SATURATED = f"(SELECT often / (often + 1.2) FROM (SELECT {_OFTEN} AS often OFFSET 0) AS counted)"

#: Ids of some documents below one: the newest, and the last of the first few.
_PLACES = CompiledQuery(
    text(
        "SELECT max(id), min(id), count(*) FROM"
        " (SELECT id FROM searched WHERE id < :before AND id >= :low ORDER BY id DESC LIMIT :n) AS few"
    )
)


def add(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Enter the words of documents, given by their ids."""
    made = [{"id": number, "words": _kept(number, words)} for number, words in rows]
    connection.execute(text("INSERT INTO search (id, words) VALUES (:id, :words)"), made)


def remove(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    numbers = [number for number, _ in rows]
    connection.execute(text("DELETE FROM search WHERE id = ANY(:numbers)"), {"numbers": numbers})


def settle(connection: Connection) -> None:
    """Sort what a WARC brought into the index: it waits in a list that every search would have to read."""
    connection.exec_driver_sql("SELECT gin_clean_pending_list('search_words')")


def scrub(connection: Connection) -> None:
    """The tables are written anew as a whole, this one among them: see `storage.postgres`."""


def question(root: Node, tags: int, without: int) -> Question:
    condition, phrases = _exactly(root)
    terms = {f"term{number}": _place(term) for number, term in enumerate(wanted_terms(root))}
    values = {"match": _loosely(root) or _quoted(BREAK), **phrases, **terms}
    return Question(_statements(condition, len(terms), tags, without), values, bool(condition))


def holding(fetch: Fetch, term: Term, most: int) -> int:
    """Return how many documents have a term, at most so many."""
    asked = question(term, 0, 0)
    return int(how_many(fetch, asked, 0, _END, most)[1]) if asked.is_phrased else len(_ids(fetch, asked, 0, _END, most))


def newest(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> list[Row]:
    """Return the newest `n` rows of `find`."""
    return _by_blocks(fetch, asked, asked.statements.find, low, before, n)


def best(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> list[Row]:
    """Return the best `n` rows of `best`, out of the newest 5,000; of phrases, in the newest 10,000 with the words."""
    ids = _ids(fetch, asked, low, before, _LOOKED_AT if asked.is_phrased else _RANKED_FROM)
    return fetch(asked.statements.best, **asked.values, ids=ids, n=n)


def how_many(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> Row:
    """Return the row of `how_many`; of a phrase, `n` documents where more than 10,000 have its words."""
    most = _LOOKED_AT if asked.is_phrased else n
    ids = _ids(fetch, asked, low, before, most)
    urls, documents = fetch(asked.statements.how_many, **asked.values, ids=ids)[0]
    return urls, n if len(ids) == most else min(n, documents)


def _ids(fetch: Fetch, asked: Question, low: int, before: int, n: int) -> list[int]:
    """Return the newest documents that have the words, wherever these stand."""
    assert asked.statements.ids is not None
    return [row[0] for row in _by_blocks(fetch, asked, asked.statements.ids, low, before, n)]


def _by_blocks(fetch: Fetch, asked: Question, query: CompiledQuery, low: int, before: int, n: int) -> list[Row]:
    """Return the newest `n` rows, block by block."""
    rows: list[Row] = []
    for block in _blocks(fetch, low, before):
        values = {**asked.values, "match": f"({block}) & ({asked.values['match']})", "low": low, "before": before}
        rows += fetch(query, **values, n=n - len(rows))
        if len(rows) >= n:
            break
    return rows


def _blocks(fetch: Fetch, low: int, before: int) -> Iterator[str]:
    """Yield tsqueries of the blocks that documents of some ids are in, the newest first."""
    first, last, documents = fetch(_PLACES, low=low, before=before, n=_FEW)[0]
    if first is None:
        return
    span = (first - last) >> PLACE_BITS
    level = next((each for each in _LEVELS if 1 << each >= span), _LEVELS[-1])
    if documents < _FEW:
        ends = (each >> PLACE_BITS >> level for each in (first, last))
        yield " | ".join(_quoted(_block(level, block)) for block in range(next(ends), next(ends) - 1, -1))
        return
    while first is not None:
        block = first >> PLACE_BITS >> level
        yield _quoted(_block(level, block))
        before = block << level << PLACE_BITS
        if level + 2 in _LEVELS and block % 4 == 0:
            # A longer block ends here too, and so has nothing that was looked at.
            level += 2
        first, _, _ = fetch(_PLACES, low=low, before=before, n=1)[0]


def _block(level: int, block: int) -> str:
    return f"t:{level}:{block}"


def _kept(number: int, words: str) -> str:
    """The words of a document with those of its blocks, a blank before and behind each."""
    second = number >> PLACE_BITS
    blocks = [_block(level, second >> level) for level in _LEVELS]
    found = words.split()
    if len(words) * 4 > _MOST_BYTES:
        found = list(_within(found))
    return f" {' '.join([*blocks, *found])} ".ljust(_LEAST_BYTES)


def _within(words: Sequence[str]) -> Iterator[str]:
    different: set[str] = set()
    left = _MOST_BYTES
    for word in words:
        if word not in different:
            different.add(word)
            left -= len(word.encode())
            if left < 0:
                return
        yield word


def _loosely(node: Node) -> str | None:
    """A tsquery that whatever has what is wanted has too; `None` where that is all."""
    match node:
        case Term():
            found = _split(node)
            return " & ".join([*map(_quoted, found[:-1]), _quoted(found[-1]) + (":*" if node.prefix else "")])
        case Not():
            part = None if _is_phrased(node.part) else _loosely(node.part)
            return part and f"!({part})"
        case All():
            found = [each for part in node.parts if (each := _loosely(part))]
            return " & ".join(f"({each})" for each in found) or None
        case Either():
            any_of = [_loosely(part) for part in node.parts]
            return None if None in any_of else " | ".join(f"({each})" for each in any_of)


def _is_phrased(node: Node) -> bool:
    """Whether words must follow each other somewhere in a tree."""
    match node:
        case Term():
            return len(_split(node)) > 1
        case Not():
            return _is_phrased(node.part)
        case All() | Either():
            return any(map(_is_phrased, node.parts))


def _exactly(root: Node) -> tuple[str, dict[str, str]]:
    """The condition that the words of a text have what is wanted, and its values; none where the index says so."""
    values: dict[str, str] = {}
    numbers = count()

    def condition(node: Node) -> str:
        match node:
            case Term():
                name = f"phrase{next(numbers)}"
                values[name] = _place(node)
                return f"strpos(search.words, :{name}) > 0"
            case Not():
                return f"NOT {condition(node.part)}"
            case All() | Either():
                joint = " AND " if isinstance(node, All) else " OR "
                return f"({joint.join(map(condition, node.parts)) or 'true'})"

    return (condition(root), values) if _is_phrased(root) else ("", {})


def _place(term: Term) -> str:
    """A term as it stands in a text."""
    return f" {' '.join(_split(term))}{'' if term.prefix else ' '}"


def _split(term: Term) -> list[str]:
    # What is never a word is found nowhere.
    return " ".join(term.tokens).split() or ["::"]


def _quoted(word: str) -> str:
    doubled = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


@lru_cache(512)
def _statements(condition: str, terms: int, tags: int, without: int) -> Statements:
    score = " + ".join(_SATURATED.format(f":term{number}") for number in range(terms)) or "0"
    known = {
        **parts(tags, without, _OF_TAG),
        "exactly": _EXACTLY.format(condition) if condition else "",
        "score": score,
        "condition": condition or "true",
    }
    made = (_NEWEST, _BEST, _COUNT, _NEWER, _HOLDS, _PLACED, _IDS)
    return Statements(*(CompiledQuery(text(sql.format(**known))) for sql in made))

"""Tables of the index, its schema version, and the way from older versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    inspect,
    literal_column,
)

from storage.database import Kind
from storage.migrations import Migration, about_table
from storage.model import DOUBTFUL

#: Raise by one with every change of the tables, and add the step to MIGRATIONS.
VERSION = 8

metadata = MetaData()

# Keys are compared by their bytes; PostgreSQL would otherwise sort by language.
Key = Text().with_variant(Text(collation="C"), "postgresql")
# Only INTEGER is a row id in SQLite.
Id = BigInteger().with_variant(Integer(), "sqlite")

about = about_table(metadata)

warcs = Table(
    "warcs",
    metadata,
    # Never given twice, so that a page cursor cannot mean another file later.
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("filename", Key, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    # Keys of its text parts, a JSON list.
    Column("parts", Text, nullable=False),
    Column("captures", BigInteger, nullable=False),
    Column("articles", BigInteger, nullable=False),
    # How many of these can be searched.
    Column("searched", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

# Several hops of one redirect share SURT, second and even digest, so the place in the WARC belongs to the key.
# No foreign key on warc: it would want an index of its own, half as large as the table; Index deletes both together.
captures = Table(
    "captures",
    metadata,
    Column("surt", Key, primary_key=True),
    # Seconds since 1970.
    Column("timestamp", BigInteger, primary_key=True, autoincrement=False),
    Column("warc", BigInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("status", Integer),
    Column("mime", Text),
    # Packed, see storage/index/rows.py.
    Column("url", Text, nullable=False),
    Column("digest", LargeBinary),
    Column("framed_digest", LargeBinary),
    # Of the time; a revisit record names the exact WARC-Date of what it refers to.
    Column("microseconds", Integer),
    # What came in place of the page, in words.
    Column("wall", Text),
    # Why what came over TLS is not to be believed; of few captures.
    Column("insecure", Text),
    # 1 where the answer says `noarchive`; NULL, which takes no room, elsewhere.
    Column("noarchive", Integer),
    # What it says of its use, see storage/rights/signal.py; and until when it may be shown to others, in seconds since
    # 1970. Of most captures neither is there.
    Column("rights", Text),
    Column("shown_until", BigInteger),
    sqlite_with_rowid=False,
)
# What is not shown to others is asked for by its place in a WARC, and counted; it is a small part of all. Such indexes
# are of some rows in SQLite only: to name PostgreSQL's option loads its dialect at every start, a tenth of a look-up.
_MARKED = captures.c.noarchive.is_not(None)
Index("captures_noarchive", captures.c.warc, captures.c.offset, sqlite_where=_MARKED)
_ENDING = captures.c.shown_until.is_not(None)
Index("captures_shown_until", captures.c.warc, captures.c.offset, sqlite_where=_ENDING)

articles = Table(
    "articles",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("surt", Key, nullable=False),
    Column("url", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("site", Key, nullable=False),
    Column("title", Text),
    Column("published", Text),
    Column("language", Text),
    Column("words", Integer, nullable=False),
    Column("warc", ForeignKey("warcs.id"), nullable=False),
    Column("offset", BigInteger, nullable=False),
    # Position in warcs.parts.
    Column("part", Integer, nullable=False),
    Column("part_offset", BigInteger, nullable=False),
    Column("part_length", BigInteger, nullable=False),
    # Of the fingerprint: packed, see storage/index/rows.py; 64 bytes.
    Column("digest", LargeBinary),
    Column("sketch", LargeBinary),
    Column("noarchive", Integer),
    Column("confidence", Float),
    Column("rights", Text),
    Column("shown_until", BigInteger),
    UniqueConstraint("warc", "offset"),
    sqlite_autoincrement=True,
)
Index("articles_by_url", articles.c.surt, articles.c.timestamp)
Index("articles_by_time", articles.c.timestamp.desc(), articles.c.id)
Index("articles_by_site", articles.c.site, articles.c.timestamp.desc(), articles.c.id)
Index("articles_by_language", articles.c.language, articles.c.timestamp.desc(), articles.c.id)
# A number in the SQL: SQLite takes an index of some rows only where the question says the same words.
DOUBTED = articles.c.confidence < literal_column(str(DOUBTFUL))
Index(
    "articles_doubtful",
    articles.c.confidence,
    articles.c.timestamp.desc(),
    articles.c.id,
    articles.c.site,
    sqlite_where=DOUBTED,
)

# Fingerprint.keys -> articles, to find near texts by. No foreign key, as with captures.
article_keys = Table(
    "article_keys",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("article", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# Decisions to hide, give back and purge, as they stand in the store: storage/removals.py.
removals = Table(
    "removals",
    metadata,
    Column("key", Key, primary_key=True),
    Column("fields", Text, nullable=False),
)

# What follows from them: SURTs and seconds that are hidden, see storage/index/hiding.py.
hidden = Table(
    "hidden",
    metadata,
    Column("id", Id, primary_key=True),
    # Of the decision.
    Column("removal", Key, nullable=False),
    # A SURT; or the half-open range of them that begins there.
    Column("first", Key, nullable=False),
    Column("end", Key),
    # Seconds since 1970: of the captures, both included; and up to when they are hidden.
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)
Index("hidden_first", hidden.c.first)
_RANGE = hidden.c.end.is_not(None)
Index("hidden_ranges", hidden.c.end, sqlite_where=_RANGE)

# What people say of what is held, as it stands in the store: storage/annotations.py.
said = Table(
    "annotations",
    metadata,
    Column("key", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    # `Annotation.subject`.
    Column("subject", Key, nullable=False),
    Column("fields", Text, nullable=False),
)
Index("annotations_of", said.c.kind, said.c.subject)

# What follows from them: tags given and taken, see storage/index/tagging.py. `first` to `high` as in `hidden`.
tagged = Table(
    "tagged",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tag", Key, nullable=False),
    Column("first", Key, nullable=False),
    Column("end", Key),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    # The larger the later; odd where the tag is given, even where it is taken.
    Column("mark", BigInteger, nullable=False),
)
Index("tagged_by_tag", tagged.c.tag, tagged.c.first)
Index("tagged_by_place", tagged.c.first, tagged.c.tag)
_TAGGED_RANGE = tagged.c.end.is_not(None)
Index("tagged_ranges", tagged.c.end, sqlite_where=_TAGGED_RANGE)
Index("tagged_ranges_by_tag", tagged.c.tag, tagged.c.end, sqlite_where=_TAGGED_RANGE)

# What is searched. The id says the time, so that the newest stand last in every list of FTS5's; see
# storage/index/fulltext.py. No foreign key: while WARCs are replaced, the text waits here for its article.
searched = Table(
    "searched",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("article", BigInteger, nullable=False, index=True),
    # Of URL, time and text: the same text of the same capture in another WARC.
    Column("digest", LargeBinary, nullable=False),
    # Packed; the index of words does not hold it, and cannot take words out without.
    Column("text", LargeBinary, nullable=False),
)

# The words of `searched` by its ids. One column: what is not a word of the text has a ":" in it. Without the text
# (content=''), which lies packed in `searched` at a third of the size, and without lengths, which only ranking needs.
_WORDS = """CREATE VIRTUAL TABLE search USING fts5(
    words, content='', columnsize=0, tokenize="ascii tokenchars ':.-_'"
)"""


# The same for PostgreSQL: storage/index/word_sets.py. The words lie apart from the ids, which are read for every match.
# The function says what it costs, so that it is not called for each document in place of asking the index.
_WORD_SETS = (
    "CREATE TABLE search (id BIGINT PRIMARY KEY, words TEXT NOT NULL) WITH (toast_tuple_target = 128)",
    """CREATE FUNCTION word_set(words TEXT) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000
    AS $$ BEGIN RETURN array_to_tsvector(string_to_array(btrim(words), ' ')); END $$""",
    # What waits to be sorted in is at most this many kilobytes: each search has to read it.
    "CREATE INDEX search_words ON search USING gin (word_set(words)) WITH (gin_pending_list_limit = 16384)",
)


@event.listens_for(searched, "after_create")
def _make_search(_: Table, connection: Connection, **__: Any) -> None:
    for statement in (_WORDS,) if connection.dialect.name == "sqlite" else _WORD_SETS:
        connection.exec_driver_sql(statement)


def _add_search(connection: Connection) -> None:
    """Version 2: full-text search. The texts are not here; `newskeep reindex` brings them."""
    connection.exec_driver_sql("ALTER TABLE warcs ADD COLUMN searched BIGINT NOT NULL DEFAULT 0")
    searched.create(connection)


def _search_anew(connection: Connection) -> None:
    """Version 3: words are cut in another way at what is not seen. `newskeep reindex` brings the texts again."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE IF EXISTS search")
    searched.drop(connection, checkfirst=True)
    searched.create(connection)
    connection.exec_driver_sql("UPDATE warcs SET searched = 0")


def _add_marks(connection: Connection) -> None:
    """Version 4: captures are marked that came in place of a page, came over TLS that is not to be believed, or say
    `noarchive`; articles say how sure their text is. Nothing that an older version kept is.
    A column that is there stays.
    """
    for table, mark, kind in (
        ("captures", "wall", "TEXT"),
        ("captures", "insecure", "TEXT"),
        ("captures", "noarchive", "INTEGER"),
        ("articles", "noarchive", "INTEGER"),
        ("articles", "confidence", "FLOAT"),
    ):
        if not any(column["name"] == mark for column in inspect(connection).get_columns(table)):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {mark} {kind}")
    for index in (*captures.indexes, *articles.indexes):
        # That of a later version waits for its column.
        if index.name != "captures_shown_until":
            index.create(connection, checkfirst=True)


def _add_hiding(connection: Connection) -> None:
    """Version 5: what is hidden. Decisions that are in the store already come with the next look at it."""
    for table in (removals, hidden):
        table.create(connection, checkfirst=True)


def _add_annotations(connection: Connection) -> None:
    """Version 6: tags, notes and collections. Those that are in the store already come with the next look at it."""
    for table in (said, tagged):
        table.create(connection, checkfirst=True)


def _add_rights(connection: Connection) -> None:
    """Version 7: what answers say of their use. `newskeep reextract` reads what older versions kept."""
    for table in (captures, articles):
        held = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for name, kind in (("rights", "TEXT"), ("shown_until", "BIGINT")):
            if name not in held:
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def _add_languages(connection: Connection) -> None:
    """Version 8: articles in order of time by language, so that a list in a rare one does not read all others."""
    for index in articles.indexes:
        index.create(connection, checkfirst=True)


#: Version -> what makes it the next one. A version that is missing here can only be rebuilt, by `newskeep reindex`.
MIGRATIONS: Mapping[int, Migration] = {
    1: _add_search,
    2: _search_anew,
    3: _add_marks,
    4: _add_hiding,
    5: _add_annotations,
    6: _add_rights,
    7: _add_languages,
}

KIND = Kind(
    noun="index",
    make="make it with `newskeep reindex`",
    again="make it again with `newskeep reindex`",
    metadata=metadata,
    version=VERSION,
    migrations=MIGRATIONS,
)


# Rows on their way in, private to a connection: the locks of the real tables are held for one INSERT … SELECT only.
staging = MetaData()


def _staged(table: Table) -> Table:
    left_out = {"warc"} if table is captures else {"warc", "id"}
    columns = [Column(column.name, column.type) for column in table.columns if column.name not in left_out]
    return Table(f"staged_{table.name}", staging, *columns, prefixes=["TEMPORARY"])


staged_captures = _staged(captures)
staged_articles = _staged(articles)
# The offset stands for an article that has no id yet.
staged_keys = Table(
    "staged_keys", staging, Column("offset", BigInteger), Column("key", Integer), prefixes=["TEMPORARY"]
)
# Without words where the text is known to be there already.
staged_texts = Table(
    "staged_texts",
    staging,
    Column("offset", BigInteger),
    Column("digest", LargeBinary),
    Column("text", LargeBinary),
    Column("words", Text),
    prefixes=["TEMPORARY"],
)

"""The statements that read the index, and how they are run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    CompoundSelect,
    Engine,
    Select,
    TextClause,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import sqlite

from storage.database import Database, DatabaseUser
from storage.index.hiding import FOREVER, is_visible
from storage.index.rows import Row, fitted, seconds
from storage.index.schema import DOUBTED
from storage.index.schema import article_keys as _article_keys
from storage.index.schema import articles as _articles
from storage.index.schema import captures as _captures
from storage.index.schema import hidden as _hidden
from storage.index.schema import removals as _removals
from storage.index.schema import warcs as _warcs
from storage.index.tagging import candidates, has_tag

# Rows fetched at a time. No transaction stays open between two fetches, so a slow reader holds nobody up.
BATCH = 1_000

# Earlier and later than any timestamp.
FIRST, LAST = -(1 << 40), 1 << 40

Statement = Select[*tuple[Any, ...]]


class CompiledQuery:
    """A statement that is compiled once and then handed to the driver.

    Core's own execution of one takes 86 µs, the driver's 18, SQLite's work included.
    """

    def __init__(self, statement: Statement | CompoundSelect[*tuple[Any, ...]] | TextClause) -> None:
        self.statement = statement
        # Dialect -> SQL, the order of its parameters if they have one, and those that are part of the statement.
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def fetch(self, engine: Engine, values: Mapping[str, Any]) -> list[Row]:
        """Return all rows. `values` may hold more than the statement asks for. Raises the driver's errors."""
        sql, order, constants = self._compiled.get(engine.dialect.name) or self._compile(engine)
        known = {**constants, **values}
        parameters = known if order is None else [known[name] for name in order]
        try:
            return _run(engine, sql, parameters)
        except _Lost:
            # It waited in the pool since before the server's restart, as others there may have.
            engine.dispose()
        try:
            return _run(engine, sql, parameters)
        except _Lost as lost:
            raise lost.error from None

    def _compile(self, engine: Engine) -> tuple[str, list[str] | None, dict[str, Any]]:
        compiled = self.statement.compile(engine)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        made = (compiled.string, getattr(compiled, "positiontup", None), constants)
        self._compiled[engine.dialect.name] = made
        return made


class _Lost(Exception):
    """The connection is gone."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _run(engine: Engine, sql: str, parameters: Any) -> list[Row]:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
    except engine.dialect.loaded_dbapi.Error as error:
        bare: Any = connection.dbapi_connection
        if engine.dialect.is_disconnect(error, bare, None):
            connection.invalidate(error)
            raise _Lost(error) from error
        raise
    finally:
        connection.close()


class Lookup(DatabaseUser):
    """What runs such statements, and says at which moment they are asked: an embargo may have ended."""

    def __init__(self, database: Database, *, sees_hidden: bool = False) -> None:
        super().__init__(database)
        self._sees_hidden = sees_hidden

    def _now(self) -> int:
        """The second as of which is asked what is hidden; at the end of time, nothing is."""
        return FOREVER if self._sees_hidden else seconds(datetime.now(UTC))

    def _fetch(self, query: CompiledQuery, **values: Any) -> list[Row]:
        self._database.check()
        engine = self._database.engine
        with self._database.explained():
            return query.fetch(engine, fitted(engine.dialect.name, {"now": self._now(), **values}))


def _param(name: str) -> Any:
    return bindparam(name, unique=False)


def _in_sql(statement: Statement) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


_c, _w, _a, _k = _captures.c, _warcs.c, _articles.c, _article_keys.c

WARC = CompiledQuery(
    select(_w.filename, _w.size, _w.sha256, _w.parts, _w.captures, _w.articles).where(_w.filename == _param("filename"))
)
WARC_ID = CompiledQuery(select(_w.id).where(_w.filename == _param("filename")))
WARCS = CompiledQuery(
    select(_w.filename, _w.size, _w.sha256, _w.parts, _w.captures, _w.articles)
    .where(_w.filename > _param("last"))
    .order_by(_w.filename)
    .limit(_param("n"))
)
COUNTS = CompiledQuery(select(func.count(), func.sum(_w.size), func.sum(_w.captures), func.sum(_w.articles)))
_counted = select(_c.warc, func.count().label("rows")).group_by(_c.warc).subquery()
_rows = func.coalesce(_counted.c.rows, 0)
MISCOUNTED = CompiledQuery(
    select(_w.filename, _w.captures, _rows)
    .join_from(_warcs, _counted, _counted.c.warc == _w.id, isouter=True)
    .where(_w.captures != _rows)
    .order_by(_w.filename)
)

#: Whether anything says `noarchive`; the index of those answers.
ANY_NOARCHIVE = CompiledQuery(select(_c.warc).where(_c.noarchive.is_not(None)).limit(1))
#: Whether what says `noarchive` lies between two places of a WARC.
SAYS_NOARCHIVE = CompiledQuery(
    select(_c.offset)
    .join_from(_warcs, _captures, _w.id == _c.warc)
    .where(
        _w.filename == _param("filename"),
        _c.noarchive.is_not(None),
        _c.offset < _param("end"),
        _c.offset + _c.length > _param("start"),
    )
    .limit(1)
)

#: The same of what may be shown to others up to a moment alone: whether there is any, and whether one that is past lies
#: there.
ANY_ENDING = CompiledQuery(select(_c.warc).where(_c.shown_until.is_not(None)).limit(1))
HAS_ENDED = CompiledQuery(
    select(_c.offset)
    .join_from(_warcs, _captures, _w.id == _c.warc)
    .where(
        _w.filename == _param("filename"),
        _c.shown_until.is_not(None),
        _c.shown_until <= _param("moment"),
        _c.offset < _param("end"),
        _c.offset + _c.length > _param("start"),
    )
    .limit(1)
)

# The order of the columns is that of rows.capture_of; the first four are the key.
_ANY_CAPTURE = select(
    _c.surt,
    _c.timestamp,
    _c.warc,
    _c.offset,
    _c.length,
    _c.status,
    _c.mime,
    _c.url,
    _c.digest,
    _c.framed_digest,
    _c.microseconds,
    _c.wall,
    _c.insecure,
    _c.noarchive,
    _c.rights,
    _w.filename,
).join_from(_captures, _warcs, _w.id == _c.warc)
# Every statement that finds a capture is made from this one.
_CAPTURE = _ANY_CAPTURE.where(is_visible(_captures))

_r = _hidden.c


def _hides(key: Any, time: Any) -> Any:
    """The condition that a place is hidden, for what is found by what is hidden, which is little."""
    return (key >= _r.first) & (key < func.coalesce(_r.end, _r.first.concat("!"))) & time.between(_r.low, _r.high)


#: Captures of a WARC that are hidden, and begin before a place in it.
HIDDEN_IN = CompiledQuery(
    _ANY_CAPTURE.join(_hidden, _hides(_c.surt, _c.timestamp)).where(
        _r.until > _param("now"), _w.filename == _param("filename"), _c.offset < _param("end")
    )
)
#: How many decisions are known, and places hidden now: other numbers whenever something was hidden or is shown again.
HIDDEN = CompiledQuery(
    select(
        select(func.count()).select_from(_removals).scalar_subquery(),
        select(func.count()).select_from(_hidden).where(_r.until > _param("now")).scalar_subquery(),
    )
)

_KEY = (_c.surt, _c.timestamp, _c.warc, _c.offset)
_captures_behind = (
    _CAPTURE.where(
        tuple_(*_KEY) > tuple_(_param("surt"), _param("timestamp"), _param("warc"), _param("offset")),
        _c.surt < _param("end"),
        _c.timestamp >= _param("low"),
        _c.timestamp <= _param("high"),
    )
    .order_by(*_KEY)
    .limit(_param("n"))
)
CAPTURES = CompiledQuery(_captures_behind)
#: Those of them that have a tag.
TAGGED_CAPTURES = CompiledQuery(_captures_behind.where(_c.surt.in_(candidates(_captures, "surt")), has_tag(_captures)))
AT = CompiledQuery(
    _CAPTURE.where(_c.surt == _param("surt"), _c.timestamp == _param("timestamp"), _c.url == _param("url")).order_by(
        _c.warc, _c.offset
    )
)

#: Revisits with one of some digests, by a look at every row; run by SQLAlchemy, which writes the list out.
REVISITS = _CAPTURE.where(_c.mime == "warc/revisit", _c.digest.in_(bindparam("digests", unique=False, expanding=True)))

_cursor = tuple_(_param("timestamp"), _param("warc"), _param("offset"))
_before = (
    _CAPTURE.where(_c.surt == _param("surt"), tuple_(*_KEY[1:]) < _cursor)
    .order_by(*(column.desc() for column in _KEY[1:]))
    .limit(_param("n"))
)
_after = _CAPTURE.where(_c.surt == _param("surt"), tuple_(*_KEY[1:]) > _cursor).order_by(*_KEY[1:]).limit(_param("n"))


class Sides(NamedTuple):
    """What stands on both sides of a moment: one row of each, which mostly suffices, and then more of either."""

    around: CompiledQuery
    before: CompiledQuery
    after: CompiledQuery


def _sides(before: Statement, after: Statement) -> Sides:
    around = union_all(select(before.limit(1).subquery()), select(after.limit(1).subquery()))
    return Sides(CompiledQuery(around), CompiledQuery(before), CompiledQuery(after))


#: Captures that share the SURT, and those of exactly one URL.
ALIKE = _sides(_before, _after)
EXACT = _sides(_before.where(_c.url == _param("url")), _after.where(_c.url == _param("url")))

# The order of the columns is that of rows.article_of.
_ARTICLE = select(
    _a.id,
    _a.url,
    _a.timestamp,
    _a.site,
    _a.title,
    _a.published,
    _a.language,
    _a.words,
    _w.filename,
    _a.offset,
    _w.parts,
    _a.part,
    _a.part_offset,
    _a.part_length,
    _a.digest,
    _a.sketch,
    _a.noarchive,
    _a.confidence,
    _a.rights,
).join_from(_articles, _warcs, _w.id == _a.warc)

#: The same columns in SQL.
ARTICLE_COLUMNS = ", ".join(str(column) for column in _ARTICLE.selected_columns)
# Every statement that finds an article, or counts some, has this condition.
_SHOWN = is_visible(_articles)
_ARTICLE = _ARTICLE.where(_SHOWN)
#: The condition in SQL; out of a statement, since by itself it would speak of all articles and not of the row at hand.
VISIBLE = _in_sql(select(_a.id).where(_SHOWN)).partition("WHERE ")[2]
_WITH_TAG = candidates(_articles, "id")
#: The same of a tag: the articles that may have it, and the condition that the row at hand does.
WITH_TAG = _in_sql(_WITH_TAG)
HAS_TAG = _in_sql(select(_a.id).where(has_tag(_articles))).partition("WHERE ")[2]

_article_before = (
    _ARTICLE.where(_a.surt == _param("surt"), _a.timestamp <= _param("timestamp"))
    .order_by(_a.timestamp.desc(), _a.id.desc())
    .limit(1)
)
_article_after = (
    _ARTICLE.where(_a.surt == _param("surt"), _a.timestamp > _param("timestamp")).order_by(_a.timestamp, _a.id).limit(1)
)
ARTICLE_BEFORE, ARTICLE_AFTER = CompiledQuery(_article_before), CompiledQuery(_article_after)
ARTICLE_BEFORE_URL, ARTICLE_AFTER_URL = (
    CompiledQuery(query.where(_a.url == _param("url"))) for query in (_article_before, _article_after)
)
TEXT_SIZE = CompiledQuery(
    select(func.max(_a.part_offset + _a.part_length))
    .join_from(_warcs, _articles, _w.id == _a.warc)
    .where(_w.filename == _param("filename"))
)
_history = (
    _ARTICLE.where(
        _a.surt == _param("surt"),
        _a.timestamp >= _param("timestamp"),
        or_(_a.timestamp > _param("timestamp"), _a.id > _param("id")),
    )
    .order_by(_a.timestamp, _a.id)
    .limit(_param("n"))
)
#: Articles that share the SURT, and those of exactly one URL, from a cursor on.
HISTORY, HISTORY_URL = CompiledQuery(_history), CompiledQuery(_history.where(_a.url == _param("url")))
#: Articles that have a key, the last entered first.
KEYED = CompiledQuery(select(_k.article).where(_k.key == _param("key")).order_by(_k.article.desc()).limit(_param("n")))
ARTICLE = CompiledQuery(_ARTICLE.where(_a.id == _param("id")))
ARTICLES_OF = CompiledQuery(_ARTICLE.where(_w.filename == _param("filename")).order_by(_a.offset))
ARTICLE_AT = CompiledQuery(_ARTICLE.where(_w.filename == _param("filename"), _a.offset == _param("offset")))


@cache
def articles(by_site: bool, by_language: bool | Literal["alone"], by_tag: bool) -> CompiledQuery:
    """Articles from a cursor on, the newest first; within a second in the order they were entered.

    Of a language with its regions; "alone" without them, which an index has in this order. Rows that are entered again
    meanwhile get larger ids: they may come twice, and are never left out.
    """
    at, number = _param("timestamp"), _param("id")
    query = _ARTICLE.where(
        _a.timestamp <= at,
        or_(_a.timestamp < at, _a.id > number),
        _a.timestamp >= _param("low"),
    )
    if by_site:
        query = query.where(_a.site == _param("site"))
    if by_language == "alone":
        query = query.where(_a.language == _param("language"))
    elif by_language:
        # "pt" is also "pt-BR"; "pt-BR" is only itself. Not as a range, which a server may see by a language's order.
        language = _param("language")
        its_region = func.substr(_a.language, 1, func.length(language) + 1) == language + "-"
        query = query.where(or_(_a.language == language, its_region))
    if by_tag:
        query = query.where(_a.id.in_(_WITH_TAG), has_tag(_articles))
    return CompiledQuery(query.order_by(_a.timestamp.desc(), _a.id).limit(_param("n")))


@cache
def doubtful(by_site: bool, newest: bool, few: bool) -> CompiledQuery:
    """Articles less sure than a bound, from a cursor on: the least sure first, of equal ones the newest; or the newest.

    `few` says that the bound is no higher than `DOUBTFUL`: SQLite then reads the index of those alone.
    """
    at, number, sure = _param("timestamp"), _param("id"), _param("confidence")
    later = or_(_a.timestamp < at, (_a.timestamp == at) & (_a.id > number))
    query = _ARTICLE.where(
        _a.confidence < _param("below"),
        _a.timestamp >= _param("low"),
        _a.timestamp <= _param("high"),
        later if newest else or_(_a.confidence > sure, (_a.confidence == sure) & later),
    )
    if few:
        query = query.where(DOUBTED)
    if by_site:
        # No bare column where few are doubtful: SQLite would take the index of sites and read all articles of one.
        query = query.where((_a.site.concat("") if few else _a.site) == _param("site"))
    order = (_a.timestamp.desc(), _a.id) if newest else (_a.confidence, _a.timestamp.desc(), _a.id)
    return CompiledQuery(query.order_by(*order).limit(_param("n")))


@cache
def doubt(by_site: bool) -> CompiledQuery:
    """Of each site, by name: the articles of a time whose confidence is known, and those of them below a bound."""
    query = select(
        _a.site, func.count(_a.confidence), func.sum(case((_a.confidence < _param("below"), 1), else_=0))
    ).where(_SHOWN, _a.confidence.is_not(None), _a.timestamp >= _param("low"), _a.timestamp <= _param("high"))
    if by_site:
        query = query.where(_a.site == _param("site"))
    return CompiledQuery(query.group_by(_a.site).order_by(_a.site))


#: How sure the articles of a site are since a time, the newest first; not those of which nobody said.
CONFIDENCES = CompiledQuery(
    select(_a.timestamp, _a.confidence)
    .where(_SHOWN, _a.site == _param("site"), _a.timestamp >= _param("low"), _a.confidence.is_not(None))
    .order_by(_a.timestamp.desc(), _a.id)
)


def _first_site(behind: Any) -> Select[tuple[str]]:
    return select(_a.site).where(_SHOWN, _a.site > behind).order_by(_a.site).limit(1)


_named = select(_first_site(_param("last")).scalar_subquery().label("site")).cte("named", recursive=True)
_named = _named.union_all(
    select(_first_site(_named.c.site).correlate(_named).scalar_subquery()).where(_named.c.site.is_not(None))
)
#: The sites behind a name: the first one behind each before it, which is less than to read past all of its articles.
SITES = CompiledQuery(select(_named.c.site).where(_named.c.site.is_not(None)).limit(_param("n")))

_language = select(_a.language).order_by(_a.language).limit(1)
_spoken = select(_language.where(_a.language.is_not(None)).scalar_subquery().label("language")).cte(
    "spoken", recursive=True
)
_next = _language.where(_a.language > _spoken.c.language).correlate(_spoken).scalar_subquery()
_spoken = _spoken.union_all(select(_next).where(_spoken.c.language.is_not(None)))
#: The languages of articles, found like the sites.
LANGUAGES = CompiledQuery(select(_spoken.c.language).where(_spoken.c.language.is_not(None)))
#: The sites of the newest articles since a time, one an article.
RECENT_SITES = CompiledQuery(
    select(_a.site).where(_SHOWN, _a.timestamp >= _param("low")).order_by(_a.timestamp.desc(), _a.id).limit(_param("n"))
)


class Days(NamedTuple):
    """Articles a day since a time, by the number of the day since 1970; only of days that have some.

    What is hidden is counted apart: all articles are then counted in an index, which does not say what is hidden.
    """

    all: CompiledQuery
    hidden: CompiledQuery


@cache
def days(by_site: bool) -> Days:
    chosen = [_a.timestamp >= _param("low"), *([_a.site == _param("site")] if by_site else [])]
    day = (_a.timestamp // 86_400).label("day")
    each = select(day, func.count()).where(*chosen)
    hidden = (
        select(day, func.count(_a.id.distinct()))
        .join_from(_hidden, _articles, _hides(_a.surt, _a.timestamp))
        .where(_r.until > _param("now"), *chosen)
    )
    return Days(*(CompiledQuery(query.group_by(text("day"))) for query in (each, hidden)))

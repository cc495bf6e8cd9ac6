"""The statements of the frontier that are more than one line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Update, and_, bindparam, case, func, or_, select, text, update

from crawler.frontier.address_state import State
from crawler.frontier.dialects import NewestFirst, upsert
from crawler.frontier.schema import AGAIN, NEW, ROLES, SOURCE, STATES, addresses, names, runs, sites

_a, _s = addresses.c, sites.c
_origin, _source = names.alias("origin"), names.alias("source")

ARTICLE, HELD, ALIAS = ROLES.index("article"), STATES.index("held"), STATES.index("alias")
FAILED = STATES.index("failed")
_NOT_MODIFIED = 304

#: Written out where an index holds only such rows: SQLite uses it only when it can see that it may.
_HAS_DUE = _a.due.is_not(None)
_IS_NEW = text("queue = 1")
IS_ARTICLE = text("role = 3")

KNOWN = (
    select(
        *(column for column in addresses.columns if column.name not in ("origin", "source")),
        _origin.c.name.label("origin_name"),
        _source.c.name.label("source_name"),
    )
    .join_from(addresses, _origin, _origin.c.id == _a.origin)
    .join(_source, _source.c.id == _a.source, isouter=True)
)


#: Made once, as all that is asked of thousands of sites: to make one takes as long as to run it.
SITE = select(sites).where(_s.name == bindparam("site"))
_OF_SITE = runs.c.site == select(_s.id).where(_s.name == bindparam("site")).scalar_subquery()
RUN = select(runs).where(_OF_SITE, runs.c.crawl == bindparam("crawl"))
RUNS = select(runs).where(_OF_SITE).order_by(runs.c.started.desc(), runs.c.crawl.desc()).limit(bindparam("limit"))


def site_id(name: str) -> Any:
    return select(_s.id).where(_s.name == name).scalar_subquery()


def due_sources(site: str, at: int) -> Select[Any]:
    where = and_(_a.site == site_id(site), _a.queue == SOURCE, _HAS_DUE, _a.due <= at)
    return KNOWN.where(where).order_by(_a.due, _a.id)


def new_articles(site: str, at: int, limit: int) -> Select[Any]:
    """Articles never asked for, newest first, then those without a date; of one time in the order of their naming."""
    return KNOWN.where(_new(site, at)).order_by(NewestFirst(_a.dated), _a.id).limit(limit)


def undated_articles(site: str, at: int, named_before: int, limit: int) -> Select[Any]:
    """Articles never asked for of which nothing tells the date, the first named first."""
    where = and_(_new(site, at), _a.dated.is_(None), _a.announced < named_before)
    return KNOWN.where(where).order_by(_a.id).limit(limit)


def _new(site: str, at: int) -> ColumnElement[bool]:
    # The sum hides `due` from the index by due time, which would have all that wait sorted.
    return and_(_a.site == site_id(site), _IS_NEW, _a.due + 0 <= at)


def due_articles(site: str, at: int) -> Select[Any]:
    """All articles to ask for now, new or again."""
    return KNOWN.where(_a.site == site_id(site), _a.queue.in_((NEW, AGAIN)), _HAS_DUE, _a.due <= at)


def old_articles(site: str, at: int, limit: int) -> Select[Any]:
    """Articles to ask for again, those first whose wait is longest for their interval; then in the order of naming."""
    overdue = (at - _a.due) * 1.0 / case((_a.interval > 60, _a.interval), else_=60)
    where = and_(_a.site == site_id(site), _a.queue == AGAIN, _HAS_DUE, _a.due <= at)
    # Found in the index alone; only those chosen are read.
    chosen = select(_a.id, overdue.label("overdue")).where(where)
    rows = chosen.order_by(text("overdue DESC"), _a.due, _a.id).limit(limit).subquery()
    return KNOWN.join(rows, rows.c.id == _a.id).order_by(rows.c.overdue.desc(), _a.due, _a.id)


def next_due(site: str, queue: int) -> Select[Any]:
    return select(func.min(_a.due)).where(_a.site == site_id(site), _a.queue == queue, _HAS_DUE)


def runs_ahead(site: int, limit: int) -> Select[Any]:
    return select(runs.c.crawl).where(runs.c.site == site, runs.c.started > limit).limit(1)


def due_ahead(site: int, queue: int, far: int) -> Select[Any]:
    return select(_a.id).where(_a.site == site, _a.queue == queue, _HAS_DUE, _a.due > far).limit(1)


def mend_addresses(site: int, now: int, limit: int, far: int) -> Iterator[Update]:
    """What was written by a clock that was beyond `limit` becomes `now`."""
    mine = update(addresses).where(_a.site == site)
    soon = and_(_a.due > now, or_(_a.fetched > limit, _a.announced > limit))
    yield mine.where(_a.due.is_not(None), or_(_a.due > far, soon)).values(due=now)
    for column in ("announced", "fetched", "changed", "captured"):
        yield mine.where(_a[column] > limit).values({column: now})


def mend_runs(site: int, now: int, limit: int) -> Update:
    ended = case((runs.c.finished.is_not(None), now))
    return update(runs).where(runs.c.site == site, runs.c.started > limit).values(started=now, finished=ended)


@cache
def visit(dialect: str) -> Any:
    """Enters what visits found, see `Frontier.visited`. Made once: to make it takes longer than to run it."""
    new = upsert(addresses, dialect)
    said = new.excluded
    no_content = or_(said.state != HELD, func.coalesce(said.status, 0) == _NOT_MODIFIED)

    def kept(column: str) -> ColumnElement[Any]:
        return case((no_content, func.coalesce(said[column], _a[column])), else_=said[column])

    return new.on_conflict_do_update(
        index_elements=["site", "key"],
        set_={
            **{
                name: said[name]
                for name in ("role", "state", "reason", "fetched", "due", "queue", "interval", "status")
            },
            **{name: kept(name) for name in ("etag", "last_modified", "digest")},
            "alias_of": said.alias_of,
            "published": func.coalesce(_a.published, said.published),
            "changed": func.coalesce(said.changed, _a.changed),
            "captured": func.coalesce(_a.captured, said.captured),
            "failures": case((said.state == FAILED, _a.failures + 1), else_=0),
        },
    )


#: Enters dates where there are none; who uses it says which row.
LEARN_DATES = update(addresses).values(
    published=func.coalesce(_a.published, bindparam("told_published")),
    modified=func.coalesce(_a.modified, bindparam("told_modified")),
)


def state_of(number: int) -> State:
    return cast(State, STATES[number])

"""Parts of the transactions that change the frontier; each runs inside the caller's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, insert, select

from crawler.frontier import rows
from crawler.frontier.address_state import Announcement, Visit
from crawler.frontier.schema import ROLES, STATES, addresses, named_day, names, queue_of, sites
from crawler.frontier.statements import ARTICLE, site_id, visit

T = TypeVar("T")

# Rows looked up, written or removed at a time: what others have to wait for.
BATCH = 500

_a = addresses.c


class News(NamedTuple):
    """What announced items would change, by the keys of their URLs."""

    new: list[int]
    #: Known without a date of publication or of change that the item has.
    dated: list[int]
    #: Known as articles, named as sources by the configuration.
    sources: list[int]

    def __bool__(self) -> bool:
        return any(self)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while batch := list(islice(left, BATCH)):
        yield batch


def news(connection: Connection, site: str, items: Mapping[int, Announcement]) -> News:
    """Return what of the items, by the keys of their URLs, is not yet known."""
    where = (_a.site == site_id(site), _a.key.in_(items))
    known = {
        row.key: row for row in connection.execute(select(_a.key, _a.published, _a.modified, _a.role).where(*where))
    }
    dated = [key for key, row in known.items() if _tells_a_date(items[key], row)]
    sources = [key for key, row in known.items() if row.role == ARTICLE and _is_configured(items[key])]
    return News([key for key in items if key not in known], dated, sources)


def _tells_a_date(item: Announcement, row: Row[Any, Any, Any, Any]) -> bool:
    told = (item.published, row.published), (item.modified, row.modified)
    return any(date is not None and known is None for date, known in told)


def _is_configured(item: Announcement) -> bool:
    return item.source is None and item.role != "article"


def new_row(site: int, key: int, item: Announcement, ids: Mapping[str, int], at: int) -> dict[str, Any]:
    origin, path = rows.split(item.url)
    return {
        "site": site,
        "key": key,
        "origin": ids[origin],
        "path": path,
        "role": ROLES.index(item.role),
        "state": STATES.index("waiting"),
        "source": None if item.source is None else ids[item.source],
        "announced": at,
        "published": rows.packed(item.published),
        "named": named_day(item.url, at),
        "modified": rows.packed(item.modified),
        "due": at,
        "queue": queue_of(item.role, "waiting", at),
    }


def dates_row(key: int, item: Announcement) -> dict[str, Any]:
    """What `LEARN_DATES` is given."""
    return {"its_key": key, "told_published": rows.packed(item.published), "told_modified": rows.packed(item.modified)}


def enter_site(connection: Connection, name: str) -> int:
    """Return the number of a site; one that is not known becomes it."""
    query = select(sites.c.id).where(sites.c.name == name)
    number = connection.scalar(query)
    if number is None:
        connection.execute(insert(sites).values(name=name))
        number = connection.scalars(query).one()
    return int(number)


def name_ids(connection: Connection, site: int, wanted: Collection[str]) -> dict[str, int]:
    """Return the numbers of what rows of a site share; what is not known is entered."""
    where = (names.c.site == site, names.c.name.in_(wanted))
    query = select(names.c.name, names.c.id).where(*where)
    known: dict[str, int] = dict(connection.execute(query).all())
    if missing := sorted(set(wanted) - known.keys()):
        connection.execute(insert(names), [{"site": site, "name": name} for name in missing])
        known = dict(connection.execute(query).all())
    return known


def shared_names(items: Iterable[Announcement]) -> set[str]:
    return {name for item in items for name in (rows.split(item.url)[0], item.source) if name is not None}


def enter_visits(connection: Connection, visits: Iterable[Visit]) -> None:
    """See `Frontier.visited`."""
    numbers: dict[str, int] = {}
    ids: dict[tuple[int, str], int] = {}
    found: list[dict[str, Any]] = []
    for each in visits:
        number = numbers.get(each.site) or numbers.setdefault(each.site, enter_site(connection, each.site))
        origin, path = rows.split(each.url)
        if (number, origin) not in ids:
            ids[number, origin] = name_ids(connection, number, {origin})[origin]
        found.append({**rows.visit_row(each), "site": number, "origin": ids[number, origin], "path": path})
    if found:
        connection.execute(visit(connection.dialect.name), found)

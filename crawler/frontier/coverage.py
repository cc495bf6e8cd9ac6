"""How much of what a site announced is held; each function reads inside the caller's connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from crawler.frontier.address_state import Coverage, OutcomeGroup
from crawler.frontier.rows import packed
from crawler.frontier.schema import STATES, addresses
from crawler.frontier.statements import ALIAS, HELD, KNOWN, announced, state_of
from storage.index.rows import seconds

# Groups that are told apart.
GROUPS = 50

_a = addresses.c

# What was held once is held, and needs no reason.
_state: ColumnElement[int] = case((and_(_a.captured.is_not(None), _a.state != ALIAS), HELD), else_=_a.state)
_reason: ColumnElement[str | None] = case((_state == HELD, None), else_=_a.reason)

# What counts as its age.
_fresh: ColumnElement[int] = func.coalesce(_a.dated, _a.announced)

Where = list[ColumnElement[bool]]


def coverage(connection: Connection, site: str, since: datetime, until: datetime | None, samples: int) -> Coverage:
    """See `Frontier.coverage`."""
    where = announced(site, seconds(since), packed(until))
    found = connection.execute(select(_state, func.count()).where(*where).group_by(_state)).all()
    counts = {STATES[state]: int(count) for state, count in found}
    held = [*where, _state == HELD]
    return Coverage(
        site=site,
        since=since,
        until=until,
        announced=sum(counts.values()) - counts.get("alias", 0),
        held=counts.get("held", 0),
        groups=tuple(_groups(connection, where, samples)),
        median_delay=_median(connection, _a.captured - _a.announced, held),
        median_age=_median(connection, _a.captured - _fresh, [*held, _a.published.is_not(None)]),
    )


def articles_a_day(connection: Connection, site: str, days: int, at: datetime) -> list[tuple[date, int]]:
    """See `Frontier.articles_a_day`."""
    last = at.astimezone(UTC).date()
    wanted = [last - timedelta(days=back) for back in reversed(range(days))]
    numbers = [(day - date(1970, 1, 1)).days for day in wanted]
    start = min(numbers, default=0) * 86_400
    day = _fresh // 86_400
    # Nothing is fresher than its announcement, so the index by that finds all.
    where = [*announced(site, start, None), _fresh >= start, _state == HELD]
    found = {
        int(day): int(count) for day, count in connection.execute(select(day, func.count()).where(*where).group_by(day))
    }
    return [(day, found.get(number, 0)) for day, number in zip(wanted, numbers, strict=True)]


def _groups(connection: Connection, where: Where, samples: int) -> Iterator[OutcomeGroup]:
    query = select(_state, _reason, func.count()).where(*where).group_by(_state, _reason)
    for state, reason, count in connection.execute(query.order_by(func.count().desc()).limit(GROUPS)).all():
        alike = KNOWN.where(*where, _state == state, _reason.is_not_distinct_from(reason))
        newest = connection.execute(alike.order_by(_a.announced.desc(), _a.id).limit(samples))
        yield OutcomeGroup(state_of(state), reason, int(count), tuple(row.origin_name + row.path for row in newest))


def _median(connection: Connection, value: ColumnElement[int], where: Where) -> float | None:
    count = connection.scalar(select(func.count()).where(*where)) or 0
    # Of an even number the lower of the two.
    middle = select(value).where(*where).order_by(value).limit(1).offset(max(count - 1, 0) // 2)
    found = connection.scalar(middle)
    return None if found is None else float(found)

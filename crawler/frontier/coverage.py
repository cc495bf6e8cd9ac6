"""How much of what a site announced is held; compiled once, for `health` asks it of thousands of sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, select

from crawler.frontier.address_state import Coverage, OutcomeGroup
from crawler.frontier.rows import packed
from crawler.frontier.schema import STATES, addresses, names, sites
from crawler.frontier.statements import ALIAS, HELD, IS_ARTICLE, state_of
from storage.index.queries import LAST, CompiledQuery
from storage.index.rows import Row, seconds

#: Runs a statement with its values and returns all rows; raises `StoreUnavailable`.
Fetch = Callable[..., list[Row]]

# Groups that are told apart.
GROUPS = 50
_DAY = 86_400

_a = addresses.c

# What was held once is held, and needs no reason.
_state: ColumnElement[int] = case((and_(_a.captured.is_not(None), _a.state != ALIAS), HELD), else_=_a.state)
_reason: ColumnElement[str | None] = case((_state == HELD, None), else_=_a.reason)

# What counts as its age.
_fresh: ColumnElement[int] = func.coalesce(_a.dated, _a.announced)

_site = select(sites.c.id).where(sites.c.name == bindparam("site")).scalar_subquery()
_announced = and_(_a.site == _site, IS_ARTICLE, _a.announced >= bindparam("since"), _a.announced < bindparam("until"))


def _middle(value: ColumnElement[int], *where: ColumnElement[bool]) -> CompiledQuery:
    """The value of those held at a place in the order of the values."""
    found = select(value).where(_announced, _state == HELD, *where).order_by(value)
    return CompiledQuery(found.limit(1).offset(bindparam("place")))


def _by_day(day: ColumnElement[Any], *where: ColumnElement[bool]) -> CompiledQuery:
    query: Select[Any] = select(day, func.count()).where(_announced, *where).group_by(day)
    return CompiledQuery(query)


#: Articles announced in a time, by what became of them.
BY_OUTCOME = CompiledQuery(
    select(_state, _reason, func.count(), func.count(_a.published)).where(_announced).group_by(_state, _reason)
)
_SAMPLES = CompiledQuery(
    select(names.c.name + _a.path)
    .join_from(addresses, names, names.c.id == _a.origin)
    .where(_announced, _state == bindparam("state"), _reason.is_not_distinct_from(bindparam("reason")))
    .order_by(_a.announced.desc(), _a.id)
    .limit(bindparam("samples"))
)
_DELAY = _middle(_a.captured - _a.announced)
_AGE = _middle(_a.captured - _fresh, _a.published.is_not(None))
_HELD_BY_DAY = _by_day(_fresh // _DAY, _fresh >= bindparam("since"), _state == HELD)
_ANNOUNCED_BY_DAY = _by_day((bindparam("until") - 1 - _a.announced) // _DAY, _state != ALIAS)


def coverage(fetch: Fetch, site: str, since: datetime, until: datetime | None, samples: int) -> Coverage:
    """See `Frontier.coverage`."""
    when = {"site": site, "since": seconds(since), "until": LAST if until is None else packed(until)}
    # Here, since databases sort texts differently.
    groups = sorted(fetch(BY_OUTCOME, **when), key=lambda row: (-row[2], row[0], row[1] or ""))
    counts: Counter[str] = Counter()
    dated = 0
    for state, _, count, published in groups:
        counts[STATES[state]] += count
        dated += published if state == HELD else 0

    def median(query: CompiledQuery, count: int) -> float | None:
        # Of an even number the lower of the two.
        found = fetch(query, **when, place=(count - 1) // 2) if count else []
        return float(found[0][0]) if found and found[0][0] is not None else None

    def group(state: int, reason: str | None, count: int) -> OutcomeGroup:
        urls = fetch(_SAMPLES, **when, state=state, reason=reason, samples=samples) if samples else []
        return OutcomeGroup(state_of(state), reason, count, tuple(url for (url,) in urls))

    return Coverage(
        site=site,
        since=since,
        until=until,
        announced=counts.total() - counts["alias"],
        held=counts["held"],
        groups=tuple(group(state, reason, count) for state, reason, count, _ in groups[:GROUPS]),
        median_delay=median(_DELAY, counts["held"]),
        median_age=median(_AGE, dated),
    )


def announced_a_day(fetch: Fetch, site: str, days: int, until: datetime) -> list[int]:
    """See `Frontier.announced_a_day`."""
    end = seconds(until)
    found: dict[int, int] = dict(fetch(_ANNOUNCED_BY_DAY, site=site, since=end - days * _DAY, until=end))
    return [found.get(day, 0) for day in range(days)]


def articles_a_day(fetch: Fetch, site: str, days: int, at: datetime) -> list[tuple[date, int]]:
    """See `Frontier.articles_a_day`."""
    last = at.astimezone(UTC).date()
    wanted = [last - timedelta(days=back) for back in reversed(range(days))]
    numbers = [(day - date(1970, 1, 1)).days for day in wanted]
    # Nothing is fresher than its announcement, so the index by that finds all.
    since = min(numbers, default=0) * _DAY
    found: dict[int, int] = dict(fetch(_HELD_BY_DAY, site=site, since=since, until=LAST))
    return [(day, found.get(number, 0)) for day, number in zip(wanted, numbers, strict=True)]

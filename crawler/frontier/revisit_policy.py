"""When to ask for an address again: pure functions of what is known, the same answer for the same question.

Each returns `(due, interval)`: the time to ask again, `None` for never, and the seconds that the next answer starts
from. All durations are in seconds, all times aware.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from crawler.frontier.address_state import AddressState, Role

HOUR, DAY = 3_600.0, 86_400.0

Turn = tuple[datetime | None, float | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RevisitPolicy:
    """How often is enough, in seconds and factors."""

    #: An article is asked for again after this, or after `age_share` of its age if that is longer: what is old when it
    #: is found has mostly been corrected long ago.
    first: float = HOUR
    age_share: float = 0.25
    #: Unchanged, the interval grows by `growth` up to `most`; changed, it is halved down to `least`.
    growth: float = 3.0
    shrink: float = 2.0
    least: float = HOUR / 4
    most: float = 30 * DAY
    #: An article that has not changed for so long is left alone for good: about eight visits after its publication.
    settled: float = 90 * DAY
    #: An article that is gone is asked for once more after this.
    gone: float = DAY
    #: Failures: the first wait, doubled each time up to the last one; articles are given up after so many in a row.
    retry: float = HOUR / 4
    retry_most: float = DAY
    retries: int = 10
    #: A source without news is asked ever more rarely, down to these; sitemaps are large, and old ones never change.
    source_most: dict[Role, float] = field(default_factory=lambda: {"feed": DAY, "page": DAY, "sitemap": 7 * DAY})
    source_growth: dict[Role, float] = field(default_factory=lambda: {"feed": 1.2, "page": 1.2, "sitemap": 2.0})
    #: Share of a site's `every` by which a source may be asked early, so that it is not missed by a run that comes to
    #: it a little sooner than the one before did.
    slack: float = 1 / 3


DEFAULT = RevisitPolicy()


def next_article(
    known: AddressState | None,
    at: datetime,
    changed: bool,
    published: datetime | None = None,
    rhythm: RevisitPolicy = DEFAULT,
) -> Turn:
    """After an article was got at `at`, with `changed` content or not; `known` is what was known before."""
    published = published or (known.published if known else None)
    born = min(at, published or (known.announced if known else at))
    if known is None or known.captured is None or known.interval is None:
        return _after(at, min(max(rhythm.first, _age(born, at) * rhythm.age_share), rhythm.most))
    if changed:
        return _after(at, max(min(known.interval, rhythm.most) / rhythm.shrink, rhythm.least))
    interval = min(max(known.interval, rhythm.least) * rhythm.growth, rhythm.most)
    # The first capture is no change that we saw.
    edited = known.changed if known.changed and known.changed > known.captured else born
    return (None, None) if _age(edited, at) + interval > rhythm.settled else _after(at, interval)


def recalled(published: datetime | None, captured: datetime, rhythm: RevisitPolicy = DEFAULT) -> Turn:
    """For an article of which nothing is known but what the archive holds: as if it had never changed."""
    age = _age(min(published or captured, captured), captured)
    return _after(captured, min(max(rhythm.first, age * rhythm.age_share), rhythm.most))


def next_gone(known: AddressState | None, at: datetime, rhythm: RevisitPolicy = DEFAULT) -> Turn:
    """After an article was found gone (404, 410): once more, because such an answer may be a slip, then never."""
    return (None, None) if known is not None and known.state == "gone" else _after(at, rhythm.gone)


def next_source(
    known: AddressState | None,
    at: datetime,
    new_links: int,
    every: float,
    *,
    role: Role = "feed",
    most: float | None = None,
    rhythm: RevisitPolicy = DEFAULT,
) -> Turn:
    """After a source was read at `at`, which gave so many links not known before; 0 for a 304.

    `every` is the site's shortest interval, `most` its longest where it has one of its own. `role` is for a source of
    which nothing is known.
    """
    role = known.role if known else role
    longest = max(every, rhythm.source_most.get(role, DAY) if most is None else most)
    if known is None or known.fetched is None or known.interval is None:
        # All is new at the first visit: that says nothing yet.
        interval = every
    elif new_links > 0:
        interval = known.interval / (1 + new_links)
    else:
        interval = known.interval * rhythm.source_growth.get(role, rhythm.shrink)
    interval = min(max(interval, every), longest)
    return at + timedelta(seconds=interval - every * rhythm.slack), interval


def next_failure(
    known: AddressState | None,
    at: datetime,
    every: float = 0.0,
    *,
    role: Role = "article",
    wait: float = 0.0,
    rhythm: RevisitPolicy = DEFAULT,
) -> Turn:
    """After an address could not be got. `wait` is what the server asked for (Retry-After), already bounded.

    The interval stays as it was, so that the old rhythm goes on once it can be got. Sources are never given up.
    """
    role = known.role if known else role
    failures = known.failures if known else 0
    if role == "article" and failures + 1 >= rhythm.retries:
        return None, None
    # Twenty doublings of any wait are beyond every bound.
    backoff = max(every, rhythm.retry) * 2.0 ** min(failures, 20)
    longest = max(every, rhythm.retry_most)
    return at + timedelta(seconds=max(min(backoff, longest), wait)), known.interval if known else None


def jitter(name: str, every: float) -> float:
    """Return the seconds after the full interval at which a site's slots begin: the same for a name, always."""
    number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    return number / 2**64 * every


def next_run(name: str, started: datetime, at: datetime, every: float, waiting: datetime | None = None) -> datetime:
    """Return the slot for a site's next run, after one that started at `started` and is over at `at`.

    Slots are `every` apart and lie at the site's own place in the interval. Those missed meanwhile are not made up for:
    the late run was their catching up, and a slot that follows it too closely is passed over as well. With `waiting`,
    the earliest due time of the site's addresses, slots at which nothing would be due are passed over, up to a day.
    """
    earliest = max(at, started + timedelta(seconds=every / 2))
    if waiting is not None:
        earliest = max(earliest, min(waiting, at + timedelta(seconds=max(every, DAY))))
    place = jitter(name, every)
    slots = ((earliest - _EPOCH).total_seconds() - place) // every + 1
    return _EPOCH + timedelta(seconds=round(place + slots * every))


def _age(since: datetime, at: datetime) -> float:
    return max((at - since).total_seconds(), 0.0)


def _after(at: datetime, interval: float) -> Turn:
    return at + timedelta(seconds=interval), interval

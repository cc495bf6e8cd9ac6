"""Frontier: the addresses of all sites, when to ask for them, and how their runs went."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from crawler.frontier import coverage, rows, statements, writes
from crawler.frontier.address_state import (
    AddressState,
    Announcement,
    Coverage,
    FrontierCounts,
    HostState,
    RobotsText,
    SiteRun,
    SiteState,
    Visit,
)
from crawler.frontier.clock import ADDRESS_MOST, SLACK, believed, earlier, is_wrong, run_most
from crawler.frontier.dialects import upsert
from crawler.frontier.schema import AGAIN, NEW, ROLES, SOURCE, addresses, hosts, names, robots, runs, sites
from crawler.frontier.statements import ARTICLE
from storage.database import transaction
from storage.index.queries import Lookup
from storage.index.rows import seconds

#: A place in an order: tuples of one shape are compared.
Rank = tuple[Any, ...]

_FIRST = datetime.min.replace(tzinfo=UTC)
# Runs kept of each site.
RUNS = 50

# An article without a date that has waited for so long gets a place, however many dated ones wait.
_PATIENCE = timedelta(days=1)
# Seconds for which a robots.txt that no longer holds may stay: most are replaced by a newer one before.
_ROBOTS_KEPT = 86_400

_a, _s, _r = addresses.c, sites.c, robots.c


class Frontier(Lookup):
    """What is known of the addresses of all sites. Threads may share one; processes open their own.

    Times are kept in whole seconds. Every method is one short transaction (of many items, one for each few hundred),
    and raises `StoreUnavailable` when the file cannot be reached, is damaged or busy for too long.
    """

    # Addresses

    def announce(self, site: str, items: Iterable[Announcement], at: datetime) -> int:
        """Enter addresses that a source named, due at once; return how many were new.

        Known ones keep their state and learn a missing `published` and `modified`. An address that the configuration
        names as a source (no `source`, another role than "article") becomes one, if it was known as an article.
        """
        return sum(self._announce(site, batch, seconds(at)) for batch in writes.batches(items))

    def learn_dates(self, site: str, items: Iterable[Announcement], at: datetime) -> None:
        """Enter the dates of those that are known and had none; the others are passed over."""
        for batch in writes.batches(items):
            known = self.known_among(site, (item.url for item in batch))
            self._announce(site, [item for item in batch if item.url in known], seconds(at))

    def _announce(self, site: str, items: list[Announcement], at: int) -> int:
        by_key = {rows.key_of(item.url): item for item in items}
        # Mostly nothing is new: that takes no lock.
        with self._reading() as connection:
            if not writes.news(connection, site, by_key):
                return 0
        with self._writing() as connection:
            number = writes.enter_site(connection, site)
            news = writes.news(connection, site, by_key)
            if news.new:
                ids = writes.name_ids(connection, number, writes.shared_names(by_key[key] for key in news.new))
                new = [writes.new_row(number, key, by_key[key], ids, at) for key in news.new]
                connection.execute(insert(addresses), new)
            where = (_a.site == number, _a.key == bindparam("its_key"))
            if news.dated:
                dates = [writes.dates_row(key, by_key[key]) for key in news.dated]
                connection.execute(statements.LEARN_DATES.where(*where), dates)
            if news.sources:
                roles = [{"its_key": key, "its_role": ROLES.index(by_key[key].role)} for key in news.sources]
                connection.execute(
                    update(addresses).where(*where).values(role=bindparam("its_role"), due=at, queue=SOURCE), roles
                )
            return len(news.new)

    def known(self, site: str, url: str) -> AddressState | None:
        where = (_a.site == statements.site_id(site), _a.key == rows.key_of(url))
        return next(iter(self._known(statements.KNOWN.where(*where), site)), None)

    def known_among(self, site: str, urls: Iterable[str]) -> set[str]:
        """Return those of the URLs that are known."""
        found: set[str] = set()
        for batch in writes.batches(urls):
            keys = {rows.key_of(url): url for url in batch}
            query = select(_a.key).where(_a.site == statements.site_id(site), _a.key.in_(keys))
            with self._reading() as connection:
                found.update(keys[key] for key in connection.scalars(query))
        return found

    def due_sources(self, site: str, at: datetime) -> list[AddressState]:
        """Return the feeds, sitemaps and pages to ask now, the longest due first."""
        return self._known(statements.due_sources(site, seconds(at)), site)

    def due_articles(self, site: str, at: datetime, limit: int) -> list[AddressState]:
        """Return at most `limit` articles to ask for now.

        First those never asked for, newest first: by `published`, else by the day that the address names, else by
        `modified` (a date in the future counts as that of the announcement); then those without any date; then those to
        ask again, the most overdue for their interval first. A long queue of new ones leaves a fifth of the places to
        the last, and a tenth to those without a date that have waited for more than a day.
        """
        if limit <= 0:
            return []
        old = self._known(statements.old_articles(site, seconds(at), limit), site)
        new = self._new_articles(site, at, limit - min(len(old), limit // 5))
        return new + old[: limit - len(new)]

    def _new_articles(self, site: str, at: datetime, limit: int) -> list[AddressState]:
        new = self._known(statements.new_articles(site, seconds(at), limit), site)
        if len(new) < limit or limit == 1:
            return new
        before = seconds(at - _PATIENCE)
        patient = self._known(statements.undated_articles(site, seconds(at), before, -(-limit // 10)), site)
        chosen = {known.url for known in new}
        if all(known.url in chosen for known in patient):
            return new
        return new[: limit - len(patient)] + patient

    def best_articles(
        self, site: str, at: datetime, limit: int, rank: Callable[[AddressState], Rank | None]
    ) -> list[AddressState]:
        """Return at most `limit` articles to ask for now, those of the least rank first; none that has no rank.

        Of one rank those first that were named first. Reads all that are due, in bounded memory.
        """
        # A server's cursor, which lives in a transaction: all rows would come at once.
        query = statements.due_articles(site, seconds(at)).execution_options(yield_per=writes.BATCH)
        with self._reading() as connection, transaction(connection, "BEGIN"), connection.execute(query) as due:
            found = ((row.id, rows.known_of(row, site)) for row in due)
            ranked = ((place, number, known) for number, known in found if (place := rank(known)) is not None)
            return [known for _, _, known in heapq.nsmallest(max(limit, 0), ranked)]

    def next_due(self, site: str) -> datetime | None:
        """Return the earliest due time of a site's addresses."""
        with self._reading() as connection:
            found = [connection.scalar(statements.next_due(site, queue)) for queue in (SOURCE, NEW, AGAIN)]
        return rows.moment(min((due for due in found if due is not None), default=None))

    def visited(self, visits: Iterable[Visit]) -> None:
        """Enter what fetches found; an address that nobody announced is announced by its visit.

        Counts failures: state "failed" adds one, any other sets them to none.
        """
        for batch in writes.batches(visits):
            with self._writing() as connection:
                writes.enter_visits(connection, batch)

    # Sites and hosts

    def site(self, site: str) -> SiteState:
        with self._reading() as connection:
            row = connection.execute(statements.SITE, {"site": site}).first()
        return SiteState(site) if row is None else rows.site_of_row(row)

    def put_site(self, state: SiteState) -> None:
        row = rows.site_row(state)
        with self._writing() as connection:
            new = upsert(sites, connection.dialect.name).values(row)
            connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=row))

    def sites(self) -> Iterator[SiteState]:
        """Yield all sites in the order of their names."""
        last = ""
        while True:
            with self._reading() as connection:
                query = select(sites).where(_s.name > last).order_by(_s.name).limit(writes.BATCH)
                found = [rows.site_of_row(row) for row in connection.execute(query)]
            yield from found
            if len(found) < writes.BATCH:
                return
            last = found[-1].site

    def due_sites(
        self, names: Iterable[str] | None, at: datetime, every: Mapping[str, float] | None = None
    ) -> list[SiteState]:
        """Return the sites to run now, of these names or of all that are known; never run ones first, then the most
        overdue.

        A name that is not known is due. A site that is left alone (`blocked_until`) is not. Times that a wrong clock
        set do not count; `every`: the seconds between the runs of a site, by which they are told.
        """
        told = every or {}
        if names is None:
            states: Iterable[SiteState] = self.sites()
        else:
            states = (state for batch in writes.batches(names) for state in self._states(batch))
        due = [state for state in states if _is_due(believed(state, at, told.get(state.site)), at)]
        return sorted(due, key=lambda state: (state.due or _FIRST, state.site))

    def _states(self, names: list[str]) -> list[SiteState]:
        with self._reading() as connection:
            found = connection.execute(select(sites).where(_s.name.in_(names)))
            known = {row.name: rows.site_of_row(row) for row in found}
        return [known.get(name) or SiteState(name) for name in dict.fromkeys(names)]

    def mend_times(self, site: str, at: datetime, every: float) -> bool:
        """Put right what a run with a wrong clock wrote of a site, and return whether there was such.

        What it set to be asked far in the future is due now, and what it did counts as done now.
        """
        state = self.site(site)
        now, limit = seconds(at), seconds(at + SLACK)
        far = seconds(at + max(ADDRESS_MOST, run_most(every)) + SLACK)
        with self._reading() as connection:
            number = connection.scalar(select(_s.id).where(_s.name == site))
            if number is None:
                return False
            found = [statements.runs_ahead(number, limit)]
            found += [statements.due_ahead(number, queue, far) for queue in (SOURCE, NEW, AGAIN)]
            wrong = any(connection.scalar(query) is not None for query in found)
        mended = believed(state, at, every)
        mended = replace(mended, started=earlier(state.started, at), finished=earlier(state.finished, at))
        if not wrong and (mended == state or not is_wrong(state, at, every)):
            return False
        with self._writing() as connection:
            for statement in statements.mend_addresses(number, now, limit, far):
                connection.execute(statement)
            connection.execute(statements.mend_runs(number, now, limit))
        self.put_site(mended)
        return True

    def host(self, host: str) -> HostState | None:
        with self._reading() as connection:
            row = connection.execute(select(hosts).where(hosts.c.host == host)).first()
        return None if row is None else HostState(row.host, rows.moment(row.wait_until), row.reason)

    def put_host(self, host: HostState) -> None:
        row = {"host": host.host, "wait_until": rows.packed(host.wait_until), "reason": rows.short(host.reason)}
        with self._writing() as connection:
            new = upsert(hosts, connection.dialect.name).values(row)
            connection.execute(new.on_conflict_do_update(index_elements=["host"], set_=row))

    def robots(self, origin: str, at: datetime) -> RobotsText | None:
        """Return the robots.txt of an origin, if one is known that holds at that time."""
        where = (_r.origin == origin, _r.until > seconds(at))
        with self._reading() as connection:
            row = connection.execute(select(robots).where(*where)).first()
        return None if row is None else rows.robots_of(row)

    def put_robots(self, text: RobotsText, now: datetime) -> None:
        """Keep a robots.txt; of the others some that no longer hold at `now` are removed."""
        row = rows.robots_row(text)
        old = select(_r.origin).where(_r.until < seconds(now) - _ROBOTS_KEPT).limit(writes.BATCH)
        with self._writing() as connection:
            new = upsert(robots, connection.dialect.name).values(row)
            connection.execute(new.on_conflict_do_update(index_elements=["origin"], set_=row))
            connection.execute(delete(robots).where(_r.origin.in_(old)))

    # Runs

    def start_run(self, run: SiteRun) -> None:
        """Enter a run; of each site the newest fifty are kept."""
        self._put_run(run)

    def finish_run(self, run: SiteRun) -> None:
        """Enter how a run ended, in place of what `start_run` said of it."""
        self._put_run(run)

    def _put_run(self, run: SiteRun) -> None:
        row = rows.run_row(run)
        with self._writing() as connection:
            number = writes.enter_site(connection, run.site)
            new = upsert(runs, connection.dialect.name).values({**row, "site": number})
            connection.execute(new.on_conflict_do_update(index_elements=["site", "crawl"], set_=row))
            mine = select(runs.c.crawl).where(runs.c.site == number)
            old = mine.order_by(runs.c.started.desc(), runs.c.crawl.desc()).offset(RUNS)
            connection.execute(delete(runs).where(runs.c.site == number, runs.c.crawl.in_(old)))

    def runs(self, site: str, limit: int = RUNS) -> list[SiteRun]:
        """Return a site's last runs, newest first."""
        with self._reading() as connection:
            found = connection.execute(statements.RUNS, {"site": site, "limit": limit})
            return [rows.run_of(row, site) for row in found]

    def run(self, site: str, crawl: str) -> SiteRun | None:
        """Return what a run kept of a site: of several that began in one second no order is known."""
        with self._reading() as connection:
            found = connection.execute(statements.RUN, {"site": site, "crawl": crawl}).first()
            return None if found is None else rows.run_of(found, site)

    # How it goes

    def coverage(self, site: str, since: datetime, until: datetime | None = None, samples: int = 5) -> Coverage:
        """Return what became of the articles announced from `since` until before `until`, by state and reason.

        `samples`: how many URLs to name of each group.
        """
        return coverage.coverage(self._fetch, site, since, until, samples)

    def announced_a_day(self, site: str, days: int, until: datetime) -> list[int]:
        """Return how many articles were announced in each span of 24 hours before `until`, newest first."""
        return coverage.announced_a_day(self._fetch, site, days, until)

    def articles_a_day(self, site: str, days: int, at: datetime) -> list[tuple[date, int]]:
        """Return how many of the articles held are of each of the last `days` days in UTC, the oldest first.

        By `published or announced`; the last day is that of `at`, so far.
        """
        return coverage.articles_a_day(self._fetch, site, days, at)

    def counts(self) -> FrontierCounts:
        """Return what there is in all; reads every row."""
        is_article = _a.role == ARTICLE
        query = select(is_article, _a.state, func.count()).group_by(is_article, _a.state)
        with self._reading() as connection:
            found = connection.execute(query).all()
            number = connection.scalar(select(func.count()).select_from(sites)) or 0
        articles = {statements.state_of(state): int(count) for article, state, count in found if article}
        return FrontierCounts(number, sum(int(count) for article, _, count in found if not article), articles)

    def forget(self, site: str) -> None:
        """Remove all that is known of a site; none known is no error."""
        more = True
        while more:
            with self._writing() as connection:
                number = connection.scalar(select(_s.id).where(_s.name == site))
                some = select(_a.id).where(_a.site == number).limit(writes.BATCH)
                more = connection.execute(delete(addresses).where(_a.id.in_(some))).rowcount == writes.BATCH
                if not more:
                    connection.execute(delete(names).where(names.c.site == number))
                    connection.execute(delete(runs).where(runs.c.site == number))
                    connection.execute(delete(sites).where(_s.id == number))

    # The database

    def _known(self, query: Select[Any], site: str) -> list[AddressState]:
        with self._reading() as connection:
            return [rows.known_of(row, site) for row in connection.execute(query)]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with super()._writing() as connection:
            # A connection to a server was asked whether it is still there.
            connection.rollback()
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection


def _is_due(state: SiteState, at: datetime) -> bool:
    return all(time is None or time <= at for time in (state.due, state.blocked_until))

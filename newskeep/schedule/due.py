"""Which sites are due, one after the other, for as long as a run goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.sites.site import Site, find_site, load_sites
from storage.errors import UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.frontier.address_state import SiteState
    from crawler.frontier.frontier import Frontier

#: Seconds between two looks at what has become due while other sites are still being crawled.
_LOOK = 30.0


def sites_of(config: Config, names: Iterable[str] = ()) -> Mapping[str, Site]:
    """The sites that are named, or all of the configuration. Raises `UsageError` where there are none."""
    asked = [find_site(config, name) for name in names]
    sites = {site.name: site for site in asked} or load_sites(config)
    if not sites:
        raise UsageError(
            "there are no sites: name some in newskeep.toml, such as [sites.example] with start ="
            ' "https://www.example.org/", or crawl one by its address: newskeep crawl URL'
        )
    return sites


class DueSites(Iterator[Site]):
    """Sites that are due, the most overdue first; whoever takes them says when each has ended.

    While some are being crawled it waits for others to become due: a site of hours keeps nobody waiting. It ends when
    nothing is due and nothing runs, at the `deadline` (of time.monotonic), or when it is stopped. Taken from one thread
    at a time, ended and stopped from any.
    """

    def __init__(
        self,
        frontier: Frontier,
        sites: Mapping[str, Site],
        deadline: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._frontier = frontier
        self._sites = sites
        self._deadline = deadline
        self._clock = clock
        self._waiting: list[SiteState] = []
        self._looked: float | None = None
        self._running: set[str] = set()
        #: Site -> when it was taken last, by time.monotonic.
        self._taken: dict[str, float] = {}
        self._changed = threading.Condition()
        self._stopped = False

    def __next__(self) -> Site:
        with self._changed:
            while not self._over():
                site = self._take()
                if site is not None:
                    return site
                if not self._running:
                    break
                self._changed.wait(self._pause())
        raise StopIteration

    def ended(self, site: str) -> None:
        """Note that the crawl of a site is over."""
        with self._changed:
            self._running.discard(site)
            self._changed.notify_all()

    def stop(self) -> None:
        """Give no further sites. May be called from a signal handler: it waits for nothing."""
        self._stopped = True

    def peek(self) -> int:
        """How many sites are due now."""
        with self._changed:
            self._look()
            return len(self._waiting)

    def _over(self) -> bool:
        return self._stopped or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _pause(self) -> float:
        # Short: a signal handler may not notify, for it may have interrupted whoever holds the lock.
        return 1.0 if self._deadline is None else max(0.0, min(1.0, self._deadline - time.monotonic()))

    def _take(self) -> Site | None:
        if not self._waiting and (self._looked is None or time.monotonic() - self._looked >= _LOOK):
            self._look()
        if not self._waiting:
            return None
        name = self._waiting.pop().site
        self._running.add(name)
        self._taken[name] = time.monotonic()
        return self._sites[name]

    def _look(self) -> None:
        self._looked = time.monotonic()
        every = {name: site.every for name, site in self._sites.items()}
        due = self._frontier.due_sites(self._sites, self._clock(), every)
        self._waiting = [state for state in reversed(due) if self._may_run(state.site)]

    def _may_run(self, name: str) -> bool:
        """Whether it neither runs nor ran just now: one that is left due, as a site locked by another run, must not be
        taken again and again.
        """
        if name in self._running:
            return False
        taken = self._taken.get(name)
        return taken is None or time.monotonic() - taken >= self._sites[name].every

"""One round over the sites that are due, and what was wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.frontier import frontier_of
from crawler.sites.nothing_found import NOTHING
from newskeep.schedule.due import DueSites
from newskeep.schedule.troubles import KeptLog, Trouble
from newskeep.times import local
from storage.errors import AlreadyRunning, SpoolError, StoreUnavailable
from storage.model import RunState

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.frontier.address_state import SiteRun
    from crawler.frontier.frontier import Frontier
    from crawler.run import Crawl, RunResult
    from crawler.sites.site import Site
    from storage.archive import Archive

logger = logging.getLogger(__name__)

#: Verdicts that no single run tells: the site has nothing for us any more, or there is never time for it.
_SLOW_TROUBLE = {"silent", "redesign", "empty", "stale"}

#: Site, how its crawl ended ("busy": another process is at it), and its account, where one was kept.
OnSite = Callable[[str, RunState, "SiteRun | None"], None]


@dataclass(frozen=True, slots=True)
class Round:
    """How a round went."""

    exit_code: int = 0
    #: By hand, not by the time limit.
    stopped: bool = False
    timed_out: bool = False
    #: Site -> how its crawl ended.
    sites: Mapping[str, RunState] | None = None
    #: Outcomes of articles by kind.
    counts: Mapping[str, int] | None = None
    troubles: tuple[Trouble, ...] = ()

    def report(self) -> str:
        """A few lines for a watcher."""
        states: dict[str, int] = {}
        for state in (self.sites or {}).values():
            states[state] = states.get(state, 0) + 1
        crawled = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none crawled"
        articles = ", ".join(f"{count} {kind}" for kind, count in sorted((self.counts or {}).items()))
        lines = [f"sites: {crawled}", f"articles: {articles or 'none'}"]
        return "\n".join([*lines, *(trouble.line for trouble in self.troubles[:20])])


def crawl_due(
    archive: Archive, config: Config, sites: Mapping[str, Site], at_once: int, time_limit: float, on_site: OnSite
) -> Round:
    """Crawl what is due of some sites; with nothing due, deliver what earlier runs left. Once in a process.

    Raises `StoreUnavailable` when the archive's state is out of reach, and where the store refuses us.
    """
    queue = DueSites(frontier_of(archive), sites, time.monotonic() + time_limit)
    if not queue.peek() and not _spooled(archive):
        return Round()
    with _kept_log() as log:
        if why := archive.check_store():
            logger.warning(why)
        try:
            result, troubles = _crawl(archive, config, queue, at_once, time_limit, on_site)
        except SpoolError as error:
            # Nothing was begun: a disk or a spool that is full stays so for many runs, and is told once a day.
            return Round(error.exit_code, troubles=(Trouble("spool", str(error)),))
    if result.failure is not None:
        troubles.append(Trouble(f"store: {type(result.failure).__name__}", str(result.failure)))
    # What the log and the result both say is one trouble.
    told = {trouble.line for trouble in troubles}
    troubles += [trouble for trouble in log.troubles.values() if trouble.line not in told]
    # Sites that somebody else crawls are no trouble.
    code = 0 if result.exit_code == AlreadyRunning.exit_code else result.exit_code
    return Round(code, result.stopped, result.timed_out, result.sites, result.counts, tuple(troubles))


def _crawl(
    archive: Archive, config: Config, queue: DueSites, at_once: int, time_limit: float, on_site: OnSite
) -> tuple[RunResult, list[Trouble]]:
    # Scrapy takes most of a second to import: not for a look that finds nothing due.
    from crawler.run import crawl_of, run

    troubles: list[Trouble] = []

    def on_end(crawl: Crawl, state: RunState, run: str) -> None:
        name = crawl.site or crawl.spider
        queue.ended(name)
        account = None if state == "busy" else account_of(archive, name, run)
        if (trouble := trouble_of(archive, name, state, account)) is not None:
            troubles.append(trouble)
        on_site(name, state, account)

    result = run(
        archive,
        (crawl_of(site) for site in queue),
        config.scrapy_settings(),
        on_stop=queue.stop,
        at_once=at_once,
        time_limit=time_limit,
        on_end=on_end,
    )
    return result, troubles


def account_of(archive: Archive, name: str, crawl: str) -> SiteRun | None:
    """The account that a run kept of a site; `None` where there is none, or it cannot be read."""
    try:
        return frontier_of(archive).run(name, crawl)
    except StoreUnavailable as error:
        logger.warning("%s", error)
        return None


def trouble_of(archive: Archive, name: str, state: RunState, account: SiteRun | None) -> Trouble | None:
    """Why a crawl that ended in a state failed or was blocked; `None` where it was not."""
    if state not in {"failed", "blocked"}:
        return None
    why = ""
    if account is not None:
        hosts = "; ".join(f"{host}: {reason}" for host, reason in sorted(account.hosts.items())[:3])
        nothing = next((problem for problem in account.problems if problem.startswith(NOTHING)), "")
        why = nothing or hosts or "; ".join(account.problems[:3])
    if state == "blocked":
        known = frontier_of(archive).site(name)
        why = (known.blocked_reason if known else None) or why
        if known is not None and known.blocked_until is not None:
            why += f"; left alone until {local(known.blocked_until)}"
    return Trouble(f"{state}: {name}", f"{name}: {state}{': ' if why else ''}{why}")


def health_troubles(frontier: Frontier, sites: Iterable[Site], at: datetime) -> Iterator[Trouble]:
    """What is wrong with sites though no run of theirs failed."""
    from newskeep.health.collect import history_of
    from newskeep.health.verdicts import judge

    for site in sites:
        history = history_of(frontier, site.name, site.every, at)
        verdict = judge(history)
        # Walls between pages block no run; a block was told when it began.
        is_walled = verdict.kind == "banned" and not (history.state and history.state.blocked_until)
        if verdict.kind in _SLOW_TROUBLE or is_walled:
            yield Trouble(f"{verdict.kind}: {site.name}", f"{site.name}: {verdict.kind}: {verdict.why}; {verdict.do}")


def _spooled(archive: Archive) -> bool:
    """Whether something of earlier runs waits to be delivered."""
    try:
        return any(path.is_dir() and path.name != "damaged" for path in archive.spool.root.iterdir())
    except OSError:
        return False


@contextmanager
def _kept_log() -> Iterator[KeptLog]:
    """Have warnings kept instead of printed, for the time of a run, unless somebody watches with --verbose."""
    root, kept = logging.getLogger(), KeptLog()
    before = root.handlers[:]
    if not logging.getLogger("crawler").isEnabledFor(logging.INFO):
        root.handlers[:] = [kept]
    try:
        yield kept
    finally:
        root.handlers[:] = before

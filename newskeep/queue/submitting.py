"""What is put into the queue: sites, those that are due, and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crawler.sites.site import Site, find_site, load_sites
from newskeep.queue.jobs import JobQueue
from newskeep.queue.lists import Batch, ListStore
from newskeep.queue.locks import HostLocks
from newskeep.queue.task import CrawlTask

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.frontier.frontier import Frontier
    from crawler.url_list import ListedURL


def submit_crawls(
    queue: JobQueue, config: Config, asked: Iterable[str], **how: Any
) -> Iterator[tuple[CrawlTask, int | None]]:
    """Queue crawls of sites, by name or address; yield each with its job, `None` where the same waits or runs already.

    `how`: fields of the tasks. Sites are looked up before the first is queued. Raises `UsageError` for one that is not
    known.
    """
    locks = _locks(config)
    for site, given in [(find_site(config, each), each) for each in asked]:
        task = CrawlTask(given, site.name, **how)
        yield task, queue.submit(task, locks.of_site(site))


def submit_due(
    queue: JobQueue, config: Config, frontier: Frontier, sites: Mapping[str, Site]
) -> Iterator[tuple[CrawlTask, int | None]]:
    """Queue the sites that are due, the most overdue first; the same from however many machines it is done."""
    every = {name: site.every for name, site in sites.items()}
    due = frontier.due_sites(sites, datetime.now(UTC), every)
    locks = _locks(config)
    for state in due:
        task = CrawlTask(state.site, state.site)
        yield task, queue.submit(task, locks.of_site(sites[state.site]))


def submit_list(
    queue: JobQueue, config: Config, name: str, urls: Iterable[ListedURL], options: Mapping[str, Any]
) -> int:
    """Cut a list into batches and queue them; return its number. Raises `UsageError` where it cannot be read."""
    locks = _locks(config)

    def queue_all(batches: Iterable[Batch], connection: object) -> None:
        tasks = ((each.task, locks.of_host(each.host) if each.host else None) for each in batches)
        queue.submit_all(tasks, connection)

    return ListStore(queue.database, queue.name).add(name, urls, options, queue_all)


def _locks(config: Config) -> HostLocks:
    return HostLocks(load_sites(config).values())

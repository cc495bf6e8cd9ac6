"""The process of one job, forked or started (`python -P -m newskeep.worker.job`) by `newskeep.worker.processes`.

A line of JSON on standard input is the request, and its end the sign to stop: the worker is gone. Lines of JSON on
standard output are `{"counts": …}` from time to time, then `{"end": …}`. It crawls as `newskeep crawl` and `save` do. A
request without a job is a trial of the machine: what waits in the spool is delivered, and nothing is fetched.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from crawler.config import Config, load
from crawler.frontier import frontier_of
from crawler.run import Crawl, RunResult, check_network, crawl_of, deliver_spool, run
from newskeep.queue.database import QueueDatabase
from newskeep.queue.hosts import HostLeases
from newskeep.queue.jobs import queue_name
from newskeep.queue.lists import ListStore
from newskeep.queue.membership import Taken
from newskeep.queue.task import BatchTask, CrawlTask
from newskeep.saving.pipe import Tell, answers, first_line, stop_at_end
from newskeep.saving.store_check import require
from newskeep.stamping import stamp_after_run
from newskeep.worker.request import JobEnd, JobRequest
from storage import open_archive
from storage.archive import Archive
from storage.errors import AlreadyRunning, ConfigError, NewskeepError, StoreUnavailable, UsageError
from storage.model import Outcome
from storage.postgres_address import PostgresAddress

_log = logging.getLogger("newskeep")

#: Seconds between two accounts of how far it is.
_TELL_SECONDS = 5.0
#: Outcomes of a list that are kept in the queue at a time.
_TOLD_AT_ONCE = 50


def main() -> None:
    # Also before a crawl has begun and after it has ended, as its own handlers hold only meanwhile.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    request = JobRequest.parse(first_line(sys.stdin.fileno()))
    with answers() as tell:
        threading.Thread(target=stop_at_end, args=(sys.stdin.fileno(),), daemon=True).start()
        try:
            end = _do(request, tell)
        except StoreUnavailable as error:
            end = JobEnd(error.exit_code, "away", str(error))
        except NewskeepError as error:
            end = JobEnd(error.exit_code, "busy" if isinstance(error, AlreadyRunning) else "failed", str(error))
        except KeyboardInterrupt:
            end = JobEnd(4, "stopped", "stopped before the first request, or after the last")
        except Exception as error:
            _log.exception("%s", request.title)
            end = JobEnd(1, "failed", f"a fault of ours: {type(error).__name__}")
        # All is done: who asked may close the pipe now.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        tell({"end": end.to_json()})


def _do(request: JobRequest, tell: Tell) -> JobEnd:
    _set_up_logging(request.verbose)
    config = load(Path(request.config) if request.config else None)
    config = replace(config, archive=request.archive, state=request.state)
    check_network(config)
    if request.taken is None:
        return _try(config, request)
    return _work(config, request, request.taken, tell)


def _try(config: Config, request: JobRequest) -> JobEnd:
    with open_archive(config.archive, config.state, config.lock, request.index) as archive:
        require(archive)
        # Every crawl of a site needs it.
        frontier_of(archive)
        failures = deliver_spool(archive, config.scrapy_settings())
    away = next((each for each in failures if isinstance(each, StoreUnavailable)), None)
    if away is not None:
        raise away
    for failure in failures:
        # Of one WARC or folder: no job is in its way, and it is in the way of none.
        _log.warning("%s", failure)
    return JobEnd(0, "finished")


def _work(config: Config, request: JobRequest, taken: Taken, tell: Tell) -> JobEnd:
    with (
        QueueDatabase(PostgresAddress.parse(request.queue)) as database,
        HostLeases(database, taken, request.lease) as leases,
        open_archive(config.archive, config.state, config.lock, request.index) as archive,
    ):
        leases.on_lost = _stop_ourselves
        if (said := require(archive)) is not None:
            _log.warning("%s", said)
        task = taken.task
        if isinstance(task, CrawlTask):
            return _crawl(archive, config, task, request.worker, leases, tell)
        assert isinstance(task, BatchTask)
        lists = ListStore(database, queue_name(archive.uri))
        return _save(archive, config, task, taken, request.worker, lists, leases, tell)


def _stop_ourselves() -> None:
    """As SIGTERM of somebody else does: requests under way end, what was fetched is sealed."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _crawl(archive: Archive, config: Config, task: CrawlTask, worker: str, leases: HostLeases, tell: Tell) -> JobEnd:
    from crawler.sites.site import find_site, load_sites
    from crawler.sites.subscribed import subscription_of
    from newskeep.alerts.telling import alerts_of, begin_before_run, tell_after_run
    from storage.annotations import parse_tags
    from storage.urls import parse_timestamp

    try:
        site = find_site(config, task.site)
    except ConfigError:
        raise
    except UsageError as error:
        return JobEnd(error.exit_code, "elsewhere", str(error))
    said: dict[str, Any] = {"cap": task.cap, "requisites": task.requisites, "delay": task.delay}
    changes = {name: value for name, value in said.items() if value is not None}
    site = replace(site, **changes, tags=parse_tags((*site.tags, *task.tags)))
    config = replace(config, robots=config.robots and not task.ignore_robots)
    window: dict[str, Any] = {
        name: parse_timestamp(value, pad)  # type: ignore[arg-type]
        for name, value, pad in (("since", task.since, "start"), ("until", task.until, "end"))
        if value is not None
    }
    alerts = alerts_of(config)
    begin_before_run(archive, alerts)
    crawl = crawl_of(site, eager=task.eager, subscription=subscription_of(site), **window)
    with _Account(tell) as account:
        result = run(archive, [crawl], _settings(config, worker), account.count, leases=leases)
    for failure in (
        *stamp_after_run(archive, config.time_authorities),
        *tell_after_run(archive, config, alerts, lambda: load_sites(config).values()),
    ):
        _log.warning("%s", failure)
    return _end(result, leases, lambda: _why(archive, site.name, result))


def _save(
    archive: Archive,
    config: Config,
    task: BatchTask,
    taken: Taken,
    worker: str,
    lists: ListStore,
    leases: HostLeases,
    tell: Tell,
) -> JobEnd:
    options, submitted = lists.options(task.list)
    newer_than = options.get("newer_than")
    arguments = {
        "urls": lists.left(task),
        "requisites": options.get("requisites", False),
        # What an attempt before archived, and could not tell any more, is held.
        "newer_than": submitted if taken.attempt and newer_than is None else newer_than,
        "tags": tuple(options.get("tags", ())),
    }
    config = replace(config, robots=config.robots and not options.get("ignore_robots", False))
    if options.get("delay") is not None:
        config = replace(config, delay=options["delay"])
    if not arguments["urls"]:
        return JobEnd(0, "finished")
    with _Account(tell, lambda told: lists.tell(task, told)) as account:
        settings = _settings(config, worker)
        result = run(archive, [Crawl("urls", arguments)], settings, account.count, leases=leases)
    for failure in stamp_after_run(archive, config.time_authorities):
        _log.warning("%s", failure)
    return _end(result, leases)


def _settings(config: Config, worker: str) -> dict[str, object]:
    return {**config.scrapy_settings(), "ASKED_BY": f"worker {worker}"}


def _end(result: RunResult, leases: HostLeases, why: Callable[[], str | None] = lambda: None) -> JobEnd:
    if leases.failure is not None:
        return JobEnd(75, "stopped", str(leases.failure), result.crawl)
    if isinstance(result.failure, StoreUnavailable):
        return JobEnd(result.failure.exit_code, "away", str(result.failure), result.crawl)
    if result.failure is not None:
        return JobEnd(result.failure.exit_code, "failed", str(result.failure), result.crawl)
    if result.stopped:
        return JobEnd(4, "stopped", None, result.crawl)
    if result.busy:
        return JobEnd(AlreadyRunning.exit_code, "busy", "another process on the worker's machine crawls it")
    state = next(iter(result.sites.values()), "finished")
    return JobEnd(result.exit_code, state, why(), result.crawl)


def _why(archive: Archive, site: str, result: RunResult) -> str | None:
    """Why a site failed or blocked us, as `due` tells it."""
    from newskeep.schedule.due_run import account_of, trouble_of

    state = result.sites.get(site)
    trouble = None if state is None else trouble_of(archive, site, state, account_of(archive, site, result.crawl))
    return None if trouble is None else trouble.line


class _Account:
    """Counts outcomes, tells how many there are from time to time, and hands them on in batches."""

    def __init__(self, tell: Tell, keep: Callable[[list[Outcome]], None] = lambda outcomes: None) -> None:
        self._tell = tell
        self._keep = keep
        self._counts: Counter[str] = Counter()
        self._waiting: list[Outcome] = []
        self._told = 0.0

    def __enter__(self) -> _Account:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def count(self, outcome: Outcome) -> None:
        self._counts[outcome.outcome] += 1
        self._waiting.append(outcome)
        if len(self._waiting) % _TOLD_AT_ONCE == 0 or time.monotonic() - self._told > _TELL_SECONDS:
            with suppress(StoreUnavailable):
                self._flush()

    def _flush(self) -> None:
        self._told = time.monotonic()
        with suppress(BrokenPipeError):
            self._tell({"counts": dict(self._counts)})
        # Where the queue is away they are told later; at the end that it is away is how the job ends.
        self._keep(self._waiting)
        self._waiting = []


def _set_up_logging(verbose: int) -> None:
    logging.basicConfig(format="%(message)s", level=logging.INFO if verbose else logging.WARNING)
    for theirs in ("scrapy", "twisted", "trafilatura", "asyncio", "py.warnings", "warcio", "procrastinate", "psycopg"):
        # What goes wrong with a request is its outcome.
        logging.getLogger(theirs).setLevel(logging.CRITICAL)


if __name__ == "__main__":
    main()

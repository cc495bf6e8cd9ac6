"""A worker as `newskeep worker` runs it: out of the configuration, with a line for each job."""

from __future__ import annotations

import asyncio
import logging

from crawler.config import Config
from crawler.run import check_network
from newskeep.cli._terminal import echo
from newskeep.queue.address import queue_address
from newskeep.queue.database import QueueDatabase
from newskeep.queue.jobs import queue_name
from newskeep.queue.membership import Membership, Taken
from newskeep.saving.store_check import require
from newskeep.worker.request import JobRequest
from newskeep.worker.verdict import Verdict
from newskeep.worker.worker import Worker
from storage import open_archive
from storage.archive import Archive
from storage.counts import counted
from storage.errors import StoreDenied, StoreUnavailable

_log = logging.getLogger("newskeep")


def work(config: Config, name: str, at_once: int, lease: float, stop_within: float, *, until_empty: bool) -> int:
    """Work until stopped; return how many jobs failed. Raises `ConfigError`, `StoreUnavailable`."""
    check_network(config)
    address = queue_address(config)
    with open_archive(config.archive, config.state, config.lock, config.shared_index) as archive:
        # What no job could do is told before one is taken.
        _ = archive.log
        is_ready = _is_ready(archive)
        uri, spool = archive.uri, archive.spool
    # The tables are made here.
    QueueDatabase(address).close()

    def request(taken: Taken | None) -> JobRequest:
        return JobRequest(
            taken=taken,
            archive=config.archive,
            state=config.state,
            queue=address.uri,
            index=config.shared_index,
            lease=lease,
            worker=name,
            config=str(config.file) if config.file else None,
            verbose=int(_log.isEnabledFor(logging.INFO)),
        )

    def show(taken: Taken, verdict: Verdict | None) -> None:
        told = "begun" if verdict is None else _in_words(verdict)
        _log.info("job %d: %s: %s", taken.job, taken.task.title, told)

    member = Membership(address, queue_name(uri), name, at_once, lease)
    worker = Worker(
        member,
        request,
        at_once,
        is_ready=is_ready,
        stop_within=stop_within,
        until_empty=until_empty,
        on_job=show,
    )
    try:
        # Not before: Ctrl-C would be kept until the loop goes on, and what comes first may wait for a silent store.
        return asyncio.run(worker.run())
    finally:
        if left := len(spool.left()):
            told = f"what {counted(left, 'crawl')} fetched waits in {spool.root}"
            echo(f"newskeep: {told}; the next worker on this machine delivers it", err=True)


def _is_ready(archive: Archive) -> bool:
    """Whether jobs can be taken at once: the store is there, and nothing of earlier ones waits here to be delivered.

    Raises `StoreDenied` where the store refuses us, and `StoreUnavailable` for a folder that is away.
    """
    try:
        said = require(archive)
    except StoreDenied:
        raise
    except StoreUnavailable:
        if not archive.uri.startswith("s3:"):
            raise
        return False
    if said is not None:
        echo(f"newskeep: {said}", err=True)
    return not archive.spool.left()


def _in_words(verdict: Verdict) -> str:
    why = f" ({verdict.reason})" if verdict.reason else ""
    if verdict.what == "again":
        return f"{verdict.state}, put back{why}"
    return f"{verdict.state}{why}"

"""A worker as `newskeep worker` runs it: out of the configuration, with a line for each job."""

from __future__ import annotations

import logging

from crawler.config import Config
from crawler.run import check_network
from newskeep.cli._terminal import echo
from newskeep.queue.address import queue_address
from newskeep.queue.database import QueueDatabase
from newskeep.queue.jobs import queue_name
from newskeep.queue.membership import Membership, Taken
from newskeep.saving.store_check import look
from newskeep.worker.request import JobRequest
from newskeep.worker.verdict import Verdict
from newskeep.worker.worker import Worker
from storage import open_archive

_log = logging.getLogger("newskeep")


async def work(config: Config, name: str, at_once: int, lease: float, *, until_empty: bool) -> int:
    """Work until stopped; return how many jobs failed. Raises `ConfigError`, `StoreUnavailable`."""
    check_network(config)
    address = queue_address(config)
    with open_archive(config.archive, config.state, config.lock, config.shared_index) as archive:
        # What no job could do is told before one is taken.
        _ = archive.log
        if (said := look(archive)) is not None:
            echo(f"newskeep: {said}", err=True)
        uri = archive.uri
    # The tables are made here.
    QueueDatabase(address).close()

    def request(taken: Taken) -> JobRequest:
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
    return await Worker(member, request, at_once, until_empty=until_empty, on_job=show).run()


def _in_words(verdict: Verdict) -> str:
    why = f" ({verdict.reason})" if verdict.reason else ""
    if verdict.what == "again":
        return f"{verdict.state}, put back{why}"
    return f"{verdict.state}{why}"

"""What `submit`, `worker` and `jobs` have in common: where the queue is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from crawler.config import Config
from newskeep.cli._options import configured

if TYPE_CHECKING:
    from newskeep.queue.jobs import JobQueue


def with_queue(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --queue and the options of `common`; the command gets `settings`."""

    @wraps(command)
    def settled(settings: Config, queue: str | None, **given: Any) -> Any:
        return command(settings=replace(settings, queue=queue) if queue else settings, **given)

    address = click.option("--queue", metavar="URL", help="The PostgreSQL with the jobs.  [NEWSKEEP_QUEUE or queue]")
    return configured(address(settled))


@contextmanager
def opened_queue(settings: Config) -> Iterator[JobQueue]:
    """The jobs of the configured archive. Raises `ConfigError` where no queue is named, `StoreUnavailable`."""
    from newskeep.queue.address import queue_address

    address = queue_address(settings)
    from newskeep.queue.database import QueueDatabase
    from newskeep.queue.jobs import JobQueue
    from storage.objects import open_store

    with QueueDatabase(address) as database:
        yield JobQueue(database, open_store(settings.archive).uri)

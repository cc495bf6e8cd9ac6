"""Tasks on Ray, on the processors of this machine or of a cluster; the only user of ray.

Ray runs again what a lost node had under way: a task has to bear being run twice.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

# Before it is imported: it tells its makers of every cluster otherwise.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import RayError, RayTaskError

from storage.errors import NewskeepError, StoreUnavailable

T = TypeVar("T")

#: Shards for each processor: those that are done early leave room for those that have the large WARCs.
_SHARDS_A_CPU = 4
_CONNECT_SECONDS = 10


def is_remote() -> bool:
    """Whether it is a cluster of somebody else's, of other machines than this one."""
    return bool(os.environ.get("RAY_ADDRESS"))


@contextmanager
def cluster() -> Iterator[None]:
    """Ray's cluster of RAY_ADDRESS, or one of this machine for as long, which serves nobody else.

    Raises `StoreUnavailable` where there is none.
    """
    own: dict[str, Any] = {} if is_remote() else {"include_dashboard": False}
    _check_answers(os.environ.get("RAY_ADDRESS", ""))
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **own)
    except Exception as error:
        # A bare one where its daemons take more than half a minute, as on a busy machine. Not again at once: what has
        # begun of them by then ends with this process alone, and would be in the way.
        raise StoreUnavailable(f"Ray did not start: {_line(error)}; try again") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise `StoreUnavailable` where nobody answers at HOST:PORT: Ray itself would try for twenty minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise StoreUnavailable(f"Ray: nobody answers at {address}, which RAY_ADDRESS names ({error})") from error


def shards() -> int:
    """How many shards its processors share well."""
    return int(cast("Any", ray).cluster_resources().get("CPU", 1)) * _SHARDS_A_CPU


def shared(value: Any) -> Any:
    """What is brought to each node once, as an argument of tasks."""
    return ray.put(value)


def each(task: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    """Yield what a task returns for each tuple of arguments, as soon as it is there.

    What a task raises ends the work, and is raised here as it was there. Raises `NewskeepError` where Ray gives a task
    up.
    """
    remote = ray.remote(task)
    waiting = [remote.remote(*arguments) for arguments in calls]
    while waiting:
        ready, waiting = ray.wait(waiting, num_returns=1)
        try:
            done = cast("T", ray.get(ready[0]))
        except RayTaskError as error:
            # Ray's own, of two classes, says the whole traceback where a person expects a line.
            raise error.cause from error
        except RayError as error:
            again = "what is done stays; the same command goes on there"
            raise NewskeepError(f"Ray gave a task up ({_line(error)}); {again}") from error
        yield done


def _line(error: Exception) -> str:
    """The first sentence of what Ray says in paragraphs."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0].rstrip(".")

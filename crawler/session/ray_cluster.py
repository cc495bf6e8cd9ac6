"""Tasks on Ray, on the processors of this machine or of a cluster; the only user of ray.

Ray runs again what a lost node had under way: a task has to bear being run twice.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

# Before it is imported: it tells its makers of every cluster otherwise.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray

T = TypeVar("T")

#: Shards for each processor: those that are done early leave room for those that have the large WARCs.
_SHARDS_A_CPU = 4


def is_remote() -> bool:
    """Whether it is a cluster of somebody else's, of other machines than this one."""
    return bool(os.environ.get("RAY_ADDRESS"))


@contextmanager
def cluster() -> Iterator[None]:
    """Ray's cluster of RAY_ADDRESS, or one of this machine for as long, which serves nobody else."""
    own: dict[str, Any] = {} if is_remote() else {"include_dashboard": False}
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **own)
    try:
        yield
    finally:
        ray.shutdown()


def shards() -> int:
    """How many shards its processors share well."""
    return int(cast("Any", ray).cluster_resources().get("CPU", 1)) * _SHARDS_A_CPU


def shared(value: Any) -> Any:
    """What is brought to each node once, as an argument of tasks."""
    return ray.put(value)


def each(task: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    """Yield what a task returns for each tuple of arguments, as soon as it is there."""
    remote = ray.remote(task)
    waiting = [remote.remote(*arguments) for arguments in calls]
    while waiting:
        ready, waiting = ray.wait(waiting, num_returns=1)
        yield cast("T", ray.get(ready[0]))

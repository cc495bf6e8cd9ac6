"""Text again on Ray: shards as its tasks, on the processors of one machine or of a cluster. The only user of ray.

Ray runs again what a lost node had under way, and the markers of the job see to it that no WARC is done twice.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, cast

from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.reextract_shard import ShardResult, reextract_shard
from storage.archive import open_archive
from storage.bulk import BulkJob, Shard
from storage.objects.retention import ObjectLock
from storage.problems import Problem

# Before it is imported: it tells its makers of every cluster otherwise.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray

#: Shards for each processor: those that are done early leave room for those that have the large WARCs.
_SHARDS_A_CPU = 4


def reextract_on_ray(
    uri: str,
    lock: ObjectLock | None,
    job: str,
    filenames: Sequence[str],
    *,
    on_problem: Callable[[Problem], None] = lambda problem: None,
    on_shard: Callable[[ShardResult], None] = lambda done: None,
) -> ShardResult:
    """Make the texts of these WARCs again by both passes; return the sum of what the shards have done.

    On the cluster of RAY_ADDRESS, whose nodes reach the archive under `uri` and have its credentials, else on the
    processors of this machine. `on_shard` is called with the running sum. Indexes learn of it by `reindex`.
    """
    total = ShardResult()
    with _cluster():
        number = max(1, min(int(cast("Any", ray).cluster_resources().get("CPU", 1)) * _SHARDS_A_CPU, len(filenames)))
        names, task = ray.put(list(filenames)), ray.remote(_shard)
        left = [Shard(one, number) for one in range(1, number + 1)]
        # The second time those that had to wait for others to learn.
        while left:
            waiting, left = [task.remote(uri, lock, job, shard, names) for shard in left], []
            while waiting:
                ready, waiting = ray.wait(waiting, num_returns=1)
                shard, done, problems = ray.get(ready[0])
                if done.waits_for:
                    left.append(shard)
                _add(total, done)
                for problem in problems:
                    on_problem(problem)
                on_shard(total)
    return total


def _shard(
    uri: str, lock: ObjectLock | None, job: str, shard: Shard, filenames: list[str]
) -> tuple[Shard, ShardResult, list[Problem]]:
    """One shard as a task, in a process of its own, with nothing of the machine's but what is thrown away."""
    problems: list[Problem] = []
    pool = ExtractionPool(1, ExtractionLimits())
    try:
        with tempfile.TemporaryDirectory(prefix="newskeep-shard-") as state, open_archive(uri, state, lock) as archive:
            done = reextract_shard(
                archive,
                pool,
                BulkJob(archive.store, job),
                shard,
                workers=1,
                filenames=filenames,
                on_problem=problems.append,
            )
    finally:
        pool.close()
    return shard, done, problems


def _add(total: ShardResult, done: ShardResult) -> None:
    for each in fields(done):
        if each.name != "waits_for":
            setattr(total, each.name, getattr(total, each.name) + getattr(done, each.name))


@contextmanager
def _cluster() -> Iterator[None]:
    """Ray's cluster of RAY_ADDRESS, or one of this machine for as long, which serves nobody else."""
    own: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else {"include_dashboard": False}
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **own)
    try:
        yield
    finally:
        ray.shutdown()

"""Text again on Ray: shards as its tasks. The markers of the job see to it that no WARC is done twice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields

from crawler.session.extraction_pool import ExtractionLimits, ExtractionPool
from crawler.session.ray_cluster import cluster, each, shards, shared
from crawler.session.reextract_shard import ShardResult, reextract_shard
from storage.archive import open_archive
from storage.bulk import BulkJob, Shard
from storage.objects.retention import ObjectLock
from storage.problems import Problem


def reextract_on_ray(
    uri: str,
    lock: ObjectLock | None,
    job: str,
    filenames: Sequence[str],
    *,
    on_problem: Callable[[Problem], None] = lambda problem: None,
    on_learned: Callable[[int, int], None] = lambda learned, of: None,
    on_shard: Callable[[ShardResult], None] = lambda done: None,
) -> ShardResult:
    """Make the texts of these WARCs again by both passes; return the sum of what the shards have done.

    On the cluster of RAY_ADDRESS, whose nodes reach the archive under `uri` and have its credentials, else on the
    processors of this machine. `on_learned` is called with how many shards are through the first pass, of how many;
    `on_shard` with the running sum of the second. Indexes learn of it by `reindex`.
    """
    total = ShardResult()
    with cluster():
        number = max(1, min(shards(), len(filenames)))
        names = shared(list(filenames))
        left = [Shard(one, number) for one in range(1, number + 1)]
        # The second time those that had to wait for others to learn.
        while left:
            calls, left = [(uri, lock, job, shard, names) for shard in left], []
            for shard, done, problems in each(_shard, calls):
                for problem in problems:
                    on_problem(problem)
                if done.waits_for:
                    left.append(shard)
                    on_learned(len(left), number)
                    continue
                _add(total, done)
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
    for figure in fields(done):
        if figure.name != "waits_for":
            setattr(total, figure.name, getattr(total, figure.name) + getattr(done, figure.name))

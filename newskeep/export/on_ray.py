"""An export on Ray: the shards of `--shard` as its tasks, each with its folder and manifest in the target.

What was stopped goes on, also on another number of processors: in how many shards it was cut, the target says.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from crawler.session.ray_cluster import cluster, each, is_remote, shards
from newskeep.export import Selection, Tools
from newskeep.export.job import MANIFEST, ExportResult, export
from storage.archive import Archive, open_archive
from storage.bulk import Shard
from storage.errors import UsageError
from storage.index import SharedIndex
from storage.objects import open_store
from storage.objects.retention import ObjectLock
from storage.problems import Problem

_MANIFEST = re.compile(rf"shard=\d+-of-(\d+)/{re.escape(MANIFEST)}")


def export_on_ray(
    archive: Archive,
    lock: ObjectLock | None,
    name: str,
    to: str,
    selection: Selection,
    tools: Callable[[Callable[[Problem], None]], Tools],
    *,
    on_problem: Callable[[Problem], None],
    on_shard: Callable[[ExportResult], None] = lambda done: None,
) -> ExportResult:
    """Bring the chosen part of an archive to `to`, by all processors that Ray has; return the sum of its shards.

    `tools` makes a task's own. Raises `UsageError` for a cluster whose nodes do not share the index.
    """
    place = archive.index_place
    index = place.address.uri if isinstance(place, SharedIndex) else None
    if is_remote() and index is None:
        raise UsageError("a cluster's nodes need an index that they share: --index postgresql://…; or use --shard")
    # Nodes have nothing of this machine's; tasks on it read its index.
    state = None if is_remote() else str(archive.state)
    total = ExportResult()
    reserved: Counter[str] = Counter()
    # Before Ray is started for nothing; and the whole address, which a task in another folder needs.
    before, to = _cut_before(to)
    with cluster():
        number = before or shards()
        calls = (
            (archive.uri, state, index, lock, name, to, replace(selection, shard=Shard(one, number)), tools)
            for one in range(1, number + 1)
        )
        for done, problems in each(_shard, calls):
            for field in ("records", "files", "bytes", "earlier", "noarchive", "ended", "licensed"):
                setattr(total, field, getattr(total, field) + getattr(done, field))
            reserved.update(done.reserved)
            for problem in problems:
                on_problem(problem)
            on_shard(total)
    total.reserved = dict(reserved.most_common())
    return total


def _cut_before(to: str) -> tuple[int | None, str]:
    """In how many shards an earlier run has cut it, `None` where there was none, and the address of the target.

    Raises `UsageError` for several.
    """
    target = open_store(to)
    try:
        # A folder is made where there is none, as for an export without shards.
        target.check(write=True)
        found = {int(known[1]) for info in target.list("shard=") if (known := _MANIFEST.fullmatch(info.key))}
    finally:
        target.close()
    if len(found) > 1:
        raise UsageError(f"{target.uri}: holds exports in {' and '.join(map(str, sorted(found)))} shards; choose one")
    return (found.pop() if found else None), target.uri


def _shard(
    uri: str,
    state: str | None,
    index: str | None,
    lock: ObjectLock | None,
    name: str,
    to: str,
    selection: Selection,
    tools: Callable[[Callable[[Problem], None]], Tools],
) -> tuple[ExportResult, list[Problem]]:
    """One shard as a task, in a process of its own."""
    problems: list[Problem] = []
    assert selection.shard is not None
    with ExitStack() as stack:
        folder = state or stack.enter_context(tempfile.TemporaryDirectory(prefix="newskeep-shard-"))
        archive = stack.enter_context(open_archive(uri, Path(folder), lock, index))
        target = open_store(selection.shard.place(to))
        stack.callback(target.close)
        done = export(archive, name, target, selection, tools(problems.append))
    return done, problems

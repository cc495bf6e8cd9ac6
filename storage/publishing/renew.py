"""Months published again since something of them was purged: what goes for good goes from the published index too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.util import find_spec

from storage.archive import Archive
from storage.problems import Problem
from storage.publishing.publish import PublishOptions, manifests, publish_now


def renew(archive: Archive, filenames: Collection[str], on_problem: Callable[[Problem], None]) -> None:
    """Publish again the months that were made from one of these WARCs, for a caller that holds the lock of upkeep.

    Where Parquet cannot be written here, a month's table goes and is told.
    """
    stale = [each for each in manifests(archive, on_problem).values() if not each.sources.keys().isdisjoint(filenames)]
    can_write = find_spec("pyarrow") is not None
    for manifest in stale:
        table = manifest.has_table and can_write
        options = PublishOptions(months=(manifest.month,), table=table, again=True)
        for _ in publish_now(archive, options, on_problem=on_problem):
            if manifest.has_table and not table:
                how = f"`newskeep index publish --month {manifest.month}` makes it where pyarrow is installed"
                on_problem(Problem(manifest.key, f"published again without its table; {how}"))

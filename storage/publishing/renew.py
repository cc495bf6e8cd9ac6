"""Months published again by upkeep: what is purged or hidden goes from the files that others read too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.util import find_spec

from storage.archive import Archive
from storage.errors import AlreadyRunning
from storage.problems import Problem
from storage.published.manifest import Manifest
from storage.publishing.changed import what_changed
from storage.publishing.publish import PublishOptions, manifests, publish_now
from storage.publishing.survey import survey


def renew(archive: Archive, filenames: Collection[str], on_problem: Callable[[Problem], None]) -> None:
    """Publish again the months that were made from one of these WARCs, for a caller that holds the lock of upkeep.

    Where Parquet cannot be written here, a month's table goes and is told.
    """
    held = manifests(archive, on_problem).values()
    _publish(archive, [each for each in held if not each.sources.keys().isdisjoint(filenames)], on_problem)


def renew_changed(archive: Archive, on_problem: Callable[[Problem], None]) -> int:
    """Publish again the published months that have changed, as `renew` does; return how many.

    What is hidden is out of the files that others read from then on. Of one that another machine publishes in the
    same moment, nothing is done.
    """
    held = manifests(archive, on_problem)
    if not held:
        return 0
    looked_at = survey(archive.store, held.values(), on_problem)
    stale = [each for month, each in held.items() if what_changed(archive, each, looked_at.get(month, {})) is not None]
    try:
        _publish(archive, stale, on_problem)
    except AlreadyRunning as error:
        on_problem(Problem(archive.uri, str(error)))
    return len(stale)


def _publish(archive: Archive, stale: Collection[Manifest], on_problem: Callable[[Problem], None]) -> None:
    can_write = find_spec("pyarrow") is not None
    for manifest in stale:
        table = manifest.has_table and can_write
        options = PublishOptions(months=(manifest.month,), table=table, search=manifest.texts is not None, again=True)
        for _ in publish_now(archive, options, on_problem=on_problem):
            if manifest.has_table and not table:
                how = f"`newskeep index publish --month {manifest.month}` makes it where pyarrow is installed"
                on_problem(Problem(manifest.key, f"published again without its table; {how}"))

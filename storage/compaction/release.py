"""What compactions and purges took out, and a bucket's Object Lock kept: gone for good once its retention has ended."""

from __future__ import annotations

from collections.abc import Callable

from storage.compaction.plan import all_records
from storage.errors import StoreDenied
from storage.objects import ObjectStore
from storage.objects.retention import Released
from storage.problems import Problem
from storage.warc import key_of

#: What goes with a WARC; texts are under no retention, and stay as older versions as well.
_KINDS = ("warc", "cdxj", "text")


def release(store: ObjectStore, on_problem: Callable[[Problem], None]) -> Released:
    """Remove the older versions of what was joined or purged, as far as they may go; every run catches up.

    Nothing is asked of a store without retention. That the versions may not be listed or removed is told. Raises
    `StoreUnavailable`.
    """
    if store.lock is None:
        return Released()
    taken_out = {name for record in all_records(store) for name in record.joined}
    try:
        return store.release({key_of(name, kind) for name in taken_out for kind in _KINDS})
    except StoreDenied as error:
        on_problem(Problem(store.uri, f"what was taken out stays as older versions: {error}"))
        return Released()

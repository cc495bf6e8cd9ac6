"""What people say of what is held: said, looked up, and what it is about."""

from __future__ import annotations

from datetime import datetime

from storage.annotating.sync import learn
from storage.annotations import Annotation
from storage.archive import Archive
from storage.errors import NotArchived
from storage.urls import normalize


def put(archive: Archive, annotation: Annotation) -> None:
    """Put an annotation into the store, durable, then into the index: from here on it holds.

    Raises `StoreUnavailable`, also where the index can be read only, before anything is put.
    """
    archive.check_index()
    archive.store.put(annotation.key, annotation.to_json())
    learn(archive.store, archive.index)


def capture_time(archive: Archive, url: str, at: datetime) -> datetime:
    """Return the time of the capture of a URL nearest to `at`. Raises `NotArchived`."""
    found = archive.index.closest(normalize(url), at)
    if found is None:
        raise NotArchived(f"{url} is not in the archive {archive.uri}")
    return found.timestamp.replace(microsecond=0)

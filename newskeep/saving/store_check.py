"""A look at the store before the first request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.archive import Archive


def look(archive: Archive) -> str | None:
    """Ask the store before the first request, and return what a person should know of it.

    One that is away need not stop the crawl, one that refuses us does. Raises `StoreUnavailable`.
    """
    return archive.check_store() or _without_index(archive)


def require(archive: Archive) -> str | None:
    """The same for who does not begin where what is fetched would have to wait: raised for a store that is away too."""
    with archive.absence.noticed():
        archive.store.check(write=True)
    return _without_index(archive)


def _without_index(archive: Archive) -> str | None:
    if next(archive.index.warcs(), None) is None and next(archive.store.list("warc/"), None) is not None:
        found = "what it holds is found again after `newskeep reindex`"
        return f"the archive {archive.uri} has no index on this machine; {found}"
    return None

"""The frontier: which addresses each site has named, and when to ask for them again.

Derived, like the index: one that is lost costs rhythm, and `crawler.frontier.recall` learns from the index which
articles are held.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.frontier.frontier import Frontier
    from storage.archive import Archive
    from storage.postgres_address import PostgresAddress

FILE = "frontier.sqlite"


def frontier_of(archive: Archive) -> Frontier:
    """Return the frontier that lies beside the archive's index, made when absent; it is closed with the archive."""
    if (address := archive.shared_index) is not None:
        return archive.companion(FILE, lambda _: open_shared_frontier(address, archive.uri))
    return archive.companion(FILE, open_frontier)


def has_frontier(archive: Archive) -> bool:
    """Whether there is a frontier, without making one. Raises `StoreUnavailable` for a server that is out of reach."""
    if (address := archive.shared_index) is None:
        return (archive.state / FILE).is_file()
    if archive.has_companion(FILE):
        return True
    from crawler.frontier import schema
    from storage.postgres import schema_version

    _, version = schema_version(address, schema.KIND)
    return version is not None


def open_frontier(path: Path) -> Frontier:
    """Open the frontier at `path`; make an empty one where there is no file.

    Raises `StoreUnavailable` when the file is damaged, made by a newer version, or cannot be written.
    """
    from crawler.frontier import schema
    from crawler.frontier.frontier import Frontier
    from storage.sqlite import open_database

    return Frontier(open_database(path, schema.KIND))


def open_shared_frontier(address: PostgresAddress, archive: str) -> Frontier:
    """Open the frontier of an archive on a server, for all machines that share it; make an empty one where is none.

    Raises `StoreUnavailable` when the server is out of reach, or it is another archive's.
    """
    from crawler.frontier import schema
    from crawler.frontier.frontier import Frontier
    from storage.postgres import open_database

    return Frontier(open_database(address, schema.KIND, archive))

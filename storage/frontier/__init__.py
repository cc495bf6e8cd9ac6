"""The frontier: which addresses each site has named, and when to ask for them again.

Derived, like the index: one that is lost costs rhythm, and `storage.frontier.recall` learns from the index which
articles are held.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.frontier.frontier import Frontier


def open_frontier(path: Path) -> Frontier:
    """Open the frontier at `path`; make an empty one where there is no file.

    Raises `StoreUnavailable` when the file is damaged, made by a newer version, or cannot be written.
    """
    from storage.frontier.frontier import Frontier, open_database

    return Frontier(open_database(path))

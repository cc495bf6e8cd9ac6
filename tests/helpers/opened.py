"""What lies beside an archive in a folder, opened wherever it is: its frontier may be a file or on a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.frontier import frontier_of
from crawler.frontier.frontier import Frontier
from storage import open_archive


@contextmanager
def frontier_in(folder: Path) -> Iterator[Frontier]:
    with open_archive(folder) as archive:
        yield frontier_of(archive)

"""The room that a crawl leaves on the disk: what is under way must still be sealed and delivered."""

from __future__ import annotations

import shutil
from pathlib import Path

from crawler.sizes import size
from storage.errors import SpoolError


class DiskFloor:
    """The bytes that stay free on the disk of a folder; 0: none."""

    def __init__(self, folder: Path, bytes_free: int) -> None:
        self._folder = folder
        self._floor = bytes_free

    def check(self) -> None:
        """Raise `SpoolError` where less is free. A system call of some microseconds; the folder must be there."""
        if not self._floor:
            return
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            # A disk that cannot be asked says so when it is written to.
            return
        if free < self._floor:
            raise SpoolError(
                f"{size(free)} free on the disk of {self._folder}, and min_free keeps {size(self._floor)}: "
                "make room, or set min_free lower"
            )

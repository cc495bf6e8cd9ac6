"""Room on this machine: the disk, and what lies in the spool."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.archive import Archive
from storage.spool import DAMAGED


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """Bytes of the file system that the spool is on."""

    free: int
    total: int
    #: Crawls stop where less is free; 0: never.
    floor: int

    @property
    def is_below(self) -> bool:
        return self.free < self.floor


@dataclass(frozen=True, slots=True)
class SpoolContent:
    """What lies in the spool: of crawls under way, and of those that left something."""

    bytes: int
    warcs: int
    #: WARCs that did not read back as they were written, kept for a person to look at.
    damaged: int


def disk_of(archive: Archive, floor: int) -> DiskRoom | None:
    """Return the room on the disk of an archive's state folder; `None` where it cannot be told."""
    with suppress(OSError):
        usage = shutil.disk_usage(_there(archive.state))
        return DiskRoom(usage.free, usage.total, floor)
    return None


def spool_of(archive: Archive) -> SpoolContent:
    root = archive.spool.root
    damaged = root / DAMAGED
    names = [path for path in root.glob("*/*.warc.gz*") if path.parent != damaged]
    return SpoolContent(archive.spool.size(), len(names), sum(1 for _ in damaged.glob("*.warc.gz")))


def _there(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next((each for each in (folder, *folder.absolute().parents) if each.exists()), folder)

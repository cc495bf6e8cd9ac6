"""Work for `dying_store.killed_at`: what lies in the folder "source" beside an archive is copied into it."""

from __future__ import annotations

from pathlib import Path

from storage.archive import Archive
from storage.maintenance.copy import copy
from storage.objects.local import LocalStore


def copy_from(archive: Archive) -> None:
    copy(LocalStore(str(Path(archive.uri).with_name("source"))), archive)

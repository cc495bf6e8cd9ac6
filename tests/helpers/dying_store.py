"""Work on an archive in a folder, killed at a call of its store: `killed_at(warm, archive, work, 3, "behind")`."""

from __future__ import annotations

from warm_start import WarmStart

from storage.archive import Archive

_KILLED = """
import os, sys
from importlib import import_module
from pathlib import Path
from storage.archive import Archive
from storage.objects.local import LocalStore

uri, module, work, left, when = sys.argv[1:]

class Dying(LocalStore):
    left = int(left)

    def step(self, call, *arguments):
        Dying.left -= 1
        if Dying.left < 0 and when == "before":
            os._exit(9)
        call(*arguments)
        if Dying.left < 0:
            os._exit(9)

    def put(self, key, source):
        self.step(super().put, key, source)

    def delete(self, key):
        self.step(super().delete, key)

folder = Path(uri)
with Archive(Dying(str(folder)), folder) as archive:
    getattr(import_module(module), work)(archive)
"""


def killed_at(warm_start: WarmStart, archive: Archive, work: str, step: int, when: str) -> int:
    """Run `work`, such as "storage.compaction.run:compact", and end it before or behind its store's call number `step`
    that changes something, from 0; return the exit code, 9 where it came so far."""
    module, _, name = work.partition(":")
    return warm_start.python(_KILLED, archive.uri, module, name, str(step), when).returncode

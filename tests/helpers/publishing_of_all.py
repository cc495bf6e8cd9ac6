"""Work for `dying_store.killed_at`: all that is over is published."""

from __future__ import annotations

from storage.archive import Archive
from storage.publishing.publish import publish


def publish_all(archive: Archive) -> None:
    for _ in publish(archive):
        pass

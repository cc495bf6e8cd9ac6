# Newskeep's; newskeep/_packages.py looks for this line.
"""The archive, without the crawler: open it, look things up, get originals and texts back.

>>> from storage import open_archive
>>> with open_archive("archive") as archive:
...     for capture in archive.captures("https://www.example.org/"):
...         print(capture.timestamp, capture.status)
...     body = archive.get("https://www.example.org/").message.content(limit=10_000_000)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.archive import Archive, open_archive
    from storage.reader import Memento

__all__ = ["Archive", "Memento", "open_archive"]


def __getattr__(name: str) -> object:
    # Imported on use: `newskeep --help` must not wait for SQLAlchemy.
    if name in __all__:
        from storage import archive

        return getattr(archive, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

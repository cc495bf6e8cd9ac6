"""Newskeep's public interface: open an archive, save pages into it, read what is in it, extract the text of a page.

>>> from newskeep import extract, open_archive
>>> with open_archive("archive") as archive:
...     for outcome in archive.save(["https://www.example.org/a"]):
...         print(outcome.outcome, outcome.reason)
...     memento = archive.get("https://www.example.org/a")
...     page = memento.message.content(limit=10_000_000)
...     print(extract(page, memento.capture.url).text)

What `__all__` names is public and stays; all else may move between versions. On top of this stand the command line
(`cli`), the web side, export, schedule and health.
"""

from __future__ import annotations

from newskeep import _packages

# Before all other imports: a file called typing.py could lie in the current folder.
_packages.check()

from importlib import import_module  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

if TYPE_CHECKING:
    from crawler.extraction import extract
    from newskeep.archive import Archive, open_archive
    from storage.errors import (
        AlreadyRunning,
        ConfigError,
        Corrupt,
        InvalidURL,
        NewskeepError,
        NotArchived,
        ObjectExists,
        ObjectMissing,
        SpoolError,
        StoreDenied,
        StoreUnavailable,
        UsageError,
    )
    from storage.model import Article, Block, Capture, Exchange, Outcome
    from storage.reader import Memento

__all__ = [
    "AlreadyRunning",
    "Archive",
    "Article",
    "Block",
    "Capture",
    "ConfigError",
    "Corrupt",
    "Exchange",
    "InvalidURL",
    "Memento",
    "NewskeepError",
    "NotArchived",
    "ObjectExists",
    "ObjectMissing",
    "Outcome",
    "SpoolError",
    "StoreDenied",
    "StoreUnavailable",
    "UsageError",
    "__version__",
    "extract",
    "open_archive",
]

__version__: str

_ROOMS = {
    "extract": "crawler.extraction",
    **dict.fromkeys(("Archive", "open_archive"), "newskeep.archive"),
    "Memento": "storage.reader",
    **dict.fromkeys(("Article", "Block", "Capture", "Exchange", "Outcome"), "storage.model"),
}


def __getattr__(name: str) -> object:
    # Imported on use: `import newskeep` and `newskeep --help` must not wait for SQLAlchemy and lxml.
    if name == "__version__":
        from importlib.metadata import version

        return version("newskeep")
    if name in __all__:
        return getattr(import_module(_ROOMS.get(name, "storage.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

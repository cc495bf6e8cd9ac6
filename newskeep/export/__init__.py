"""The archive in the formats that other tools open: one file a format, into a folder, a bucket or a stream.

An export is made in files, newest articles first. A file is put when it is whole, then the manifest says so
(`_newskeep-export.json`); a run that was stopped anywhere goes on behind the last file that the manifest has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from storage.archive import Archive
from storage.bulk import Shard
from storage.errors import Corrupt, UsageError
from storage.extras import command_for
from storage.model import Article
from storage.problems import Problem
from storage.rights.purposes import Purpose
from storage.urls import timestamp14

__all__ = [
    "CAPTURE_FORMATS",
    "FORMATS",
    "STREAMS",
    "Format",
    "Part",
    "PlaceError",
    "Selection",
    "Stream",
    "Tools",
    "open_format",
    "open_stream",
    "resuming",
]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which articles (of CDXJ and WACZ: captures); times included."""

    site: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    language: str | None = None
    tag: str | None = None
    #: Whether it is for others: without what says `noarchive`, or whose `unavailable_after` is past.
    public: bool = False
    #: What it is for: without what is reserved for that.
    purpose: Purpose | None = None
    #: Only what lies in the WARCs of this shard.
    shard: Shard | None = None
    #: When the export was begun, where that was not just now.
    now: datetime | None = None

    def to_json(self) -> dict[str, str | bool | None]:
        """Of the manifest; those of older versions know neither `tag`, `public`, `for` nor `shard`."""
        return {
            "site": self.site,
            "since": timestamp14(self.since) if self.since else None,
            "until": timestamp14(self.until) if self.until else None,
            "language": self.language,
            **({"tag": self.tag} if self.tag else {}),
            **({"public": True} if self.public else {}),
            **({"for": self.purpose} if self.purpose else {}),
            **({"shard": str(self.shard)} if self.shard else {}),
        }


@dataclass(frozen=True, slots=True)
class Tools:
    """What formats need from rooms that this one does not know."""

    #: An article as Markdown.
    markdown: Callable[[Article], str]
    #: Addresses that a page (or with True a style) needs to be shown, from its bytes, address and Content-Type.
    requisites: Callable[[bytes, str, str | None, bool], Iterator[str]]
    #: File with the key that signs; `None` for no signature.
    sign_key: Path | None = None
    software: str = "newskeep"
    on_problem: Callable[[Problem], None] = lambda problem: None


@dataclass(frozen=True, slots=True)
class Part:
    """Finished files of an export, and where the next ones begin."""

    #: Key in the target -> file; removed once they are put. One, unless there are `many`.
    files: dict[str, Path]
    #: Articles or captures in them.
    records: int
    #: For `Format.parts`; JSON.
    after: Any
    #: Whether there is a file for each record, so that a list of them all would be too long.
    many: bool = False


class PlaceError(Exception):
    """What an earlier run has left as the place to go on from is none."""


@contextmanager
def resuming() -> Iterator[None]:
    """Raise `PlaceError` for whatever taking an `after` apart raises."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, Corrupt, UsageError) as error:
        raise PlaceError(repr(error)) from error


class Format(Protocol):
    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        """Yield the export part by part, from behind `after` on; files are made in `folder`. Raises `PlaceError`."""


class Stream(Protocol):
    def lines(self, archive: Archive, selection: Selection) -> Iterator[bytes]:
        """Yield the whole export as lines."""


#: Format -> "module:class", imported on use; the class takes `Tools`.
FORMATS = {
    "jsonl": "newskeep.export.jsonl:Jsonl",
    "parquet": "newskeep.export.parquet:Parquet",
    "markdown": "newskeep.export.markdown:Markdown",
    "wet": "newskeep.export.wet:Wet",
    "wacz": "newskeep.export.wacz:Wacz",
    "cdxj": "newskeep.export.cdxj:Cdxj",
}
#: Formats that are streams as well, for standard output.
STREAMS = ("jsonl", "cdxj")
#: Formats of captures; the others are of articles.
CAPTURE_FORMATS = ("cdxj", "wacz")


def open_format(name: str, tools: Tools) -> Format:
    """Raises `UsageError` where the format needs a package that is not installed."""
    made: Format = _open(name, tools)
    return made


def open_stream(name: str, tools: Tools) -> Stream:
    assert name in STREAMS
    made: Stream = _open(name, tools)
    return made


def _open(name: str, tools: Tools) -> Any:
    module, _, cls = FORMATS[name].partition(":")
    try:
        return getattr(import_module(module), cls)(tools)
    except ModuleNotFoundError as error:
        raise UsageError(f"--format {name} needs {error.name}: {command_for(name)}") from None

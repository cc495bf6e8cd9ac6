"""The index: which captures and articles are held, and where. Derived from the WARCs, so always replaceable."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from storage.fingerprints import Fingerprint
from storage.rights.signal import Signal, shown_until

if TYPE_CHECKING:
    from storage.index.index import Index


@dataclass(frozen=True, slots=True)
class WarcEntry:
    """A sealed WARC file; `size` in bytes, `sha256` of the whole file in hex, `parts` the keys of its text parts.

    An empty `sha256` is not known: the rows were read from a CDXJ, not from the WARC.
    `captures` and `articles` count its rows; the index counts them itself and ignores what it is given.
    """

    filename: str
    size: int
    sha256: str
    parts: tuple[str, ...] = ()
    captures: int = 0
    articles: int = 0


@dataclass(frozen=True, slots=True)
class ArticleEntry:
    """An article's row: what a list of articles shows, and where its line lies in a text part."""

    url: str
    timestamp: datetime
    #: Host without "www.": `storage.urls.site_of`.
    site: str
    title: str | None
    #: ISO 8601, as the page says.
    published: str | None
    language: str | None
    words: int
    #: The record that the text was made from.
    filename: str
    offset: int
    #: Key of the text part, one of its WARC's `parts`; place of the line in it, in bytes.
    part: str
    part_offset: int
    part_length: int
    #: Of its text; `None` where it has none.
    fingerprint: Fingerprint | None = None
    #: Whether its page says `noarchive`, see `storage.model.Capture`.
    noarchive: bool = False
    #: What its page says of its use, and until when it may be shown to others, see there.
    rights: tuple[Signal, ...] = ()
    #: How likely the text is right as a whole, see `storage.model.Article`.
    confidence: float | None = None
    #: Set by the index, for paging.
    id: int | None = field(default=None, compare=False)
    #: What is searched, on its way into the index, which does not give it back; `None` for what cannot be searched.
    text: str | None = field(default=None, compare=False, repr=False)
    authors: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def shown_until(self) -> datetime | None:
        return shown_until(self.rights)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An article under another URL with the same text (`exact`), or nearly the same."""

    article: ArticleEntry
    exact: bool
    #: About which share of their runs of words the two have in common: 1 where they differ in signs alone.
    similarity: float


@dataclass(frozen=True, slots=True)
class SiteDoubt:
    """How many articles of a site have a confidence, and how many of these are doubtful."""

    site: str
    judged: int
    doubtful: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles a search goes through."""

    site: str | None = None
    #: With its regions: "pt" is also "pt-BR".
    language: str | None = None
    #: Words that follow each other in the name of an author.
    author: str | None = None
    tag: str | None = None
    #: Both included.
    since: datetime | None = None
    until: datetime | None = None


#: The newest first, or the best.
SearchOrder = Literal["date", "relevance"]
ORDERS: tuple[SearchOrder, ...] = ("date", "relevance")


@dataclass(frozen=True, slots=True)
class Total:
    """How many articles a search has, each URL once; unless it is `exact`, there are more."""

    count: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was searched for: the newest of its URL that has the words."""

    article: ArticleEntry
    #: What goes on behind this one.
    key: int
    authors: tuple[str, ...]
    #: A line or two of the text around the words; its beginning where they stand in the title alone.
    snippet: str
    #: Where the words stand, as (start, end) in `snippet` and in the article's title.
    marks: tuple[tuple[int, int], ...]
    title_marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the index holds; `bytes` is the size of all WARCs."""

    warcs: int
    bytes: int
    captures: int
    articles: int


def open_index(path: Path, *, create: bool = True) -> Index:
    """Open the SQLite index at `path`; make an empty one where there is no file and `create` is set.

    Read-only where the file or its folder cannot be written. An older schema is brought up to date. Raises
    `StoreUnavailable` when the file is absent (and `create` is not set), damaged, or made by a newer version.
    """
    from storage.index import schema
    from storage.index.index import Index
    from storage.sqlite import open_database

    return Index(open_database(path, schema.KIND, create=create))


def discard_index(path: Path) -> None:
    """Remove a SQLite index and its companions, whatever state they are in; none there is no error.

    Raises `AlreadyRunning` when another process has it open: its leftovers would spoil a new one.
    """
    from storage.index import schema
    from storage.sqlite import discard

    discard(path, schema.KIND)

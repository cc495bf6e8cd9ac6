"""The index: which captures and articles are held, and where. Derived from the WARCs, so always replaceable."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from storage.fingerprints import Fingerprint
from storage.postgres_address import PostgresAddress
from storage.rights.signal import Signal, shown_until

if TYPE_CHECKING:
    from storage.index.index import Index
    from storage.index.indexed_text import ReadyText


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
    #: In place of `text`: the same, as the index takes it in.
    ready: ReadyText | None = field(default=None, compare=False, repr=False)

    @property
    def shown_until(self) -> datetime | None:
        return shown_until(self.rights)

    @property
    def is_searchable(self) -> bool:
        """Whether there is something for search to take in."""
        return self.text is not None or self.ready is not None


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


@dataclass(frozen=True, slots=True)
class SharedIndex:
    """Where an index is that several machines use: a PostgreSQL database, for one archive."""

    address: PostgresAddress
    #: URI of the archive.
    archive: str

    def __str__(self) -> str:
        """As it may be shown."""
        return self.address.shown


def open_index(place: Path | SharedIndex, *, create: bool = True) -> Index:
    """Open the index in a SQLite file or on a server; make an empty one where there is none and `create` is set.

    Read-only where the file or its folder cannot be written, or the server says so. An older schema is brought up to
    date. Raises `StoreUnavailable` when the index is absent (and `create` is not set), damaged, made by a newer version
    or that of another archive, or the server cannot be reached; `ConfigError` where the extra `postgres` is missing.
    """
    from storage.index import schema
    from storage.index.index import Index

    if isinstance(place, SharedIndex):
        from storage import postgres

        return Index(postgres.open_database(place.address, schema.KIND, place.archive, create=create))
    from storage.sqlite import open_database

    return Index(open_database(place, schema.KIND, create=create))


def shared_version(place: SharedIndex) -> tuple[str, int | None]:
    """Return what the server of a shared index is, and its schema version, `None` where there is none yet.

    Nothing is made and nothing brought up to date. Raises as `open_index`.
    """
    from storage import postgres
    from storage.index import schema

    return postgres.schema_version(place.address, schema.KIND)


def held_by_all(place: Path | SharedIndex, work: str) -> AbstractContextManager[Callable[[], None]]:
    """Keep other machines that share an index from upkeep of it; nobody shares a file.

    What the block is given is to be called before each step; see `storage.postgres.held`. Raises `AlreadyRunning`,
    naming the `work`, where one of them is at it, and `StoreUnavailable`.
    """
    if isinstance(place, SharedIndex):
        from storage import postgres
        from storage.index import schema

        return postgres.held(place.address, schema.KIND, work)
    return nullcontext(_is_ours)


def _is_ours() -> None:
    """Nobody else can have it."""


def discard_index(place: Path | SharedIndex) -> None:
    """Remove a SQLite index and its companions, whatever state they are in; none there is no error.

    Raises `AlreadyRunning` when another process has it open: its leftovers would spoil a new one. One on a server is
    emptied in one step, for all who use it.
    """
    from storage.index import schema

    if isinstance(place, SharedIndex):
        from storage import postgres

        postgres.discard(place.address, schema.KIND, place.archive)
        return
    from storage.sqlite import discard

    discard(place, schema.KIND)

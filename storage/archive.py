"""The archive: one object store with its index and its spool, as one thing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from heapq import merge
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar, cast
from urllib.parse import urljoin

from storage.article_reader import ArticleReader, no_text
from storage.delivery import Delivery
from storage.errors import InvalidURL, NotArchived, StoreDenied, StoreUnavailable
from storage.index import (
    ArticleEntry,
    Duplicate,
    Filters,
    Hit,
    SearchOrder,
    SharedIndex,
    discard_index,
    held_by_all,
    open_index,
)
from storage.index.articles import ReadEntries, read_entries
from storage.index.query_parser import SearchQuery
from storage.locking import held
from storage.model import DOUBTFUL, Article, Capture
from storage.objects import ObjectStore
from storage.objects.circuit_breaker import CircuitBreaker
from storage.objects.retention import ObjectLock
from storage.places import places, shared_index
from storage.postgres_address import PostgresAddress
from storage.published.months import PublishedMonths
from storage.published.whole import WholeIndex
from storage.reader import Memento, Reader
from storage.renditions import Rendition
from storage.spool import CrawlFolder, Look, Parcel, Spool, no_look
from storage.urls import Match, normalize, surt_prefix
from storage.versions import Version, versions
from storage.warc import NOT_MODIFIED, Record

if TYPE_CHECKING:
    from storage.transparency.writer import LogWriter

#: Redirects that are followed inside the archive.
_HOPS = 10
#: Captures of a page that are looked at for what a browser made of it.
_LOOKED_AT = 20


class Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Archive:
    """What is held under one URI. Every method may raise `StoreUnavailable`.

    The index is opened on first use and made when absent. Use as a context manager, or call `close`.
    """

    def __init__(self, store: ObjectStore, state: Path, shared_index: PostgresAddress | None = None) -> None:
        self.store = store
        #: The database that the index is in, where that is not a file in the state folder.
        self.shared_index = shared_index
        #: Who looks at the store before a run does so through it, and the run takes it over.
        self.absence = CircuitBreaker()
        self.state = state
        self.spool = Spool(state / "spool")
        self.reader = Reader(store, lambda: self.index)
        self._articles = ArticleReader(store, self.reader, lambda: self.index)
        self._delivery = Delivery(store, lambda: self.index, lambda: self.log)
        self._mind_upkeep: Callable[[], None] | None = None
        self._companions: dict[str, Closable] = {}
        self._companions_lock = threading.Lock()

    @property
    def uri(self) -> str:
        return self.store.uri

    @cached_property
    def index(self) -> WholeIndex:
        self._make_state()
        return WholeIndex.over(open_index(self.index_place), PublishedMonths(self.store, self.state / "published"))

    @cached_property
    def log(self) -> LogWriter | None:
        """The log that this user writes for the archive; `None` where there is no key for one. Raises `UsageError`."""
        # On use: cryptography is nothing that readers wait for.
        from storage.transparency.keys import PrivateKey, key_path
        from storage.transparency.writer import LogWriter

        path = key_path(self.uri)
        # A home that cannot be looked into, as after a change of user, has no key of ours.
        there = os.access(path, os.F_OK)
        return LogWriter(self.store, self.state, PrivateKey.load(path)) if there else None

    @property
    def has_index(self) -> bool:
        """Whether there is an index on this machine, without making one; one on a server is taken to be there."""
        place = self.index_place
        return "index" in self.__dict__ or not isinstance(place, Path) or place.exists()

    def companion(self, name: str, make: Callable[[Path], C]) -> C:
        """Return what another package keeps as the file `name` beside the index; `make` opens it on first use.

        It is closed with the archive.
        """
        with self._companions_lock:
            if name not in self._companions:
                self._make_state()
                self._companions[name] = make(self.state / name)
            return cast("C", self._companions[name])

    def has_companion(self, name: str) -> bool:
        """Whether `companion` has opened it."""
        return name in self._companions

    def _make_state(self) -> None:
        try:
            self.state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"cannot make the folder {self.state}: {error.strerror}") from error

    def renew_index(self) -> None:
        """Throw the index away, whatever state it is in; an empty one takes its place. Raises `AlreadyRunning`."""
        if "index" in self.__dict__:
            self.index.close()
            del self.index
        discard_index(self.index_place)

    def captures(
        self,
        url: str,
        *,
        match: Match = "exact",
        since: datetime | None = None,
        until: datetime | None = None,
        tag: str | None = None,
    ) -> Iterator[Capture]:
        """Yield what is held of a URL, or with `match` of a prefix, host or domain, in order of SURT and time.

        A "host" without a port is that host on every port. Raises `NotArchived` when nothing can be found because the
        index is empty and the archive is not.
        """
        ports = match == "host" and ":" not in surt_prefix(url, "host")[0]
        found = None
        for each in (match, "ports") if ports else (match,):
            for found in self.index.captures(url, match=each, since=since, until=until, tag=tag):
                yield found
        if found is None:
            self._check_indexed()

    def find(self, url: str, at: datetime | None = None) -> Capture:
        """Return the capture of a URL nearest to `at`; without, the newest that succeeded, else the newest.

        What came in place of the page (`Capture.wall`) is returned where nothing else is held of the URL, or where `at`
        is its very second. Raises `NotArchived`.
        """
        url = normalize(url)
        if at is not None:
            capture = self._nearest(url, at)
        else:
            now = datetime.now(UTC)
            capture = self.index.closest(url, now, accept=_succeeded) or self._nearest(url, now)
        if capture is None:
            self._check_indexed()
            raise NotArchived(f"{url} is not in the archive {self.uri}")
        return capture

    def _nearest(self, url: str, at: datetime) -> Capture | None:
        second = at.replace(microsecond=0)

        def is_meant(capture: Capture) -> bool:
            return capture.wall is None or capture.timestamp.replace(microsecond=0) == second

        return self.index.closest(url, at, accept=is_meant) or self.index.closest(url, at)

    def redirected(self, redirect: Capture, location: str) -> Capture | None:
        """Return the capture that a redirect to `location` leads to, the nearest in time; `None` if none is held.

        What came in place of the page (`Capture.wall`) is passed over for a page of the target, then for one of the
        redirect's own URL. One that leads to its own URL is returned itself. Raises `InvalidURL`, `ValueError`.
        """
        url = normalize(urljoin(redirect.url, location))
        index, at = self.index, redirect.timestamp
        found = index.closest(url, at, accept=lambda capture: capture.wall is None) or index.closest(url, at)
        if found is None or found.wall is None:
            return redirect if found is not None and found.url == redirect.url else found
        return index.closest(redirect.url, at, accept=_is_page) or found

    def get(self, url: str, at: datetime | None = None, *, follow: bool = False) -> Memento:
        """Return the memento of a URL nearest to `at`, the newest one without.

        With `follow`, a redirect leads to the capture of its target nearest in time, if that is held. One that leads to
        a wall is passed over where the page itself is held of another time. Raises `NotArchived`.
        """
        memento = found = self.read(self.find(url, at))
        for _ in range(_HOPS if follow else 0):
            target = self._target(memento)
            if target is None:
                break
            memento = target
        if memento is not found and memento.capture.wall is not None:
            page = self.index.closest(normalize(url), at or datetime.now(UTC), accept=_is_page)
            return memento if page is None else self.read(page)
        return memento

    def read(self, capture: Capture) -> Memento:
        """Return the memento of a capture; one that was moved since it was looked up is found again."""
        return self.reader.read(capture)

    def rendition(self, url: str, rendition: Rendition, at: datetime | None = None) -> Record:
        """Return what a browser made of a page: of the capture nearest to `at` that has it, the newest without.

        Redirects are followed. Raises `NotArchived`.
        """
        capture = self.get(url, at, follow=True).capture
        moment = at or datetime.now(UTC)
        held = [each for each in self.index.captures(capture.url) if each.url == capture.url and not each.is_revisit]
        for each in sorted(held, key=lambda each: abs(each.timestamp - moment))[:_LOOKED_AT]:
            with suppress(NotArchived):
                return self.reader.rendition(each, rendition)
        raise NotArchived(f"no {rendition} of {url} is held; newskeep save --render makes them")

    def article(self, url: str, at: datetime | None = None) -> Article:
        """Return the article of a URL nearest to `at`, following redirects and revisits. Raises `NotArchived`."""
        return self.article_of(self.get(url, at, follow=True))

    def article_of(self, memento: Memento) -> Article:
        """Return the article made from a memento. Raises `NotArchived` where none was."""
        return self._articles.of(memento)

    def read_article(self, entry: ArticleEntry) -> Article:
        """Return the article of an index entry, though a compaction or `reextract` may have moved it since."""
        return self._articles.read(entry)

    def is_by(self, entry: ArticleEntry, author: str) -> bool:
        """Whether the words of `author` follow each other in the name of one of an article's authors.

        The index does not know authors of what it lists, so that the article is read.
        """
        return self._articles.is_by(entry, author)

    def articles(
        self,
        *,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        language: str | None = None,
        tag: str | None = None,
    ) -> Iterator[Article]:
        """Yield the articles held, newest first."""
        for entry in self.index.articles(site=site, since=since, until=until, language=language, tag=tag):
            yield self.read_article(entry)

    def doubtful(
        self,
        below: float = DOUBTFUL,
        *,
        sites: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[ArticleEntry]:
        """Yield the articles whose confidence is lower than `below`, the least sure first, of equal ones the newest.

        Of all sites where none is given. `since` and `until` included. Nothing is read but the index.
        """
        found = [
            self.index.doubtful(below, site=site, since=since, until=until, limit=limit)
            for site in (dict.fromkeys(sites) or (None,))
        ]
        yield from islice(merge(*found, key=_doubt), limit)

    def versions(self, url: str) -> list[Version]:
        """Return the versions of a URL's article in order of time, following redirects. Raises `NotArchived`."""
        url = normalize(url)
        found = versions(self.index, url, self.read_article)
        if not found:
            url = self.get(url, follow=True).original.url
            found = versions(self.index, url, self.read_article)
        if not found:
            raise no_text(url)
        return found

    def duplicates(self, url: str, at: datetime | None = None, limit: int | None = None) -> Iterator[Duplicate]:
        """Yield the articles under other URLs with the text that a URL had nearest to `at`, or nearly that text.

        Newest first, one a URL, following redirects. Nothing is read but the index. Raises `NotArchived`.
        """
        url = normalize(url)
        entry = self.index.article(url, at)
        if entry is None:
            memento = self.get(url, at, follow=True)
            url, entry = memento.original.url, self._articles.entry_of(memento)
        if entry is None:
            raise no_text(url)
        yield from self.index.duplicates(entry, limit)

    def search(
        self,
        words: str | SearchQuery,
        *,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        language: str | None = None,
        author: str | None = None,
        tag: str | None = None,
        order: SearchOrder = "date",
        before: int | None = None,
        limit: int | None = None,
    ) -> Iterator[Hit]:
        """Yield the articles whose title and text have all the words, one a URL: its newest that has.

        The newest first, or by `order` the best 400, the best first. "Several words" must follow each other, one OR
        other is enough, -word (NOT word) must not occur, word* begins so, brackets hold together; author:, site:,
        language: and tag: are part of it (`storage.index.query_parser`). Case and accents do not matter. `author` are
        whole words of one author's name, in order. `before`, the key of a hit, goes on behind it, in the same order.
        Nothing is read but the index. Raises `UsageError` for what is no query, `NotArchived` as `captures` does.
        """
        filters = Filters(site=site, language=language, author=author, tag=tag, since=since, until=until)
        wanted = words if isinstance(words, SearchQuery) else SearchQuery.parse(words)
        found = None
        for found in self.index.search(wanted, filters, order=order, before=before, limit=limit):
            yield found
        if found is None:
            self._check_indexed()

    def deliver(self, parcel: Parcel, look: Look = no_look, read: ReadEntries = read_entries) -> None:
        """Bring a sealed WARC and its parts to the store, then to the index, then empty the spool of them.

        May be repeated after a failure at any point, even when a compaction has taken the WARC up meanwhile. `look` is
        called before each object and each row, and ends the work by what it raises. `read` reads what the index is to
        know of its text.
        """
        self._delivery.deliver(parcel, look, read)

    def replace_text(self, filename: str, text: Path, lines: Iterable[bytes]) -> None:
        """Put a text part in the place of what is held of a WARC, then its rows into the index; `lines` is its CDXJ."""
        self._delivery.replace_text(filename, text, lines)

    def deliver_report(self, folder: CrawlFolder) -> None:
        """Bring a crawl's report to the store and empty the spool of it."""
        self._delivery.deliver_report(folder)

    @property
    def index_place(self) -> Path | SharedIndex:
        """Where the index is; as a text it may be shown."""
        if self.shared_index is not None:
            return SharedIndex(self.shared_index, self.uri)
        return self.state / "index.sqlite"

    def check_store(self) -> str | None:
        """Ask the store before something is fetched; return why what comes has to wait in the spool, if it has to.

        A bucket that is away can wait. Raises `StoreUnavailable` for one that refuses us, and for a folder.
        """
        try:
            with self.absence.noticed():
                self.store.check(write=True)
        except StoreDenied:
            raise
        except StoreUnavailable as error:
            if not self.uri.startswith("s3:"):
                raise
            return f"{error}; what is fetched waits in {self.spool.root}"
        return None

    def check_index(self) -> None:
        """Raise `StoreUnavailable` where the index can be read only: what is fetched could not be found in it."""
        if self.index.read_only:
            cure = "check the folder's owner and mode" if self.shared_index is None else "check the rights of its user"
            raise StoreUnavailable(f"{self.index_place}: the index cannot be written here; {cure}")

    @contextmanager
    def upkeep(self) -> Iterator[None]:
        """Hold the lock of work that moves or replaces what is held: on this machine, and on all that share its index.

        Such work calls `mind_upkeep` before each of its steps. Raises `AlreadyRunning`.
        """
        work = "a reindex, compaction, copy or reextract"
        with held(self.state / "upkeep.lock", work), held_by_all(self.index_place, work) as mind:
            self._mind_upkeep = mind
            try:
                yield
            finally:
                self._mind_upkeep = None

    def mind_upkeep(self) -> None:
        """Go on with upkeep: a database server that was restarted has let go of its lock.

        Raises `AlreadyRunning` where another machine has it by now; what was done so far stays, and may be repeated.
        """
        if self._mind_upkeep is not None:
            self._mind_upkeep()

    def close(self) -> None:
        if "index" in self.__dict__:
            self.index.close()
        for companion in self._companions.values():
            companion.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_indexed(self) -> None:
        """Raise `NotArchived` when nothing can be found because the index is empty and the archive is not."""
        if next(self.index.warcs(), None) is None and next(self.store.list("warc/"), None) is not None:
            raise NotArchived(f"the index of {self.uri} on this machine is empty; make it with `newskeep reindex`")

    def _target(self, memento: Memento) -> Memento | None:
        message = memento.message
        location = message.header("location")
        if message.status not in (301, 302, 303, 307, 308) or location is None:
            return None
        try:
            capture = self.redirected(memento.capture, location)
        except (InvalidURL, ValueError):
            return None
        return None if capture is None or capture == memento.capture else self.read(capture)


def _is_page(capture: Capture) -> bool:
    return _succeeded(capture) and (capture.status == NOT_MODIFIED or (capture.status or 0) < 300)


def _succeeded(capture: Capture) -> bool:
    if capture.wall is not None:
        return False
    if capture.status == NOT_MODIFIED:
        # By itself it shows nothing.
        return capture.is_revisit
    return capture.status is not None and 200 <= capture.status < 400


def _doubt(entry: ArticleEntry) -> tuple[float, float]:
    return entry.confidence or 0.0, -entry.timestamp.timestamp()


def open_archive(
    uri: str | os.PathLike[str] = "archive",
    state: str | os.PathLike[str] | None = None,
    lock: ObjectLock | None = None,
    index: str | None = None,
) -> Archive:
    """Open the archive in a folder or bucket; nothing is made or asked before it is used.

    `uri` is a folder, `file://…` or `s3://bucket/prefix`. `state` is the folder for what is local to this machine; by
    default the archive's folder itself, and for a remote archive a folder of its own in the user's state folder.
    `lock` is the retention that WARCs, CDXJ and logs get, in a bucket with Object Lock. `index` is a PostgreSQL
    database that several machines share, postgresql://USER@HOST/DATABASE; by default the index is a file in the state
    folder. Raises `UsageError` for what is no such address.
    """
    return Archive(*places(uri, state, lock), shared_index(index))

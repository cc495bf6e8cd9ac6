"""Text again from the WARCs: with the extractor as it is now, and with what has been learned of the sites since."""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from crawler.extraction.template.site_memory import SiteMemory
from crawler.session.correction_store import CorrectionStore
from crawler.session.extract_ahead import extract_ahead
from crawler.session.extraction_pool import ExtractionPool
from crawler.session.sealing import seal
from crawler.session.site_memory_store import SiteMemoryStore
from storage import untexted
from storage.archive import Archive
from storage.articles import read_part
from storage.errors import Corrupt, InvalidURL, NewskeepError, ObjectMissing
from storage.index import WarcEntry
from storage.model import Article
from storage.problems import Problem
from storage.spool import Parcel
from storage.urls import parse_timestamp, site_of, timestamp14
from storage.warc import key_of

_CHUNK = 1 << 20
_VERIFY = "`newskeep verify --deep` says what to do"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one article's text; `None` stands for no article."""

    url: str
    timestamp: str
    before: Article | None
    after: Article | None

    def diff(self) -> Iterator[str]:
        """The lines of the text that go ("- …") and come ("+ …")."""
        old = self.before.text.splitlines() if self.before else []
        new = self.after.text.splitlines() if self.after else []
        for line in difflib.ndiff([line for line in old if line], [line for line in new if line]):
            if line.startswith(("- ", "+ ")):
                yield line


@dataclass(frozen=True, slots=True)
class ReextractResult:
    """One WARC whose text was made again; nothing changed when `changes` is empty and `identical` true."""

    filename: str
    articles: int
    #: The text part is the same, byte for byte.
    identical: bool
    #: Articles whose title and text are as before, and something else that is said of them is not: dates, rights.
    redescribed: int
    changes: tuple[Change, ...]


def reextract(
    archive: Archive,
    pool: ExtractionPool,
    *,
    workers: int,
    site: str | None = None,
    since: datetime | None = None,
    write: bool = True,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> Iterator[ReextractResult]:
    """Make the text of each WARC again and yield what changed; with `write`, keep it where it differs.

    `site` leaves out the WARCs that hold nothing of a host, `since` those whose records are older. What is kept
    replaces the text part and its rows in the index; a WARC at a time, so that it may be stopped and begun again. What
    is told of pages without text (`storage.untexted`) is then true again. What repeats is learned of all of them first,
    from the texts they have: done twice, it changes nothing more, even where a site's memory was lost. A WARC that
    cannot be read to its end is told to `on_problem` and keeps the text it has. Raises `NewskeepError` when the machine
    lets no page be extracted.
    """
    memories = SiteMemoryStore(archive.store, archive.state) if write else _Unkept(archive)
    remaking = Remaking(archive, pool, workers, memories, CorrectionStore(archive.store), write=write)
    with archive.upkeep():
        if write:
            archive.check_index()
        entries = wanted(archive, site, since)
        _learn_held(archive, entries, memories)
        for entry in entries:
            archive.mind_upkeep()
            if result := remaking.remake(entry.filename, on_problem):
                yield result


@dataclass(frozen=True, slots=True)
class Remaking:
    """What it takes to make the text of one WARC again; without `write` it is only compared."""

    archive: Archive
    pool: ExtractionPool
    workers: int
    memories: SiteMemoryStore
    corrections: CorrectionStore
    write: bool = True

    def remake(self, filename: str, on_problem: Callable[[Problem], None]) -> ReextractResult | None:
        """Make the text of a WARC again; `None` where it cannot be read, which is told. Raises `NewskeepError`."""
        archive, key = self.archive, key_of(filename)
        with tempfile.TemporaryDirectory(prefix="reextract-", dir=archive.state) as folder:
            parcel = Parcel(Path(folder) / filename)
            try:
                _fetch(archive, key, parcel.warc)
                extract_ahead(parcel, self.pool.extract_now, self.workers)
                seal(parcel, self.pool.extract_now, self.memories, self.corrections)
            except (Corrupt, ObjectMissing) as error:
                on_problem(Problem(key, f"its text stays as it is ({error}); {_VERIFY}"))
                return None
            if self.pool.fault:
                # What is kept has text; what was made now has none.
                raise NewskeepError(f"{filename}: no page got its text ({self.pool.fault}); nothing was replaced")
            result = _compared(archive, filename, parcel, self.write)
            if self.write:
                _tell_untexted(archive, parcel)
            return result


class _Unkept(SiteMemoryStore):
    """Site memories that learn as usual and leave those of the archive as they are: to see what would change."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive.store, archive.state)
        self._learned: dict[str, SiteMemory] = {}

    def load(self, site: str) -> SiteMemory:
        return self._learned.get(site) or super().load(site)

    def revise(self, site: str, change: Callable[[SiteMemory], SiteMemory]) -> SiteMemory:
        self._learned[site] = memory = change(self.load(site))
        return memory


def _learn_held(archive: Archive, entries: Iterable[WarcEntry], memories: SiteMemoryStore) -> None:
    """Learn from the texts that are held, a site of a WARC at a time."""
    with tempfile.TemporaryDirectory(prefix="reextract-", dir=archive.state) as folder:
        for entry in entries:
            # Sealing wrote them site by site.
            articles_held = held_articles(archive, entry.filename, Path(folder) / "part")
            for site, articles in groupby(articles_held, key=site_of_article):
                if site is not None:
                    memories.learn(site, articles)


def site_of_article(article: Article) -> str | None:
    """An article's site; `None` in a part that somebody else wrote, where the URL is none."""
    try:
        return site_of(article.url)
    except InvalidURL:
        return None


def wanted(archive: Archive, site: str | None, since: datetime | None) -> list[WarcEntry]:
    """Return the WARCs that hold something of a host, or something that was captured since."""
    entries = list(archive.index.warcs())
    if site is not None:
        found = archive.captures(site, match="host", since=since)
    elif since is not None:
        # Not by the name of the WARC: one that was imported may go on for years from there.
        found = archive.index.all_captures(since=since)
    else:
        return entries
    names = {capture.filename for capture in found}
    return [entry for entry in entries if entry.filename in names]


def _fetch(archive: Archive, key: str, path: Path) -> None:
    with archive.store.open(key) as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)


def _compared(archive: Archive, filename: str, parcel: Parcel, write: bool) -> ReextractResult:
    part = key_of(filename, "text")
    old = _old_part(archive, part, parcel.text.with_suffix(".old"))
    identical = old is not None and _sha256(old) == _sha256(parcel.text)
    # What is hidden gets its text again as well, and nobody is shown it.
    before, after = ({}, {}) if identical else (_by_record(old), _by_record(parcel.text))
    changes = tuple(each for each in _changes(before, after) if _is_shown(archive, each))
    redescribed = sum(one != other and _is_same(one, other) for one, other in _pairs(before, after))
    with parcel.text.open("rb") as text:
        count = sum(1 for _ in read_part(text))
    if write and not identical:
        _replace(archive, filename, parcel)
    return ReextractResult(filename, count, identical, redescribed, changes)


def _replace(archive: Archive, filename: str, parcel: Parcel) -> None:
    if archive.index.has_warc(filename):
        with parcel.cdxj.open("rb") as lines:
            archive.replace_text(filename, parcel.text, lines)
    else:
        # A machine with no index of it: `reindex` finds that the part is another.
        archive.store.replace(key_of(filename, "text"), parcel.text.read_bytes())


def _is_shown(archive: Archive, change: Change) -> bool:
    if next(archive.index.warcs(), None) is None:
        return True  # nothing is known here of what is hidden, and nothing is shown but a number
    return archive.index.find(change.url, parse_timestamp(change.timestamp)) is not None


def _tell_untexted(archive: Archive, parcel: Parcel) -> None:
    """Have `untexted/` tell of a WARC's pages what the parcel, whose text was just made again, does."""
    if not archive.index.has_warc(parcel.filename):
        # Which pages of others are still without is not known here: this WARC's own list alone.
        archive.store.delete(key_of(parcel.filename, "untexted"))
    for key in _untexted_keys(archive, parcel):
        try:
            pages = untexted.read(archive.store, key)
        except (Corrupt, ObjectMissing):
            pages = []
        captures = {page: page.capture(archive.index) for page in pages}
        left = [page for page, capture in captures.items() if capture and capture.filename != parcel.filename]
        if not left:
            archive.store.delete(key)
        elif left != pages:
            archive.store.replace(key, untexted.to_json(left))
    if parcel.untexted.exists():
        archive.store.replace(key_of(parcel.filename, "untexted"), parcel.untexted.read_bytes())


def _untexted_keys(archive: Archive, parcel: Parcel) -> list[str]:
    if not archive.index.has_warc(parcel.filename):
        return []
    return [info.key for info in archive.store.list(untexted.FOLDER)]


def held_articles(archive: Archive, filename: str, path: Path) -> Iterator[Article]:
    """Yield the articles that a WARC has now, by way of a copy at `path`."""
    yield from _held(_old_part(archive, key_of(filename, "text"), path))


def _old_part(archive: Archive, part: str, path: Path) -> Path | None:
    try:
        _fetch(archive, part, path)
    except ObjectMissing:
        return None
    return path


def _changes(before: Mapping[int, Article], after: Mapping[int, Article]) -> Iterator[Change]:
    """The articles whose title or text differ."""
    for one, other in _pairs(before, after):
        known = other or one
        assert known is not None
        if not _is_same(one, other):
            yield Change(known.url, timestamp14(known.timestamp) if known.timestamp else "", one, other)


def _pairs(
    before: Mapping[int, Article], after: Mapping[int, Article]
) -> Iterator[tuple[Article | None, Article | None]]:
    """What each record had and has, in the order of the WARC."""
    for offset in sorted(before.keys() | after.keys()):
        yield before.get(offset), after.get(offset)


def _is_same(one: Article | None, other: Article | None) -> bool:
    """Whether there are two, with one title and text."""
    return one is not None and other is not None and (one.title, one.text) == (other.title, other.text)


def _by_record(part: Path | None) -> dict[int, Article]:
    return {article.warc.offset: article for article in _held(part) if article.warc}


def _held(part: Path | None) -> Iterator[Article]:
    """The articles of a text part; of one that is damaged, and is made again, up to where it is."""
    if part is not None:
        with part.open("rb") as stream, suppress(Corrupt):
            for placed in read_part(stream):
                yield placed.article


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()

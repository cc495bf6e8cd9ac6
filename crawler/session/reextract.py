"""Text again from the WARCs: with the extractor as it is now, and with what has been learned of the sites since."""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from crawler.extraction.template.site_memory import SiteMemory
from crawler.session.extracted_lines import line_of
from crawler.session.extraction_pool import ExtractionPool
from crawler.session.page_extraction import Extraction
from crawler.session.sealing import Extract, has_text, seal
from crawler.session.site_memory_store import SiteMemoryStore
from storage import cdxj, untexted
from storage.archive import Archive
from storage.articles import read_part
from storage.errors import Corrupt, InvalidURL, NewskeepError, ObjectMissing
from storage.index import WarcEntry
from storage.index.articles import entry_of
from storage.model import Article
from storage.problems import Problem
from storage.spool import Parcel
from storage.urls import site_of, timestamp14
from storage.warc import Record, key_of, read_records

#: Records read ahead of the slowest page, a worker.
_AHEAD = 4
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
    with archive.upkeep():
        wanted = _wanted(archive, site, since)
        _learn_held(archive, wanted, memories)
        for entry in wanted:
            with tempfile.TemporaryDirectory(prefix="reextract-", dir=archive.state) as folder:
                parcel = Parcel(Path(folder) / entry.filename)
                key = key_of(entry.filename)
                try:
                    _fetch(archive, key, parcel.warc)
                    _extract_all(parcel, pool.extract_now, workers)
                    seal(parcel, pool.extract_now, memories)
                except (Corrupt, ObjectMissing) as error:
                    on_problem(Problem(key, f"its text stays as it is ({error}); {_VERIFY}"))
                    continue
                if pool.fault:
                    # What is kept has text; what was made now has none.
                    raise NewskeepError(f"{entry.filename}: no page got its text ({pool.fault}); nothing was replaced")
                result = _compared(archive, entry, parcel, write)
                if write:
                    _tell_untexted(archive, parcel)
                yield result


class _Unkept(SiteMemoryStore):
    """Site memories that learn as usual and leave those of the archive as they are: to see what would change."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive.store, archive.state)
        self._learned: dict[str, SiteMemory] = {}

    def load(self, site: str) -> SiteMemory:
        return self._learned.get(site) or super().load(site)

    def save(self, site: str, memory: SiteMemory) -> None:
        self._learned[site] = memory


def _learn_held(archive: Archive, entries: Iterable[WarcEntry], memories: SiteMemoryStore) -> None:
    """Learn from the texts that are held, a site of a WARC at a time."""
    with tempfile.TemporaryDirectory(prefix="reextract-", dir=archive.state) as folder:
        for entry in entries:
            part = _old_part(archive, key_of(entry.filename, "text"), Path(folder) / "part")
            # Sealing wrote them site by site.
            for site, articles in groupby(_held(part), key=_site):
                if site is not None:
                    memories.learn(site, articles)


def _site(article: Article) -> str | None:
    """An article's site; `None` in a part that somebody else wrote, where the URL is none."""
    try:
        return site_of(article.url)
    except InvalidURL:
        return None


def _wanted(archive: Archive, site: str | None, since: datetime | None) -> list[WarcEntry]:
    entries = list(archive.index.warcs())
    if since is not None:
        entries = [entry for entry in entries if entry.filename[9:23] >= timestamp14(since)]
    if site is not None:
        names = {capture.filename for capture in archive.captures(site, match="host", since=since)}
        entries = [entry for entry in entries if entry.filename in names]
    return entries


def _fetch(archive: Archive, key: str, path: Path) -> None:
    with archive.store.open(key) as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)


def _extract_all(parcel: Parcel, extract: Extract, workers: int) -> None:
    """Fill the parcel's `.articles` with as many pages at a time as there are workers; sealing finds them there."""
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(workers))
        warc = stack.enter_context(parcel.warc.open("rb"))
        out = stack.enter_context(parcel.articles.open("wb"))
        ahead: deque[tuple[Record, Future[Extraction]]] = deque()
        for record in filter(has_text, read_records(warc)):
            ahead.append((record, threads.submit(extract, record.block, record.url, record.date)))
            if len(ahead) > workers * _AHEAD:
                _keep(out.write, *ahead.popleft())
        for record, extraction in ahead:
            _keep(out.write, record, extraction)


def _keep(write: Callable[[bytes], int], record: Record, extraction: Future[Extraction]) -> None:
    found = extraction.result()
    if not found.again:  # else sealing tries once more
        write(line_of(record.offset, found))


def _compared(archive: Archive, entry: WarcEntry, parcel: Parcel, write: bool) -> ReextractResult:
    part = key_of(entry.filename, "text")
    old = _old_part(archive, part, parcel.text.with_suffix(".old"))
    identical = old is not None and _sha256(old) == _sha256(parcel.text)
    changes = () if identical else tuple(_changes(old, parcel.text))
    with parcel.text.open("rb") as text:
        count = sum(1 for _ in read_part(text))
    if write and not identical:
        # The part first: a reader whose place in it no longer fits looks the article up in the whole part.
        archive.store.replace(part, parcel.text.read_bytes())
        with parcel.cdxj.open("rb") as lines, parcel.text.open("rb") as text:
            archive.index.replace(
                [entry.filename],
                WarcEntry(entry.filename, entry.size, entry.sha256, (part,)),
                (cdxj.parse(line, entry.filename, number) for number, line in enumerate(lines, 1)),
                (entry_of(placed, part) for placed in read_part(text)),
            )
    return ReextractResult(entry.filename, count, identical, changes)


def _tell_untexted(archive: Archive, parcel: Parcel) -> None:
    """Have `untexted/` tell of a WARC's pages what the parcel, whose text was just made again, does."""
    for key in [info.key for info in archive.store.list(untexted.FOLDER)]:
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


def _old_part(archive: Archive, part: str, path: Path) -> Path | None:
    try:
        _fetch(archive, part, path)
    except ObjectMissing:
        return None
    return path


def _changes(old: Path | None, new: Path) -> Iterator[Change]:
    """The articles whose title or text differ; the two parts have the same order but for what came or went."""
    before, after = _by_record(old), _by_record(new)
    for offset in sorted(before.keys() | after.keys()):
        one, other = before.get(offset), after.get(offset)
        if one is None or other is None or (one.title, one.text) != (other.title, other.text):
            known = other or one
            assert known is not None
            yield Change(known.url, timestamp14(known.timestamp) if known.timestamp else "", one, other)


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

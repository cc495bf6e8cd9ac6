"""Months published: sorted from the CDXJ files of the archive, written as a cluster and a table, a manifest put last.

With search, the texts of their articles too, sorted by time from the text parts. Nothing is taken from the database,
which may have let a month go, but what is hidden. A run that is killed leaves files that no manifest names; the next
one removes them. Of two runs at once the manifest of one counts; the other says so.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from storage.archive import Archive
from storage.errors import (
    AlreadyRunning,
    Corrupt,
    NotArchived,
    ObjectExists,
    ObjectMissing,
    UsageError,
)
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.published.manifest import (
    Manifest,
    PublishedFile,
    PublishedTexts,
    Source,
    files_of,
    generation_of,
    generations,
    manifest_key,
    newest,
    prefix_of,
    read,
    table_key,
)
from storage.published.month import Month
from storage.published.not_whole import publish_again
from storage.publishing.changed import hidings_now, what_changed
from storage.publishing.cluster_writer import ClusterWriter
from storage.publishing.sorting import sorted_lines
from storage.publishing.survey import Survey, lines_of, survey
from storage.publishing.texts_writer import DocumentLine, TextsWriter, document_lines
from storage.removing.sync import learn
from storage.workspace import workspace

if TYPE_CHECKING:
    from storage.publishing.table import TableWriter

OnProblem = Callable[[Problem], None]


@dataclass(frozen=True, slots=True)
class PublishOptions:
    #: `None`: all that are over.
    months: tuple[Month, ...] | None = None
    #: Whether Parquet is made as well.
    table: bool = True
    #: Whether texts are published, to be searched; what has them keeps them.
    search: bool = False
    #: Also those that are as they were published.
    again: bool = False
    #: As of when a month is over.
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Published:
    """What counts of a month now; whether this run has published it."""

    manifest: Manifest
    is_new: bool


def publish(
    archive: Archive,
    options: PublishOptions | None = None,
    *,
    on_problem: OnProblem = lambda problem: None,
    on_line: Callable[[Month, int], None] = lambda month, number: None,
) -> Iterator[Published]:
    """Publish months that are over and have changed since they were, and yield what counts of each, in their order.

    Reads the CDXJ files in the store; of memory it takes some 300 MB, of the disk twice what a month's CDXJ takes. With
    search it reads the text parts as well, and takes some 6 KB of the disk an article.
    Raises `UsageError` for a month that is not over, `NotArchived` for one of which nothing is held, `AlreadyRunning`.
    """
    options = options or PublishOptions()
    _check_over(options)
    with archive.upkeep():
        yield from publish_now(archive, options, on_problem=on_problem, on_line=on_line)


def publish_now(
    archive: Archive,
    options: PublishOptions,
    *,
    on_problem: OnProblem = lambda problem: None,
    on_line: Callable[[Month, int], None] = lambda month, number: None,
) -> Iterator[Published]:
    """`publish` for a caller that holds the lock."""
    with workspace(archive.state / "publishing") as folder:
        learn(archive.store, archive.index, on_problem)
        held = manifests(archive, on_problem)
        looked_at = survey(archive.store, held.values(), on_problem)
        for month in _wanted(archive, options, looked_at, held):
            before, sources = held.get(month), looked_at.get(month, {})
            if before is not None and not options.again and _is_current(archive, before, sources, options):
                yield Published(before, is_new=False)
            else:
                archive.mind_upkeep()
                work = _Month(archive, month, folder / str(month), on_line, on_problem)
                search = options.search or _has_search(archive, month, before)
                yield Published(work.publish(sources, table=options.table, search=search), is_new=True)


def manifests(archive: Archive, on_problem: OnProblem = lambda problem: None) -> dict[Month, Manifest]:
    """Return what counts of each published month; a manifest that cannot be read is told."""
    found = {}
    for month, generation in newest(archive.store).items():
        key = manifest_key(month, generation)
        try:
            found[month] = read(archive.store, key)
        except ObjectMissing:
            continue
        except Corrupt as error:
            on_problem(Problem(key, f"{str(error).removeprefix(key + ': ')}; {publish_again(month)}"))
    return found


def _has_search(archive: Archive, month: Month, before: Manifest | None) -> bool:
    """Whether texts of a month are published, or the database of this machine has let them go."""
    is_published = before is not None and before.texts is not None
    return is_published or any(each.month == month for each in archive.index.released_texts())


def _is_current(archive: Archive, before: Manifest, sources: Mapping[str, Source], options: PublishOptions) -> bool:
    has_table = before.has_table or not options.table or not before.captures
    has_texts = before.texts is not None or not options.search
    return has_table and has_texts and what_changed(archive, before, sources) is None


def _check_over(options: PublishOptions) -> None:
    for month in options.months or ():
        if month.end > options.now:
            raise UsageError(f"{month} is not over; the index of a month is published when nothing comes any more")


def _wanted(
    archive: Archive, options: PublishOptions, looked_at: Survey, held: Mapping[Month, Manifest]
) -> Collection[Month]:
    if options.months is None:
        return sorted(month for month in {*looked_at, *held} if month.end <= options.now)
    for month in options.months:
        if month not in looked_at and month not in held:
            raise NotArchived(f"nothing of {month} is in the archive {archive.uri}")
    return sorted(set(options.months))


class _Month:
    """One generation of a month, on its way."""

    def __init__(
        self,
        archive: Archive,
        month: Month,
        folder: Path,
        on_line: Callable[[Month, int], None],
        on_problem: OnProblem,
    ) -> None:
        self._archive = archive
        self._store = archive.store
        self._month = month
        self._folder = folder
        self._on_line = on_line
        self._on_problem = on_problem
        self._files: list[PublishedFile] = []
        self._captures = self._withheld = 0
        self._generation = max((number for _, number in generations(archive.store, month)), default=0) + 1
        self._token = secrets.token_hex(4)
        self._name = f"{self._generation:06}-{self._token}"

    def publish(self, sources: Mapping[str, Source], *, table: bool, search: bool) -> Manifest:
        self._folder.mkdir()
        removals = frozenset(hiding.hide.id for hiding in hidings_now(self._archive))
        self._write(sources, table=table)
        texts = self._write_texts(sources) if search else None
        manifest = Manifest(
            month=self._month,
            generation=self._generation,
            token=self._token,
            published=datetime.now(UTC),
            captures=self._captures,
            withheld=self._withheld,
            files=tuple(self._files),
            sources=sources,
            removals=removals,
            texts=texts,
        )
        try:
            # Last, and only where nobody else was faster: from here on it counts.
            self._store.put(manifest.key, manifest.to_json())
        except ObjectExists:
            for file in self._files:
                self._store.delete(file.key)
            raise AlreadyRunning(f"{self._month} was published by another machine meanwhile; left to it") from None
        self._tell_database(manifest)
        sweep(self._store, manifest)
        return manifest

    def _write(self, sources: Mapping[str, Source], *, table: bool) -> None:
        hidden = self._archive.index.hidden_now()
        shown = self._cluster("cdx")
        withheld = self._cluster("withheld")
        rows = self._table() if table else None
        for number, line in enumerate(
            sorted_lines(month_lines(self._store, self._month, sources), self._folder), start=1
        ):
            if hidden.has_line(line):
                withheld.add(line)
                self._withheld += 1
            else:
                shown.add(line)
                if rows is not None:
                    rows.add(line)
                self._captures += 1
            if number % 10_000 == 0:
                self._on_line(self._month, number)
        for writer in (shown, withheld, rows):
            if writer is not None:
                writer.close()

    def _write_texts(self, sources: Mapping[str, Source]) -> tuple[PublishedTexts, ...]:
        hidden = self._archive.index.hidden_now()
        shown, withheld = self._texts("texts"), self._texts("withheld")
        lines = document_lines(self._store, self._month, sources, self._on_problem)
        place = None
        for number, line in enumerate(sorted_lines(lines, self._folder), start=1):
            document = DocumentLine.parse(line)
            # The same text of the same capture may lie in two WARCs.
            if document.place != place:
                is_hidden = hidden.covers(document.surt.decode(), document.second)
                (withheld if is_hidden else shown).add(document)
            place = document.place
            if number % 10_000 == 0:
                self._on_line(self._month, number)
        for writer in (shown, withheld):
            writer.close()
        return (*shown.files, *withheld.files)

    def _texts(self, folder: str) -> TextsWriter:
        prefix = prefix_of(folder, self._month, self._name)
        return TextsWriter(self._folder / f"{folder}-texts", prefix, self._bring)

    def _cluster(self, folder: str) -> ClusterWriter:
        prefix = prefix_of(folder, self._month, self._name)
        return ClusterWriter(self._folder / folder, lambda name, path: self._bring(prefix + name, path))

    def _table(self) -> TableWriter:
        # On use: pyarrow is an extra.
        from storage.publishing.table import TableWriter

        return TableWriter(
            self._folder / "table",
            lambda subset, number, path: self._bring(table_key(self._month, subset, self._name, number), path),
        )

    def _bring(self, key: str, path: Path) -> None:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._store.put(key, path)
        self._files.append(PublishedFile(key, path.stat().st_size, digest))

    def _tell_database(self, manifest: Manifest) -> None:
        index = self._archive.index
        if any(each.month == self._month for each in index.released()):
            index.release(self._month, manifest.generation)
        if any(each.month == self._month for each in index.released_texts()):
            index.release_texts(self._month, manifest.generation)


def sweep(store: ObjectStore, manifest: Manifest) -> None:
    """Remove what earlier generations and killed runs have left of a month; the manifests last."""
    ours = {file.key for file in manifest.files}
    for key in [key for key, _ in files_of(store, manifest.month) if key not in ours]:
        # Of a run that is at work beside this one, as of a later generation, nothing is touched.
        if generation_of(key)[1] <= manifest.generation:
            store.delete(key)
    for _, number in list(generations(store, manifest.month)):
        if number < manifest.generation:
            store.delete(manifest_key(manifest.month, number))


def month_lines(store: ObjectStore, month: Month, sources: Mapping[str, Source]) -> Iterator[bytes]:
    """Yield the lines of a month, a WARC after the other. Raises `AlreadyRunning` where not so many are there."""
    for filename, source in sources.items():
        count = 0
        # One that is gone is another number too.
        with suppress(ObjectMissing):
            for line in lines_of(store, filename):
                if line.partition(b" ")[2].startswith(month.digits):
                    count += 1
                    yield line
        if count != source.captures:
            raise AlreadyRunning(f"{filename} was changed meanwhile, as by a compaction; run again")

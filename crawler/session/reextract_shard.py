"""Text again from the WARCs by many processes at once, each a shard of them, on machines that share the store alone.

In two passes, since what repeats on a site is learned from all of its articles before the first is cleaned of it: each
shard learns from the texts that its WARCs have, and when all have, each makes its texts again with what all have
learned. A machine needs no index; one that has it gets its rows at once, others by `newskeep reindex`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from crawler.extraction.template.lesson import Lesson
from crawler.extraction.template.site_memory import SiteMemory
from crawler.session.correction_store import CorrectionStore
from crawler.session.extraction_pool import ExtractionPool
from crawler.session.reextract import Remaking, held_articles, site_of_article, wanted
from crawler.session.site_memory_store import SiteMemoryStore
from storage.archive import Archive
from storage.bulk import BulkJob, Shard
from storage.compaction.plan import hidden
from storage.errors import Corrupt
from storage.inventory import holdings
from storage.locking import held
from storage.objects import is_key
from storage.problems import Problem
from storage.warc import stem_of


@dataclass(slots=True)
class ShardResult:
    """What a shard has done now; `earlier` are its WARCs that were done before, `waits_for` the shards that are not
    through the first pass, and hold the second up."""

    warcs: int = 0
    articles: int = 0
    changed: int = 0
    earlier: int = 0
    problems: int = 0
    waits_for: tuple[int, ...] = ()


class CollectedMemories(SiteMemoryStore):
    """What the archive remembers of sites, and all shards of a job have collected; kept in the store at the end."""

    def __init__(self, archive: Archive, job: BulkJob) -> None:
        super().__init__(archive.store, archive.state)
        self._job = job
        self._learned: dict[str, SiteMemory] = {}

    def load(self, site: str) -> SiteMemory:
        if site not in self._learned:
            memory = super().load(site)
            for data in self._job.memories(site) if is_key(f"sites/{site}.json") else ():
                # A memory only helps.
                with suppress(Corrupt):
                    memory = memory.merge(SiteMemory.from_json(data))
            self._learned[site] = memory
        return self._learned[site]

    def revise(self, site: str, change: Callable[[SiteMemory], SiteMemory]) -> SiteMemory:
        self._learned[site] = memory = change(self.load(site))
        return memory

    def keep(self) -> None:
        """Bring what was learned into the archive, together with what others have brought meanwhile."""
        for site, memory in self._learned.items():
            super().revise(site, memory.merge)


def reextract_shard(
    archive: Archive,
    pool: ExtractionPool,
    job: BulkJob,
    shard: Shard,
    *,
    workers: int,
    site: str | None = None,
    since: datetime | None = None,
    filenames: Collection[str] | None = None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
    on_warc: Callable[[ShardResult], None] = lambda done: None,
) -> ShardResult:
    """Do what is left to do of a shard: the first pass, then the second where all shards are through the first.

    A WARC that is done has a marker and is left alone by every later run, here and elsewhere; one that could not be
    read has none. `site` and `since` as in `reextract`, for which this machine needs an index; or `filenames` are all
    WARCs of all shards. Raises `AlreadyRunning` where the shard is at work on this machine.
    """
    done = ShardResult()
    if archive.has_index:
        archive.check_index()
    archive.state.mkdir(parents=True, exist_ok=True)
    with held(archive.state / f"bulk-{job.name}-{shard.name}.lock", f"shard {shard} of {job.name}"):
        chosen = list(chosen_warcs(archive, site, since) if filenames is None else filenames)
        ours = [name for name in chosen if shard.has(name)]
        if not job.has_collected(shard):
            job.collect(shard, _collected(archive, ours))
        done.waits_for = tuple(job.waits_for(shard))
        if not done.waits_for:
            _apply(archive, pool, job, ours, workers, done, on_problem, on_warc)
            if job.done().issuperset(map(stem_of, chosen)):
                job.forget_memories()
    return done


def chosen_warcs(archive: Archive, site: str | None, since: datetime | None) -> Iterator[str]:
    """Yield the WARCs of an archive, of which a site or a time leaves out some: for that an index is needed."""
    if site is not None or since is not None:
        yield from (entry.filename for entry in wanted(archive, site, since))
        return
    uncounted = hidden(archive.store)
    for holding in holdings(archive.store):
        if holding.warc is not None and holding.filename not in uncounted:
            yield holding.filename


def _collected(archive: Archive, filenames: Iterable[str]) -> dict[str, bytes]:
    """What the texts that are held teach of each site."""
    learned: dict[str, SiteMemory] = {}
    with tempfile.TemporaryDirectory(prefix="reextract-", dir=archive.state) as folder:
        for filename in filenames:
            articles = held_articles(archive, filename, Path(folder) / "part")
            for site, some in groupby(articles, key=site_of_article):
                if site is not None and is_key(f"sites/{site}.json"):
                    before = learned.get(site, SiteMemory())
                    learned[site] = before.learn_lessons(map(Lesson.of, some))
    return {site: memory.to_json() for site, memory in learned.items()}


def _apply(
    archive: Archive,
    pool: ExtractionPool,
    job: BulkJob,
    filenames: Iterable[str],
    workers: int,
    done: ShardResult,
    on_problem: Callable[[Problem], None],
    on_warc: Callable[[ShardResult], None],
) -> None:
    memories, before = CollectedMemories(archive, job), job.done()
    remaking = Remaking(archive, pool, workers, memories, CorrectionStore(archive.store))
    for filename in filenames:
        if stem_of(filename) in before:
            done.earlier += 1
            continue
        problems: list[Problem] = []
        result = remaking.remake(filename, problems.append)
        for problem in problems:
            on_problem(problem)
        done.problems += len(problems)
        if result is None:
            continue
        # Behind the text: what has a marker is done, whatever ends this process.
        if job.finish(filename, {"articles": result.articles, "changed": len(result.changes)}):
            done.warcs += 1
            done.articles += result.articles
            done.changed += len(result.changes)
        else:
            done.earlier += 1
        on_warc(done)
    memories.keep()

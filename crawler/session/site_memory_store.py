"""Where the site memories are kept: `sites/<host>.json` in the archive, and here while the store is away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby
from operator import methodcaller
from pathlib import Path
from typing import BinaryIO

from crawler.extraction.template.lesson import Lesson
from crawler.extraction.template.site_memory import SiteMemory
from storage.bounds import read_whole
from storage.errors import Corrupt, ObjectMissing, StoreUnavailable
from storage.model import Article
from storage.objects import ObjectStore, is_key
from storage.objects.circuit_breaker import CircuitBreaker
from storage.urls import site_of

logger = logging.getLogger(__name__)


class SiteMemoryStore:
    """The memories of an archive's sites.

    Several machines may learn at once: what another one puts into the store meanwhile is not written over, but learned
    upon. A memory only helps: one that cannot be read or kept is no error.
    """

    def __init__(self, store: ObjectStore, state: Path, absence: CircuitBreaker | None = None) -> None:
        self._store = store
        self._waiting = state / "sites-waiting"
        self._absence = absence or CircuitBreaker()

    def load(self, site: str) -> SiteMemory:
        """What is remembered of a site; nothing, when there is no memory or it cannot be read."""
        memory = self._unsent(site)
        if not is_key(_key(site)):
            return memory  # a name of 253 letters
        try:
            with self._absence.noticed(), self._store.open(_key(site)) as stream:
                return memory.merge(_read(stream, site))
        except ObjectMissing:
            return memory
        except (StoreUnavailable, Corrupt) as error:
            logger.info("the memory of %s is out of reach: %s", site, error)
            return memory

    def learn(self, site: str, articles: Iterable[Article]) -> SiteMemory:
        """Learn from a site's articles, keep the memory, and return it."""
        lessons = tuple(map(Lesson.of, articles))
        return self.learn_lessons(site, lambda: lessons)

    def learn_lessons(self, site: str, lessons: Callable[[], Iterable[Lesson]]) -> SiteMemory:
        """The same from what their workers have made of the articles; gone through again where others learned too."""
        return self.revise(site, lambda memory: memory.learn_lessons(lessons()))

    def forget(self, urls: Iterable[str]) -> None:
        """Take the articles of these addresses out of what was learned, here and in the store."""
        for site, some in groupby(sorted(urls, key=site_of), key=site_of):
            self.revise(site, methodcaller("forget", tuple(some)))

    def revise(self, site: str, change: Callable[[SiteMemory], SiteMemory]) -> SiteMemory:
        """Keep what `change` makes of a memory, in the store, or here until the store is back; return it.

        `change` is called once more where another machine has changed the memory meanwhile.
        """
        unsent = self._unsent(site)
        made: SiteMemory | None = None

        def revised(stream: BinaryIO | None) -> bytes | None:
            nonlocal made
            stored = SiteMemory() if stream is None else _read(stream, site)
            made = change(unsent.merge(stored))
            return None if made == stored else made.to_json()

        if not is_key(_key(site)):
            return change(unsent)
        try:
            with self._absence.noticed():
                self._store.revise(_key(site), revised)
        except StoreUnavailable as error:
            logger.info("the memory of %s is out of reach: %s", site, error)
            made = made or change(unsent)
            if made != unsent:
                self._keep_here(site, made)
            return made
        with suppress(OSError):
            self._path(site).unlink(missing_ok=True)
        assert made is not None
        return made

    def _unsent(self, site: str) -> SiteMemory:
        """What was learned while the store was away."""
        with suppress(OSError), self._path(site).open("rb") as waiting:
            return _read(waiting, site)
        return SiteMemory()

    def _keep_here(self, site: str, memory: SiteMemory) -> None:
        with suppress(OSError):
            self._waiting.mkdir(parents=True, exist_ok=True)
            self._path(site).write_bytes(memory.to_json())

    def _path(self, site: str) -> Path:
        return self._waiting / f"{site}.json"


def _key(site: str) -> str:
    return f"sites/{site}.json"


def _read(stream: BinaryIO, site: str) -> SiteMemory:
    try:
        return SiteMemory.from_json(read_whole(stream))
    except Corrupt as error:
        # A memory only helps; it is learned anew.
        logger.warning("the memory of %s cannot be read and is learned anew: %s", site, error)
        return SiteMemory()

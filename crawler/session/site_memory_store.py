"""Where the site memories are kept: `sites/<host>.json` in the archive, and here while the store is away."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby
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

    Two machines may learn at once: what is in the store is read again and merged before it is written. A memory only
    helps: one that cannot be read or kept is no error.
    """

    def __init__(self, store: ObjectStore, state: Path, absence: CircuitBreaker | None = None) -> None:
        self._store = store
        self._waiting = state / "sites-waiting"
        self._absence = absence or CircuitBreaker()

    def load(self, site: str) -> SiteMemory:
        """What is remembered of a site; nothing, when there is no memory or it cannot be read."""
        memory = SiteMemory()
        with suppress(OSError), (self._waiting / f"{site}.json").open("rb") as waiting:
            memory = _read(waiting, site)
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
        return self.learn_lessons(site, map(Lesson.of, articles))

    def learn_lessons(self, site: str, lessons: Iterable[Lesson]) -> SiteMemory:
        """The same from what their workers have made of the articles."""
        before = self.load(site)
        memory = before.learn_lessons(lessons)
        if memory != before:
            self.save(site, memory)
        return memory

    def forget(self, urls: Iterable[str]) -> None:
        """Take the articles of these addresses out of what was learned, here and in the store."""
        for site, some in groupby(sorted(urls, key=site_of), key=site_of):
            before = self.load(site)
            memory = before.forget(some)
            if memory != before:
                self.save(site, memory)

    def save(self, site: str, memory: SiteMemory) -> None:
        """Keep a memory: in the store, or here until the store is back."""
        if not is_key(_key(site)):
            return
        path = self._waiting / f"{site}.json"
        with suppress(OSError):
            try:
                with self._absence.noticed():
                    self._store.replace(_key(site), memory.to_json())
            except StoreUnavailable:
                self._waiting.mkdir(parents=True, exist_ok=True)
                path.write_bytes(memory.to_json())
            else:
                path.unlink(missing_ok=True)


def _key(site: str) -> str:
    return f"sites/{site}.json"


def _read(stream: BinaryIO, site: str) -> SiteMemory:
    try:
        return SiteMemory.from_json(read_whole(stream))
    except Corrupt as error:
        # A memory only helps; it is learned anew.
        logger.warning("the memory of %s cannot be read and is learned anew: %s", site, error)
        return SiteMemory()

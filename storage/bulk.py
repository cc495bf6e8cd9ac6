"""Work over all WARCs, split among processes and machines that know nothing of each other: a WARC is a task.

    bulk/<job>/done/<stem>.json             what was done with a WARC; put once, and not done again by whoever runs next
    bulk/<job>/collected/2-of-8.json        a shard has looked at its WARCs before the first of any is changed
    bulk/<job>/memory/<host>/2-of-8.json    what it learned there of a site

All are put with If-None-Match, or are the same whoever puts them: a killed process leaves no lock that others wait for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from storage.errors import ObjectExists, ObjectMissing, UsageError
from storage.objects import ObjectStore
from storage.warc import stem_of

FOLDER = "bulk/"
KEY = re.compile(
    r"bulk/[a-z0-9][a-z0-9._-]{0,99}/(?:done/newskeep-[0-9a-z-]+|(?:collected|memory/[^/]+)/\d+-of-\d+)\.json"
)
_MEMORY = re.compile(r"bulk/[^/]+/memory/[^/]+/[^/]+\.json")
_JOB = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `of` parts of all WARCs, by their names: a WARC stays in its part whatever is delivered meanwhile."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard of "2/8", from 1/8 to 8/8. Raises `UsageError`."""
        found = _SHARD.fullmatch(text.strip())
        if found is None or int(found[1]) > int(found[2]):
            raise UsageError(f"{text!r} is no shard; write 1/8 for the first of eight, 8/8 for the last")
        return cls(int(found[1]), int(found[2]))

    def has(self, filename: str) -> bool:
        digest = hashlib.sha256(stem_of(filename).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    @property
    def name(self) -> str:
        return f"{self.number}-of-{self.of}"

    def place(self, target: str) -> str:
        """Return the place of this shard in the target of an export; a bucket's settings stay behind the address."""
        address, question, settings = target.partition("?") if target.startswith("s3:") else (target, "", "")
        return f"{address.rstrip('/')}/shard={self.name}{question}{settings}"

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


class BulkJob:
    """What is done of a job, as the store knows it."""

    def __init__(self, store: ObjectStore, name: str) -> None:
        """Raises `UsageError` for a name that cannot stand in a key."""
        if not _JOB.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a job: small letters, digits, dots and hyphens, at most 100")
        self._store = store
        self.name = name
        self._folder = f"{FOLDER}{name}/"

    def done(self) -> set[str]:
        """Return the stems of the WARCs that are done, by whomever."""
        start = f"{self._folder}done/"
        return {info.key.removeprefix(start).removesuffix(".json") for info in self._store.list(start)}

    def finish(self, filename: str, figures: Mapping[str, Any]) -> bool:
        """Say that a WARC is done; False where somebody else was faster."""
        return self._put(f"done/{stem_of(filename)}", figures)

    def collect(self, shard: Shard, memories: Mapping[str, bytes]) -> None:
        """Keep what a shard has learned of sites, and say last that it has."""
        for site, memory in memories.items():
            self._store.replace(f"{self._folder}memory/{site}/{shard.name}.json", memory)
        self._put(f"collected/{shard.name}", {"sites": len(memories)})

    def has_collected(self, shard: Shard) -> bool:
        return self._store.stat(f"{self._folder}collected/{shard.name}.json") is not None

    def waits_for(self, shard: Shard) -> list[int]:
        """Return the numbers of the shards, of as many as this one is of, that have not collected yet."""
        start = f"{self._folder}collected/"
        there = {info.key.removeprefix(start) for info in self._store.list(start)}
        return [number for number in range(1, shard.of + 1) if f"{number}-of-{shard.of}.json" not in there]

    def memories(self, site: str) -> Iterator[bytes]:
        """Yield what the shards have learned of a site."""
        for info in self._store.list(f"{self._folder}memory/{site}/"):
            try:
                with self._store.open(info.key) as stream:
                    yield stream.read()
            except ObjectMissing:
                continue

    def forget_memories(self) -> None:
        """Remove what the shards have learned: it is part of the sites' own memories when all is done."""
        forget_memories(self._store, f"{self._folder}memory/")

    def _put(self, name: str, figures: Mapping[str, Any]) -> bool:
        try:
            self._store.put(f"{self._folder}{name}.json", json.dumps(figures).encode() + b"\n")
        except ObjectExists:
            return False
        return True


def forget_memories(store: ObjectStore, prefix: str = FOLDER) -> None:
    """Remove what shards have learned of sites, of all jobs: it has lines of articles, which may have to go."""
    for key in [info.key for info in store.list(prefix) if _MEMORY.fullmatch(info.key)]:
        store.delete(key)

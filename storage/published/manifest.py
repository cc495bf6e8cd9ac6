"""What is published of a month: `index/months/<month>/<generation>.json`, put last; the highest generation counts.

    index/months/2026-05/000002.json                                     which files, and what they were made from
    index/cdx/2026-05/000002-5f3a9c01/cdx-00000.gz, …, cluster.idx        the captures that are shown: ZipNum
    index/withheld/2026-05/000002-5f3a9c01/cdx-00000.gz, cluster.idx      those that were hidden then
    index/table/crawl=2026-05/subset=warc/000002-5f3a9c01-00000.parquet   those that are shown: Parquet
    index/texts/2026-05/000002-5f3a9c01/texts-00000.sqlite                texts of articles, to be searched, in order of
                                                                         time; of hidden ones below `withheld`

Nothing but a manifest says that a file counts. What an earlier generation or a killed run has left is removed by the
next one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field
from datetime import datetime
from typing import Any, Self

from storage.bounds import parse_json, read_whole
from storage.errors import Corrupt, UsageError
from storage.objects import ObjectStore
from storage.published.month import Month
from storage.urls import parse_moment

FOLDER = "index/"
MONTHS = f"{FOLDER}months/"
#: Name of a cluster's own index.
INDEX = "cluster.idx"
#: Bytes of a manifest: about 90 a WARC.
_MOST = 256 << 20
_KEY = re.compile(r"index/months/(\d{4}-\d\d)/(\d{6})\.json")
_FILE = re.compile(
    r"index/(?:(?:cdx|texts|withheld)/(\d{4}-\d\d)/(\d{6})-[0-9a-f]{8}/"
    r"(?:cdx-\d{5}\.gz|cluster\.(?:idx|loc)|texts-\d{5}\.sqlite)"
    r"|table/crawl=(\d{4}-\d\d)/subset=[a-z]+/(\d{6})-[0-9a-f]{8}-\d{5}\.parquet)"
)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """An object as it was put: its size in bytes and its SHA-256 in hex."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """A WARC with captures of the month: bytes of its CDXJ, its captures of the month, and of all months."""

    size: int
    captures: int
    total: int
    #: Bytes of its text part, 0 for none; of no matter where no texts are published.
    text: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PublishedTexts:
    """A file of texts: seconds since 1970 of the first and the last of its documents, and how many it has."""

    key: str
    first: int
    last: int
    documents: int


@dataclass(frozen=True, slots=True)
class Manifest:
    month: Month
    generation: int
    #: Of the names of its files, so that two who publish at once do not meet.
    token: str
    published: datetime
    #: Captures that are shown, and that were hidden.
    captures: int
    withheld: int
    files: tuple[PublishedFile, ...]
    #: By the names of WARCs.
    sources: Mapping[str, Source] = field(repr=False)
    #: Ids of the decisions that hid something, anywhere, when it was published.
    removals: frozenset[str] = field(default=frozenset(), repr=False)
    #: Files of texts, also of hidden ones; `None` where search was not published.
    texts: tuple[PublishedTexts, ...] | None = None

    @property
    def key(self) -> str:
        return manifest_key(self.month, self.generation)

    @property
    def name(self) -> str:
        """What its files are called by."""
        return f"{self.generation:06}-{self.token}"

    @property
    def has_table(self) -> bool:
        return any(file.key.startswith(f"{FOLDER}table/") for file in self.files)

    @property
    def documents(self) -> int:
        """How many articles can be searched in what is published."""
        return sum(each.documents for each in self.texts or ())

    def tells_of(self, sources: Mapping[str, Source]) -> bool:
        """Whether it was made from just these, and their texts where it has any."""
        is_same = dict(self.sources) == dict(sources)
        if self.texts is None or not is_same:
            return is_same
        return all(each.text == sources[name].text for name, each in self.sources.items())

    def of(self, folder: str) -> dict[str, PublishedFile]:
        """The files of a folder, "cdx", "texts" or "withheld", by their names."""
        start = prefix_of(folder, self.month, self.name)
        return {file.key.removeprefix(start): file for file in self.files if file.key.startswith(start)}

    def to_json(self) -> bytes:
        fields = {
            "newskeep_index": 1,
            "month": str(self.month),
            "generation": self.generation,
            "token": self.token,
            "published": self.published.isoformat(timespec="seconds"),
            "captures": self.captures,
            "withheld": self.withheld,
            "files": [asdict(file) for file in self.files],
            "removals": sorted(self.removals),
            "sources": {name: list(astuple(each)) for name, each in sorted(self.sources.items())},
        }
        if self.texts is not None:
            fields["texts"] = [asdict(each) for each in self.texts]
        return json.dumps(fields, indent=None, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes, key: str) -> Self:
        """Raises `Corrupt`."""
        try:
            fields: dict[str, Any] = parse_json(data, _MOST)
            made = cls(
                month=Month.parse(fields["month"]),
                generation=int(fields["generation"]),
                token=str(fields["token"]),
                published=parse_moment(fields["published"]),
                captures=int(fields["captures"]),
                withheld=int(fields["withheld"]),
                files=tuple(PublishedFile(**file) for file in fields["files"]),
                sources={str(name): Source(*map(int, each)) for name, each in fields["sources"].items()},
                removals=frozenset(map(str, fields["removals"])),
                texts=_texts(fields.get("texts")),
            )
            if made.key != key or fields["newskeep_index"] != 1:
                raise ValueError("it belongs under another key, or to a later version")
            if not all(is_published(file.key) for file in made.files):
                raise ValueError("it names a file that is none of the index")
            if not {each.key for each in made.texts or ()} <= {file.key for file in made.files}:
                raise ValueError("it has texts in a file that it does not name")
        except (Corrupt, UsageError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Corrupt(f"{key}: not a manifest as this version writes it ({error})") from error
        return made


def _texts(fields: Any) -> tuple[PublishedTexts, ...] | None:
    if fields is None:
        return None
    numbers = ("first", "last", "documents")
    return tuple(PublishedTexts(str(each["key"]), *(int(each[name]) for name in numbers)) for each in fields)


def manifest_key(month: Month, generation: int) -> str:
    return f"{MONTHS}{month}/{generation:06}.json"


def prefix_of(folder: str, month: Month, name: str) -> str:
    return f"{FOLDER}{folder}/{month}/{name}/"


def table_key(month: Month, subset: str, name: str, number: int) -> str:
    """As Common Crawl lays its table out: partitions in the names of folders."""
    return f"{FOLDER}table/crawl={month}/subset={subset}/{name}-{number:05}.parquet"


def is_published(key: str) -> bool:
    """Whether an object can be a file of a published month."""
    return _FILE.fullmatch(key) is not None


def is_manifest(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def read(store: ObjectStore, key: str) -> Manifest:
    """Return one manifest. Raises `Corrupt`, `ObjectMissing`."""
    with store.open(key) as stream:
        return Manifest.from_json(read_whole(stream, _MOST), key)


def generations(store: ObjectStore, month: Month | None = None) -> Iterator[tuple[Month, int]]:
    """Yield the generations that are there, of a month or of all, in order of month and generation."""
    for info in store.list(MONTHS if month is None else f"{MONTHS}{month}/"):
        if found := _KEY.fullmatch(info.key):
            yield Month.parse(found[1]), int(found[2])


def newest(store: ObjectStore) -> dict[Month, int]:
    """Return the generation that counts of each month that is published."""
    return dict(generations(store))


def files_of(store: ObjectStore, month: Month) -> Iterator[tuple[str, int]]:
    """Yield the keys and sizes of a month's files, of whichever generation."""
    for folder in ("cdx/", "texts/", "withheld/", "table/crawl="):
        found = store.list(f"{FOLDER}{folder}{month}/")
        yield from ((info.key, info.size) for info in found if is_published(info.key))


def generation_of(key: str) -> tuple[str, int]:
    """The month and generation in the key of a file that `is_published`."""
    found = _FILE.fullmatch(key)
    assert found is not None
    return found[1] or found[3], int(found[2] or found[4])

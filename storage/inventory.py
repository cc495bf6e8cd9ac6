"""What a store holds, WARC by WARC."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from storage import removals
from storage.annotations import KEY as ANNOTATION_KEY
from storage.bounds import OUTCOME_LINE_MAX, parse_json, read_json, read_lines, read_whole
from storage.bulk import KEY as BULK_KEY
from storage.errors import Corrupt
from storage.objects import ObjectInfo, ObjectStore
from storage.transparency.objects import KEY as LOG_KEY
from storage.transparency.objects import LEAVES_MAX
from storage.transparency.witness import KEY as WITNESSED_KEY
from storage.warc import key_of, stem_of, time_of

#: Kind of object -> what its keys end with.
SUFFIXES = {"warc": ".warc.gz", "cdxj": ".cdxj", "text": ".jsonl.gz"}
#: What else lies in an archive, as whole keys.
OTHERS = {
    "crawls": re.compile(r"crawls/\d{4}/\d\d/\d\d/[0-9a-z]+\.json"),
    "sites": re.compile(r"sites/[^/]+\.json"),
    "corrections": re.compile(r"corrections/[^/]+/\d{17}-[0-9a-f]{8}\.json"),
    "imported": re.compile(r"imported/[0-9a-f]{64}\.json"),
    "untexted": re.compile(r"untexted/\d{4}/\d\d/\d\d/newskeep-[0-9a-z-]+\.json"),
    "removals": removals.KEY,
    "annotations": ANNOTATION_KEY,
    "logs": LOG_KEY,
    "witnessed": WITNESSED_KEY,
    "bulk": BULK_KEY,
    "compacting": re.compile(r"compacting/\d{4}-\d\d-\d\d\.json"),
    "compacted": re.compile(r"compacted/\d{4}/\d\d/\d\d/newskeep-[0-9a-z-]+\.json"),
}


#: What the first line of a crawl report ends with; see crawler/session/report.py.
_OUTCOMES = b', "outcomes": [\n'


@dataclass(frozen=True, slots=True)
class Holding:
    """A WARC and the parts beside it, by the sizes of their objects; `None` for what is not there."""

    filename: str
    warc: int | None = None
    cdxj: int | None = None
    text: int | None = None

    def key(self, kind: str = "warc") -> str:
        return key_of(self.filename, kind)

    @property
    def part(self) -> str:
        """Key of the text part."""
        return key_of(self.filename, "text")


def holdings(store: ObjectStore, stray: Callable[[ObjectInfo], None] = lambda info: None) -> Iterator[Holding]:
    """Yield what the store holds in the order of the WARCs' names; `stray` gets the objects that are none of ours.

    The three listings are read side by side, a page of each at a time. An object that comes or goes meanwhile may be
    missing here: ask the store again before acting on that.
    """
    listings = [_named(store, kind, stray) for kind in SUFFIXES]
    for filename, found in groupby(heapq.merge(*listings), key=lambda item: item[0]):
        sizes = {kind: size for _, kind, size in found}
        yield Holding(filename, sizes.get("warc"), sizes.get("cdxj"), sizes.get("text"))


def _named(store: ObjectStore, kind: str, stray: Callable[[ObjectInfo], None]) -> Iterator[tuple[str, str, int]]:
    # Keys sort as the names in them do: a name begins with the date that makes its folders.
    for info in store.list(kind + "/"):
        filename = filename_of(info.key)
        if filename is None or key_of(filename, kind) != info.key:
            stray(info)
        else:
            yield filename, kind, info.size


def filename_of(key: str) -> str | None:
    """The WARC's name that an object under warc/, cdxj/ or text/ belongs to; `None` when it is none of ours."""
    name, suffix = key.rpartition("/")[2], SUFFIXES[key.partition("/")[0]]
    try:
        filename = stem_of(name.removesuffix(suffix)) + SUFFIXES["warc"]
        time_of(filename)
    except Corrupt:
        return None
    return filename if name.endswith(suffix) else None


def check_json(key: str, stream: BinaryIO) -> None:
    """Read an object of those in `OTHERS` to its end; raises `Corrupt` where it is not the JSON it should be."""
    if key.startswith("crawls/"):
        _check_report(stream)
    elif LOG_KEY.fullmatch(key):
        # It is checked as a whole, against its signed heads.
        read_whole(stream, LEAVES_MAX)
    else:
        read_json(stream)


def _check_report(stream: BinaryIO) -> None:
    """A crawl report has a line for each outcome and may be of any length, so that it is read line by line."""
    lines = read_lines(stream, OUTCOME_LINE_MAX)
    head = next(lines, b"")
    if not head.endswith(_OUTCOMES):
        # All of it on one line, or not as we write it.
        parse_json(head + read_whole(stream))
        return
    parse_json(head.removesuffix(_OUTCOMES) + b"}", OUTCOME_LINE_MAX)
    ends = False
    for line in lines:
        if ends:
            raise Corrupt("something follows its end")
        ends = line.startswith(b"]}")
        if not ends:
            parse_json(line.strip().removesuffix(b","), OUTCOME_LINE_MAX)
    if not ends:
        raise Corrupt("it has no end")

"""Several WARCs made into one on the local disk, with their CDXJs and text parts; the store is only read."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from storage import cdxj
from storage.articles import move_part
from storage.cdxj import in_seconds
from storage.compaction.plan import StoredObject
from storage.errors import Corrupt
from storage.hashing import CHUNK, HashingReader
from storage.inventory import Holding
from storage.model import Capture
from storage.objects import ObjectStore
from storage.warc import capture_of, read_records

#: In the order in which they are put.
_KINDS = ("text", "cdxj", "warc")


class TargetFiles:
    """A WARC in the making with its CDXJ and text part, as a context manager; its files are removed at the end."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._holding = Holding(f"{stem}.warc.gz")
        self._paths = {self._holding.key(kind): folder / f"{stem}.{kind}" for kind in _KINDS}
        self._captures: list[Capture] = []
        self._exits = ExitStack()
        self._warc = self._open("warc")
        self._text = self._open("text")

    @property
    def filename(self) -> str:
        return self._holding.filename

    def path(self, key: str) -> Path:
        """The local file that is to be put under a key."""
        return self._paths[key]

    def close(self) -> tuple[StoredObject, ...]:
        """Write the CDXJ, make all durable, and return what is to be put, in order."""
        with self._open("cdxj") as lines:
            lines.writelines(cdxj.lines(self._captures))
            _sync(lines)
        for file in (self._warc, self._text):
            _sync(file)
            file.close()
        return tuple(_stored(key, path) for key, path in self._paths.items())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()
        for path in self._paths.values():
            path.unlink(missing_ok=True)

    def _open(self, kind: str) -> BinaryIO:
        return self._exits.enter_context(self._paths[self._holding.key(kind)].open("x+b"))


class WarcMerge(TargetFiles):
    """A large WARC that others are joined into."""

    def take(self, store: ObjectStore, holding: Holding) -> None:
        """Append a WARC with its parts, every record checked.

        Raises `ObjectMissing`, and `Corrupt` where it and its parts do not agree; nothing of it is taken then.
        """
        warc_end, text_end = self._warc.tell(), self._text.tell()
        try:
            captures = self._take_warc(store, holding, warc_end)
            compare(store, holding, captures)
            self._take_text(store, holding, captures, warc_end)
        except Exception:
            for file, end in ((self._warc, warc_end), (self._text, text_end)):
                file.seek(end)
                file.truncate()
            raise
        self._captures += [replace(one, filename=self.filename, offset=one.offset + warc_end) for one in captures]

    def _take_warc(self, store: ObjectStore, holding: Holding, start: int) -> list[Capture]:
        """Append the WARC, and return its captures, as they are in the source, from what was written."""
        with store.open(holding.key()) as stream:
            shutil.copyfileobj(stream, self._warc, CHUNK)
        size = self._warc.tell() - start
        self._warc.seek(start)
        captures, end = [], 0
        # Without a position of its own, so that offsets are counted from here.
        for record in read_records(cast(BinaryIO, HashingReader(self._warc))):
            record.check()
            if capture := capture_of(record, holding.filename):
                captures.append(capture)
            end = record.offset + record.length
        if end != size:
            raise Corrupt(f"what follows byte {end:,} is no record")
        self._warc.seek(0, os.SEEK_END)
        return captures

    def _take_text(self, store: ObjectStore, holding: Holding, captures: list[Capture], shift: int) -> None:
        if holding.text is None:
            raise Corrupt("its text part is missing; `newskeep reextract` first")
        places = {one.offset + shift for one in captures}
        with store.open(holding.part) as stream:
            for placed in move_part(stream, self._text, holding.filename, self.filename, lambda offset: offset + shift):
                source = placed.article.warc
                if source is None or source.offset not in places:
                    raise Corrupt(f"the text of {placed.article.url} was made from no record in it")


def compare(store: ObjectStore, holding: Holding, captures: list[Capture]) -> None:
    """Raise `Corrupt` where the CDXJ says other than the WARC; one that is missing is made good by the join."""
    if holding.cdxj is None:
        return
    with store.open(holding.key("cdxj")) as stream:
        lines = {in_seconds(capture) for capture in cdxj.read_file(stream, "its CDXJ")}
    if lines != {*map(in_seconds, captures)}:
        raise Corrupt("its CDXJ does not say what is in it")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _stored(key: str, path: Path) -> StoredObject:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return StoredObject(key, file.tell(), digest)

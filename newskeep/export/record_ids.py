"""The names of records that articles were made from: a WARC is read once for all of them, not once an article."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor

from storage.archive import Archive
from storage.errors import Corrupt, NewskeepError, StoreUnavailable
from storage.model import TextSource
from storage.warc import key_of

#: Bytes of a record that are asked for: its header fields are at the beginning.
_HEAD = 2_048
#: Bytes between two records that are read rather than asked for anew: a request costs more.
_GAP = 1 << 20
_PIECE = 1 << 16

#: The WARC-Record-ID of a record by its place; `None`: it has none, an error: it cannot be read.
Ids = dict[TextSource, str | NewskeepError | None]


def record_ids(archive: Archive, sources: Iterable[TextSource], threads: Executor) -> Ids:
    """Read the WARC-Record-IDs of records. Raises `StoreUnavailable`."""
    found: Ids = {}
    for ids in threads.map(lambda run: _read_together(archive, run), _runs(sources)):
        found.update(ids)
    return found


def _runs(sources: Iterable[TextSource]) -> Iterator[list[TextSource]]:
    """Yield those that stand near to each other, in the order of their places."""
    run: list[TextSource] = []
    for source in sorted(sources, key=lambda one: (one.filename, one.offset)):
        if run and (source.filename != run[0].filename or source.offset - _end(run[-1]) > _GAP):
            yield run
            run = []
        run.append(source)
    if run:
        yield run


def _end(source: TextSource) -> int:
    return source.offset + min(source.length, _HEAD)


def _read_together(archive: Archive, run: list[TextSource]) -> Ids:
    try:
        return _read(archive, run)
    except StoreUnavailable:
        raise
    except NewskeepError as error:
        if len(run) == 1:
            return {run[0]: error}
    # One that cannot be read is not in the way of its neighbours.
    found: Ids = {}
    for source in run:
        found.update(_read_together(archive, [source]))
    return found


def _read(archive: Archive, run: list[TextSource]) -> Ids:
    at, found = run[0].offset, Ids()
    with archive.store.open(key_of(run[0].filename), at, max(map(_end, run)) - at) as stream:
        for source in run:
            while at < source.offset:
                at += len(stream.read(min(source.offset - at, _PIECE)))
            head = stream.read(_end(source) - at)
            at += len(head)
            found[source] = _record_id(head, source)
    return found


def _record_id(head: bytes, source: TextSource) -> str | None:
    try:
        fields = zlib.decompressobj(31).decompress(head)
    except zlib.error as error:
        raise Corrupt(f"{source.filename}: no record at {source.offset} ({error})") from error
    for line in fields.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"warc-record-id":
            return value.strip().decode("ascii", "replace")
    return None

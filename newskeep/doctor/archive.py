"""The archive: its store, the clocks of both, the state folder, index, spool and disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.durations import duration
from crawler.frontier import FILE as FRONTIER
from crawler.frontier import schema as frontier_schema
from crawler.sizes import size
from newskeep.doctor.finding import Finding, alone, bad, good, parted, warned
from newskeep.status.bounded import bounded
from newskeep.status.room import disk_of
from storage import open_archive
from storage.counts import counted
from storage.errors import NewskeepError, StoreDenied, StoreUnavailable
from storage.extras import command_for
from storage.index import SharedIndex, shared_version
from storage.index import schema as index_schema
from storage.objects.local import LocalStore
from storage.spool import DAMAGED
from storage.sqlite import schema_version

if TYPE_CHECKING:
    from crawler.config import Config
    from storage.archive import Archive
    from storage.database import Kind

#: Seconds that a store may take, and that its clock may differ before it matters, and before S3 refuses us.
SECONDS, SKEW, SKEW_BAD = 15.0, 60.0, 600.0
#: Files of the state folder that are named where they cannot be written.
_NAMED = 3


def findings(config: Config) -> Iterator[Finding]:
    try:
        archive = open_archive(config.archive, config.state, config.lock, config.shared_index)
    except Exception as error:
        yield parted("archive", str(error))
        return
    with archive:
        if isinstance(archive.store, LocalStore) and not archive.store.root.exists():
            yield _absent(archive.store.root)
            yield from alone("disk", lambda: _disk(archive, config))
            return
        for name, look in (
            ("store", lambda: _store(archive)),
            ("state folder", lambda: _state(archive)),
            ("index", lambda: _index(archive)),
            ("frontier", lambda: _frontier(archive)),
            ("spool", lambda: _spool(archive, config)),
            ("disk", lambda: _disk(archive, config)),
        ):
            yield from alone(name, look)


def _absent(root: Path) -> Finding:
    above = next(folder for folder in root.absolute().parents if folder.exists())
    if not os.access(above, os.W_OK):
        return bad("store", f"{root} is not there, and {above} cannot be written", f"chown or chmod {above}")
    return warned("store", f"{root} is not there yet", "the first save or crawl makes it")


def _store(archive: Archive) -> Iterator[Finding]:
    try:
        bounded(archive.store.check, SECONDS, archive.uri)
        bounded(lambda: archive.store.check(write=True), SECONDS, archive.uri)
    except StoreDenied as error:
        yield parted("store", str(error))
        return
    yield good("store", f"{archive.uri} can be read and written")
    there = bounded(archive.store.clock, SECONDS, archive.uri)
    if there is not None:
        yield _clock((there - datetime.now(UTC)).total_seconds())


def _clock(skew: float) -> Finding:
    if abs(skew) < SKEW:
        return good("clock", "as the store's, within a minute")
    said = f"{duration(skew)} {'behind' if skew > 0 else 'before'} the store's"
    return (bad if abs(skew) >= SKEW_BAD else warned)("clock", said, "set this machine's clock, by NTP best")


def _state(archive: Archive) -> Iterator[Finding]:
    folder = archive.state
    if not folder.exists():
        yield good("state folder", f"{folder} is not there yet; the first save or crawl makes it")
        return
    places = [folder, *sorted(folder.glob("*.sqlite*")), archive.spool.root, folder / "locks", folder / "schedule"]
    places += sorted(archive.spool.root.glob("*"))
    wrong = [path for path in places if path.exists() and not os.access(path, os.W_OK)]
    if wrong:
        names = ", ".join(map(str, wrong[:_NAMED])) + (f" and {len(wrong) - _NAMED} more" if wrong[_NAMED:] else "")
        yield bad("state folder", f"cannot be written: {names}", f"chown -R {_user()} {folder}")
    else:
        yield good("state folder", f"{folder} can be written")


def _user() -> str:
    return str(os.geteuid())


def _index(archive: Archive) -> Iterator[Finding]:
    place = archive.index_place
    if isinstance(place, SharedIndex):
        yield from _shared(archive, place)
        return
    wrong = list(_file(place, "index", index_schema.KIND))
    if not archive.has_index or any(each.grade != "ok" for each in wrong):
        yield from wrong
        if not archive.has_index and _holds(archive):
            yield bad("index", "there is none on this machine, and the archive is not empty", "newskeep reindex")
        return
    yield from _held(archive, f"schema {index_schema.VERSION}")


def _frontier(archive: Archive) -> Iterator[Finding]:
    # One on the server of a shared index is as that is.
    if archive.shared_index is None:
        yield from _file(archive.state / FRONTIER, "frontier", frontier_schema.KIND)


def _shared(archive: Archive, place: SharedIndex) -> Iterator[Finding]:
    """An index on a server, looked at without making its tables or bringing older ones up to date."""
    try:
        server, found = bounded(lambda: shared_version(place), SECONDS, str(place))
    except NewskeepError as error:
        yield parted("index", str(error))
        return
    if found is None:
        yield warned("index", f"{server} at {place} has none yet", "the next command that uses it makes it")
    elif found < index_schema.VERSION:
        cure = f"the next command that uses it brings it to {index_schema.VERSION}"
        yield warned("index", f"{server} at {place}: schema {found} of an older newskeep", cure)
    else:
        yield from _held(archive, f"{server} at {place}, schema {found}")


def _held(archive: Archive, what: str) -> Iterator[Finding]:
    counts = archive.index.counts()
    if not counts.warcs and _holds(archive):
        yield bad("index", "empty, and the archive is not", "newskeep reindex")
        return
    if unsearched := archive.index.unsearched():
        yield warned(
            "index", f"{counted(unsearched, 'article')} of an older version cannot be searched", "newskeep reindex"
        )
    if archive.index.released_texts() and find_spec("apsw") is None:
        lacks = "texts that it has let go cannot be searched: apsw is not installed"
        yield bad("index", lacks, command_for("published-search"))
    newest = next(archive.index.articles(limit=1), None)
    if newest is not None and newest.timestamp > datetime.now(UTC) + timedelta(seconds=SKEW_BAD):
        yield bad("clock", f"before the newest article, of {newest.timestamp:%Y-%m-%d %H:%M} UTC", "set the clock")
    yield good("index", f"{what}; {counted(counts.captures, 'capture')}")


def _holds(archive: Archive) -> bool:
    """Whether the store has WARCs; one that does not answer is told as the store."""
    with suppress(StoreUnavailable):
        return bounded(lambda: next(archive.store.list("warc/"), None), SECONDS, archive.uri) is not None
    return False


def _file(path: Path, name: str, kind: Kind) -> Iterator[Finding]:
    """A database of ours, looked at without bringing an older one up to date."""
    if not path.exists():
        return
    found = schema_version(path)
    if found is None:
        yield bad(name, f"{path} is damaged, or not ours", kind.again)
    elif found > kind.version:
        yield bad(name, f"{path} was made by a newer newskeep (schema {found})", f"update newskeep, or {kind.again}")
    elif found < kind.version:
        yield warned(
            name, f"schema {found} of an older newskeep", f"the next command that uses it brings it to {kind.version}"
        )
    elif name != "index":
        yield good(name, f"schema {found}")


def _spool(archive: Archive, config: Config) -> Iterator[Finding]:
    root = archive.spool.root
    if damaged := sorted((root / DAMAGED).glob("*")):
        cure = "look at them with newskeep verify or another WARC reader, then move them away"
        yield bad("spool", f"{counted(len(damaged), 'damaged WARC')} in {root / DAMAGED}", cure)
    left, taken = archive.spool.left(), archive.spool.size()
    if left:
        said = f"{counted(len(left), 'crawl')} that ended before the end left something ({size(taken)} in {root})"
        yield warned("spool", said, "the next save, crawl or due delivers it")
    if taken > 0.8 * config.spool_max_bytes:
        cure = "see why the store is away; spool_max_bytes is where crawls stop"
        yield bad("spool", f"{size(taken)} of {size(config.spool_max_bytes)} that may wait there", cure)
    elif not left and not damaged:
        yield good("spool", "nothing was left" if not taken else f"{size(taken)}, of crawls under way")


def _disk(archive: Archive, config: Config) -> Iterator[Finding]:
    room = disk_of(archive, config.min_free)
    if room is None:
        return
    said = f"{size(room.free)} free of {size(room.total)}"
    if room.is_below:
        yield bad("disk", f"{said}, less than min_free ({size(room.floor)}): crawls pause", "make room")
    elif room.free < 5 * room.floor:
        yield warned("disk", f"{said}; crawls pause below {size(room.floor)}", "make room")
    else:
        yield good("disk", said)

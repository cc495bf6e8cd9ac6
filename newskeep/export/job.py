"""One export: its files into a store, and the manifest that lets the next run go on where this one was stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newskeep.export import Part, PlaceError, Selection, Tools, open_format
from newskeep.export.left_out import count
from storage.archive import Archive
from storage.errors import ObjectExists, ObjectMissing, StoreUnavailable, UsageError
from storage.locking import held
from storage.objects import ObjectStore

MANIFEST = "_newskeep-export.json"
#: Files that are on their way at once.
_THREADS = 8


@dataclass(slots=True)
class ExportResult:
    """What the target holds by now, earlier runs included."""

    records: int = 0
    files: int = 0
    bytes: int = 0
    #: Of these, what an earlier run had put.
    earlier: int = 0
    #: How many of what was chosen say `noarchive`; of a public export these are left out.
    noarchive: int = 0
    #: How many more were to be shown up to a moment that is past; of a public export these are left out too.
    ended: int = 0
    #: How many were left out since they are reserved for what the export is for, by what says so.
    reserved: dict[str, int] = field(default_factory=dict)
    #: How many of what is left name a licence.
    licensed: int = 0


def export(
    archive: Archive,
    name: str,
    target: ObjectStore,
    selection: Selection,
    tools: Tools,
    *,
    on_part: Callable[[ExportResult], None] = lambda done: None,
) -> ExportResult:
    """Bring the chosen part of an archive to `target` in a format; what is there already is not made again.

    Raises `UsageError` where the target holds another export.
    """
    if target.uri == archive.uri:
        raise UsageError(f"{target.uri}: that is the archive; export to another place")
    target.check(write=True)
    manifest, resumed = _begin(archive, name, target, selection)
    # As it was when the first run began: what is captured meanwhile does not shift the files.
    fixed = _fixed(selection, manifest)
    files: list[dict[str, Any]] = manifest["files"]
    done = _so_far(files)
    if manifest["finished"] is None:
        with _workspace(archive.state, target) as folder, _place_of(target):
            for part in open_format(name, tools).parts(archive, fixed, manifest["after"], folder):
                sizes = _put(target, part, resumed)
                _list(files, part, sizes)
                manifest["after"] = part.after
                _write(target, manifest)
                done.records += part.records
                done.files += len(part.files)
                done.bytes += sum(size for size, _ in sizes.values())
                on_part(done)
        manifest["finished"] = _now()
        if files:
            _write(target, manifest)
        else:
            target.delete(MANIFEST)
    left_out = count(archive, name, fixed)
    done.noarchive, done.ended, done.licensed = left_out.noarchive, left_out.ended, left_out.licensed
    done.reserved = dict(left_out.reserved.most_common())
    return done


def _so_far(files: list[dict[str, Any]]) -> ExportResult:
    held = sum(file.get("files", 1) for file in files)
    return ExportResult(
        sum(file["records"] for file in files), held, sum(file["bytes"] for file in files), earlier=held
    )


def _unreadable(target: ObjectStore) -> UsageError:
    return UsageError(f"{target.uri}: {MANIFEST} is not readable; choose another place, or remove it")


@contextmanager
def _place_of(target: ObjectStore) -> Iterator[None]:
    try:
        yield
    except PlaceError as error:
        raise _unreadable(target) from error


def _begin(archive: Archive, name: str, target: ObjectStore, selection: Selection) -> tuple[dict[str, Any], bool]:
    """Return the manifest, and whether an earlier run has made it."""
    manifest = {
        "newskeep_export": 1,
        "format": name,
        "archive": archive.uri,
        "selection": selection.to_json(),
        "started": _now(),
        "finished": None,
        "after": None,
        "files": [],
    }
    try:
        with target.open(MANIFEST) as stream:
            held = json.loads(stream.read())
        same = all(held[key] == manifest[key] for key in ("newskeep_export", "format", "archive", "selection"))
        held["after"], held["finished"], _started(held), _so_far(held["files"])
    except ObjectMissing:
        _write(target, manifest)
        return manifest, False
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _unreadable(target) from None
    if not same:
        raise UsageError(f"{target.uri}: holds another export ({_told(held)}); choose another place")
    return held, True


def _told(manifest: Mapping[str, Any]) -> str:
    chosen = [f"{key} {value}" for key, value in dict(manifest.get("selection") or {}).items() if value]
    return ", ".join([f"{manifest.get('format')} of {manifest.get('archive')}", *chosen])


def _started(manifest: Mapping[str, Any]) -> datetime:
    started = datetime.fromisoformat(manifest["started"])
    if started.tzinfo is None:
        raise ValueError("a time without a zone")
    return started


def _fixed(selection: Selection, manifest: Mapping[str, Any]) -> Selection:
    started = _started(manifest)
    until = started if selection.until is None else min(selection.until, started)
    return replace(selection, until=until, now=started)


def _put(target: ObjectStore, part: Part, resumed: bool) -> dict[str, tuple[int, str]]:
    """Bring the files of a part to the target; return their sizes and digests."""

    def put(item: tuple[str, Path]) -> tuple[str, tuple[int, str]]:
        key, path = item
        with path.open("rb") as file:
            told = path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
        try:
            target.put(key, path)
        except ObjectExists:
            if not resumed:
                raise
            # Put by a run that was killed before it could say so.
            target.delete(key)
            target.put(key, path)
        path.unlink()
        return key, told

    with ThreadPoolExecutor(_THREADS) as threads:
        return dict(threads.map(put, part.files.items()))


def _list(files: list[dict[str, Any]], part: Part, sizes: Mapping[str, tuple[int, str]]) -> None:
    """Enter the files of a part in the manifest, those of a format that makes one an article in a single entry."""
    if part.many:
        if not files:
            files.append({"files": 0, "records": 0, "bytes": 0})
        added = {"files": len(sizes), "records": part.records, "bytes": sum(size for size, _ in sizes.values())}
        files[0] = {name: files[0][name] + value for name, value in added.items()}
        return
    for key, (size, digest) in sizes.items():
        files.append({"key": key, "records": part.records, "bytes": size, "sha256": digest})


def _write(target: ObjectStore, manifest: Mapping[str, Any]) -> None:
    target.replace(MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n")


@contextmanager
def _workspace(state: Path, target: ObjectStore) -> Iterator[Path]:
    """A folder for files on their way, of this target and one run alone, removed at the end."""
    folder = state / "exporting" / hashlib.sha256(target.uri.encode(errors="surrogateescape")).hexdigest()[:12]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with held(folder.with_suffix(".lock"), f"an export to {target.uri}"):
            # What a killed run has left.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or folder}: {error.strerror}") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

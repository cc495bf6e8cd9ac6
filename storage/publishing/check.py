"""The published months held against the archive; deep: every line against the CDXJ files that it was made from."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import groupby, zip_longest
from pathlib import Path

from storage.archive import Archive
from storage.errors import AlreadyRunning, Corrupt, ObjectMissing, StoreUnavailable
from storage.hashing import digest_of
from storage.problems import Problem
from storage.published.manifest import FOLDER, MONTHS, Manifest, generation_of, is_manifest, is_published
from storage.published.month import Month
from storage.published.not_whole import publish_again
from storage.publishing.changed import lost, what_changed
from storage.publishing.publish import manifests, month_lines
from storage.publishing.sorting import sorted_lines
from storage.publishing.survey import survey
from storage.publishing.texts_writer import DocumentLine, document_lines

_PUBLISH = "run `newskeep index publish`"


def problems(archive: Archive, *, deep: bool) -> Iterator[Problem]:
    """Yield what is wrong with what is published; asks for one listing where nothing is."""
    released = {"captures": archive.index.released(), "texts": archive.index.released_texts()}
    if next(archive.store.list(FOLDER), None) is None and not any(released.values()):
        return
    unreadable: list[Problem] = []
    held = manifests(archive, unreadable.append)
    yield from unreadable
    yield from _strays(archive, held)
    for what, each in ((what, each) for what, months in released.items() for each in months):
        manifest = held.get(each.month)
        if manifest is None or (what == "texts" and manifest.texts is None):
            lacks = f"the index on this machine reads the {what} of {each.month} from there, and they are not published"
            yield Problem(f"{MONTHS}{each.month}", f"{lacks}; `newskeep reindex --fresh` brings them back")
    looked_at = survey(archive.store, held.values())
    for month, manifest in held.items():
        yield from _month(
            archive, manifest, changed=what_changed(archive, manifest, looked_at.get(month, {})), deep=deep
        )


def _strays(archive: Archive, held: dict[Month, Manifest]) -> Iterator[Problem]:
    named = {file.key for manifest in held.values() for file in manifest.files}
    newest = {str(month): manifest.generation for month, manifest in held.items()}
    for info in archive.store.list(FOLDER):
        if is_manifest(info.key) or info.key in named:
            continue
        if not is_published(info.key):
            yield Problem(info.key, "not one of ours; remove it")
            continue
        month, generation = generation_of(info.key)
        # One of a later generation may be of a run that is at work.
        if generation <= newest.get(month, 0):
            yield Problem(
                info.key,
                f"left by a run that was killed; the next `newskeep index publish --month {month} --again` removes it",
            )


def _month(archive: Archive, manifest: Manifest, *, changed: str | None, deep: bool) -> Iterator[Problem]:
    if missing := lost(archive.store, manifest):
        for file in missing:
            yield Problem(file.key, f"missing, or not {file.size:,} bytes long; {publish_again(manifest.month)}")
        return
    if changed is not None:
        yield Problem(manifest.key, f"{changed}; {_PUBLISH}")
    if deep:
        yield from _files(archive, manifest)
    if deep and changed is None:
        yield from _lines(archive, manifest)
        if manifest.texts is not None and find_spec("apsw") is not None:
            yield from _documents(archive, manifest)


def _files(archive: Archive, manifest: Manifest) -> Iterator[Problem]:
    for file in manifest.files:
        try:
            is_whole = digest_of(archive.store, file.key) == (file.size, file.sha256)
        except (ObjectMissing, Corrupt):
            is_whole = False
        if not is_whole:
            yield Problem(file.key, f"its SHA-256 is not that of what was put; {publish_again(manifest.month)}")


def _lines(archive: Archive, manifest: Manifest) -> Iterator[Problem]:
    month = manifest.month
    with tempfile.TemporaryDirectory(prefix="published-", dir=archive.state) as folder:
        try:
            index, generation = archive.index, manifest.generation
            sides = index.shown_lines(month, generation), index.withheld_lines(month, generation)
            expected = sorted_lines(month_lines(archive.store, month, manifest.sources), Path(folder))
            for line, there in zip_longest(expected, heapq.merge(*sides)):
                if line != there:
                    shown = (line or there or b"").split(b" {")[0].decode(errors="replace")
                    yield Problem(manifest.key, f"not what the CDXJ files say, at {shown}; {publish_again(month)}")
                    return
        except (Corrupt, ObjectMissing, StoreUnavailable) as error:
            yield Problem(manifest.key, f"cannot be read ({error}); {publish_again(month)}")


def _documents(archive: Archive, manifest: Manifest) -> Iterator[Problem]:
    """Hold the texts that are published against the text parts."""
    month = manifest.month
    again = publish_again(month, texts=True)
    with tempfile.TemporaryDirectory(prefix="published-", dir=archive.state) as folder:
        try:
            # What is damaged in a text part is told of that.
            lines = document_lines(archive.store, month, manifest.sources, lambda problem: None)
            expected = (DocumentLine.parse(line) for line in sorted_lines(lines, Path(folder)))
            places = ((each.second, each.surt.decode(), each.digest.decode()) for each in expected)
            there = archive.index.published_documents(month, manifest.generation)
            held = sorted((each.second, each.surt, each.digest) for each in there)
            for place, found in zip_longest((place for place, _ in groupby(places)), held):
                if place != found:
                    _, key, _ = place or found or (0, "", "")
                    yield Problem(manifest.key, f"its texts are not those of the text parts, at {key}; {again}")
                    return
        except (AlreadyRunning, Corrupt, ObjectMissing, StoreUnavailable) as error:
            yield Problem(manifest.key, f"its texts cannot be read ({error}); {again}")

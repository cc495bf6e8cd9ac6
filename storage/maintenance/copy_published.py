"""What is published of the index, in a copy: the same files where they tell of what it holds, else made anew there.

Last of all that is copied: a month is published of WARCs. Where the copy has joined them in another way, lacks one, or
hides more, its month is made from its own CDXJ files.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from storage.archive import Archive
from storage.errors import AlreadyRunning, Corrupt, ObjectExists, ObjectMissing
from storage.hashing import CHUNK, HashingReader, digest_of
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.published.manifest import Manifest, PublishedFile, Source, manifest_key, newest, read
from storage.published.month import Month
from storage.publishing.changed import hidings_now, what_changed
from storage.publishing.publish import PublishOptions, manifests, publish_now, sweep
from storage.publishing.survey import survey

OnProblem = Callable[[Problem], None]
OnFile = Callable[[int], None]


def copy_published(
    source: ObjectStore, target: Archive, folder: Path, *, on_problem: OnProblem, on_file: OnFile
) -> None:
    """Have `target` publish what `source` does, for a caller that holds its lock and has brought its index up to date.

    Months that it has published itself are published again where what came has changed them. `on_file` is called with
    the bytes of each file that was copied; what was made anew is no copy. `folder` is for one file at a time.
    """
    theirs = _manifests(source, on_problem)
    ours = manifests(target, on_problem)
    if not theirs and not ours:
        return
    looked_at = survey(target.store, [*ours.values(), *theirs.values()], on_problem)
    for month in sorted({*theirs, *ours}):
        sources, before, there = looked_at.get(month, {}), ours.get(month), theirs.get(month)
        if before is not None and what_changed(target, before, sources) is None:
            continue
        if there is not None and _tells_of(target, there, sources, before):
            try:
                _copy(source, target, there, folder, on_file)
                continue
            except (Corrupt, ObjectMissing, ObjectExists) as error:
                on_problem(Problem(there.key, f"not copied ({error}); published anew in {target.uri}"))
        if sources or before is not None:
            known = [each for each in (there, before) if each is not None]
            has_table, has_texts = any(each.has_table for each in known), any(each.texts is not None for each in known)
            _publish(target, month, has_table=has_table, has_texts=has_texts, tell=on_problem)


def _manifests(source: ObjectStore, on_problem: OnProblem) -> dict[Month, Manifest]:
    """What counts of each month of the source. One that cannot be read is told: what it is of is not known."""
    found = {}
    for month, generation in newest(source).items():
        try:
            found[month] = read(source, manifest_key(month, generation))
        except ObjectMissing:
            continue
        except Corrupt as error:
            on_problem(Problem(manifest_key(month, generation), f"damaged ({error}); not copied"))
    return found


def _tells_of(target: Archive, manifest: Manifest, sources: Mapping[str, Source], before: Manifest | None) -> bool:
    """Whether a month of the source is as the target would publish it, and may take the place of what it has."""
    is_later = before is None or manifest.generation > before.generation
    return is_later and manifest.tells_of(sources) and _hides_the_same(target, manifest)


def _hides_the_same(target: Archive, manifest: Manifest) -> bool:
    """Whether nothing is hidden in the target that was not when the month was published, and the other way round."""
    return {hiding.hide.id for hiding in hidings_now(target)} == manifest.removals


def _copy(source: ObjectStore, target: Archive, manifest: Manifest, folder: Path, on_file: OnFile) -> None:
    for file in manifest.files:
        _bring(source, target.store, file, folder)
        on_file(file.size)
    # Last, as it was published: from here on it counts.
    data = manifest.to_json()
    target.store.put(manifest.key, data)
    on_file(len(data))
    sweep(target.store, manifest)


def _bring(source: ObjectStore, target: ObjectStore, file: PublishedFile, folder: Path) -> None:
    """Copy a file, held against its manifest on both sides. Raises `Corrupt`, `ObjectMissing`."""
    path = folder / secrets.token_hex(8)
    try:
        with source.open(file.key) as stream, path.open("xb") as made:
            hashed = HashingReader(stream)
            shutil.copyfileobj(hashed, made, CHUNK)
        if (hashed.size, hashed.sha256) != (file.size, file.sha256):
            raise Corrupt(f"{file.key}: its SHA-256 is not that of what was put")
        try:
            target.put(file.key, path)
        except ObjectExists:
            # Of a copy that was stopped, or damaged since.
            target.delete(file.key)
            target.put(file.key, path)
        if digest_of(target, file.key) != (file.size, file.sha256):
            target.delete(file.key)
            raise Corrupt(f"{file.key}: came back different from {target.uri}")
    finally:
        path.unlink(missing_ok=True)


def _publish(target: Archive, month: Month, *, has_table: bool, has_texts: bool, tell: OnProblem) -> None:
    table = has_table and find_spec("pyarrow") is not None
    try:
        options = PublishOptions(months=(month,), table=table, search=has_texts)
        for each in publish_now(target, options, on_problem=tell):
            if has_table and not table:
                how = f"`newskeep index publish --month {month}` makes it where pyarrow is installed"
                tell(Problem(each.manifest.key, f"published without its table; {how}"))
    except AlreadyRunning as error:
        tell(Problem(f"{target.uri}: {month}", str(error)))

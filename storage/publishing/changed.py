"""Whether what is published of a month is still what the archive would publish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from storage.archive import Archive
from storage.errors import Corrupt, StoreUnavailable
from storage.objects import ObjectStore
from storage.published.manifest import Manifest, PublishedFile, Source, files_of
from storage.removals import Hiding, in_force


def what_changed(archive: Archive, manifest: Manifest, sources: Mapping[str, Source]) -> str | None:
    """Say what is another since a month was published; `None` for nothing. `sources` are those of a survey now."""
    if not manifest.tells_of(sources):
        return "its WARCs have changed since it was published"
    if gone := lost(archive.store, manifest):
        return f"{gone[0].key} is not there as it was put"
    in_force_now = {hiding.hide.id: hiding for hiding in hidings_now(archive)}
    if manifest.withheld and not manifest.removals <= in_force_now.keys():
        return "something that was hidden when it was published is shown again"
    new = [hiding for name, hiding in in_force_now.items() if name not in manifest.removals]
    try:
        has_some = any(_has_some(archive, manifest, hiding) for hiding in new)
    except (Corrupt, StoreUnavailable):
        return "it cannot be read"
    return "it has something that is hidden now" if has_some else None


def hidings_now(archive: Archive) -> list[Hiding]:
    """Return what is hidden at this moment: of an embargo that has ended, nothing is."""
    now = datetime.now(UTC)
    return [each for each in in_force(archive.index.removals()) if each.until is None or each.until > now]


def lost(store: ObjectStore, manifest: Manifest) -> list[PublishedFile]:
    """Return the files that are not there, or have another size; bytes are not read."""
    sizes = dict(files_of(store, manifest.month))
    return [file for file in manifest.files if sizes.get(file.key) != file.size]


def _has_some(archive: Archive, manifest: Manifest, hiding: Hiding) -> bool:
    hidden = archive.index.hidden_now()
    return any(
        hidden.has_line(line)
        for first, end in hiding.hide.ranges
        for line in archive.index.shown_lines(manifest.month, manifest.generation, first, end)
    )

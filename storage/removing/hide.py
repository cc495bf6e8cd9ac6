"""Hiding captures, giving them back, and seeing before what a decision is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice

from storage.archive import Archive
from storage.errors import NotArchived
from storage.index import ArticleEntry
from storage.index.rows import seconds
from storage.model import Capture
from storage.removals import Hiding, Removal, in_force
from storage.removing.sync import learn
from storage.urls import Match, normalize
from storage.warc import key_of, read_record

#: Articles of which copies under other addresses are looked for.
_ASKED = 50


def target_of(text: str, prefix: bool = False) -> tuple[str, Match]:
    """Return the address and the kind of match that a person means.

    A URL is itself; with `prefix`, or a "*" at its end, all that start like it. A name without http:// is a host,
    "*.example.org" the host and those below it. Raises `InvalidURL`.
    """
    bare = text.removeprefix("*.").removesuffix("*")
    # Raises where it is no address with a host, which would mean everything.
    url = normalize(bare if "://" in bare else f"http://{bare}")
    if text.startswith("*.") and not prefix:
        return bare, "domain"
    if prefix or text.endswith("*"):
        return bare, "prefix"
    return (url, "exact") if "://" in text else (text, "host")


def covered(archive: Archive, hide: Removal, until: datetime | None = None) -> Iterator[Capture]:
    """Yield the captures that a decision is about, hidden or not; of those that come later up to `until`."""
    index = archive.index.with_hidden
    newest = until if hide.also_future else hide.moment
    times = {seconds(time) for time in hide.times}
    for first, end in hide.ranges:
        for capture in index.between(first, end, until=newest):
            if not times or seconds(capture.timestamp) in times:
                yield capture


def version_at(archive: Archive, url: str, at: datetime) -> tuple[datetime, ...]:
    """Return the times of the capture nearest to `at`, and of all that have their body from it or it from them.

    They are one version, byte for byte: what is taken out of one is taken out of all. What is hidden counts as well.
    Raises `NotArchived`.
    """
    index = archive.index.with_hidden
    chosen = index.closest(normalize(url), at)
    if chosen is None:
        raise NotArchived(f"{url} is not in the archive {archive.uri}")
    held = list(index.captures(url))
    same = [each for each in held if each.digest is not None and each.digest == chosen.digest]
    if not any(each.is_revisit for each in same):
        same = [chosen]
    return tuple(sorted({each.timestamp.replace(microsecond=0) for each in [chosen, *same]}))


def copies(archive: Archive, captures: Collection[Capture]) -> list[str]:
    """Return other addresses, not among those of the captures, under which the texts of some are held as well.

    That of the page whose text is made of one, and of the record that a page's text is made of, among them.
    """
    urls = {capture.url for capture in captures}
    entries = (_entry_of(archive, capture) for capture in captures)
    known = list(islice((entry for entry in entries if entry is not None), _ASKED))
    found = {each.article.url for entry in known for each in archive.index.duplicates(entry)}
    found |= {entry.url for entry in known}
    places = {(capture.filename, capture.offset) for capture in captures}
    found |= {_made_of(archive, entry) for entry in known if (entry.filename, entry.offset) not in places}
    return sorted(found - urls)


def _entry_of(archive: Archive, capture: Capture) -> ArticleEntry | None:
    index = archive.index
    return index.article_at(capture.filename, capture.offset) or index.article(capture.url, capture.timestamp)


def _made_of(archive: Archive, entry: ArticleEntry) -> str:
    """The address of the record that a text is made of."""
    source = archive.read_article(entry).warc
    if source is None:
        return entry.url
    return read_record(archive.reader.range(key_of(source.filename), source.offset, source.length)).url


def put(archive: Archive, removal: Removal) -> None:
    """Put a decision into the store, durable, then into the index: from here on it holds.

    Raises `StoreUnavailable`, also where the index can be read only, before anything is put.
    """
    archive.check_index()
    archive.store.put(removal.key, removal.to_json())
    learn(archive.store, archive.index)


def hidings(archive: Archive) -> list[Hiding]:
    """Return all that is hidden, as the store has it now, in order of time."""
    learn(archive.store, archive.index)
    return in_force(archive.index.removals())


def meant(archive: Archive, target: str, prefix: bool = False) -> list[Hiding]:
    """Return what is hidden under an id, or under the very address it was hidden by."""
    all_ = hidings(archive)
    found = [each for each in all_ if each.hide.id == target]
    if found:
        return found
    wanted = target_of(target, prefix)
    return [each for each in all_ if (each.hide.url, each.hide.match) == wanted]

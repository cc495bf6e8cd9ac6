"""The published months that a database has let go: opened once, their small files kept on this machine."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import TypeVar

from storage import cdxj
from storage.bounds import read_whole
from storage.errors import Corrupt, ObjectMissing, StoreUnavailable
from storage.model import Capture
from storage.objects import ObjectStore
from storage.objects.local import LocalStore
from storage.published.cluster import LINES_KEPT, Cluster, LinesCache
from storage.published.manifest import INDEX, Manifest, manifest_key, newest, prefix_of
from storage.published.month import Month
from storage.published.not_whole import NotWhole, publish_again
from storage.published.ranges import RANGES_KEPT, RangeCache
from storage.published.texts import Gone, TextsFile

#: Bytes of a manifest or a `cluster.idx`: of ten billion captures.
_MOST = 512 << 20
#: Times that a month is opened anew because a later generation has taken the place of what was read.
_AGAIN = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PublishedMonth:
    """One generation of a month, open."""

    manifest: Manifest
    shown: Cluster
    withheld: Cluster

    @property
    def month(self) -> Month:
        return self.manifest.month


class PublishedMonths:
    """Opens months by month and generation; threads may share one. `folder` is where small files are kept."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._lock = Lock()
        self._blocks = LinesCache(LINES_KEPT)
        self._ranges = RangeCache(RANGES_KEPT)
        self._open: dict[Month, PublishedMonth] = {}
        self._texts: dict[str, TextsFile] = {}

    def close(self) -> None:
        """Let go of files that are searched; more than once is no error."""
        with self._lock:
            while self._texts:
                self._texts.popitem()[1].close()

    def open(self, month: Month, generation: int) -> PublishedMonth:
        """Return a month of this generation, or of a later one where that has taken its place.

        Raises `StoreUnavailable`; also where nothing is published of the month any more.
        """
        with self._lock:
            found = self._open.get(month)
            if found is None or found.manifest.generation < generation:
                found = self._open[month] = self._opened(month, generation)
            return found

    def captures(
        self, month: Month, generation: int, first: str, end: str, *, withheld: bool = False
    ) -> Iterator[Capture]:
        """Yield the captures of a half-open range of SURTs in order of SURT and second; `withheld`: the hidden ones.

        Goes on where a later generation takes the place of the one that is read.
        """
        # Keys are ASCII.
        low, high, last = first.encode(), end.encode(), b""
        for _ in range(_AGAIN):
            published = self.open(month, generation)
            cluster = published.withheld if withheld else published.shown
            try:
                for line in cluster.lines(max(low, last), high):
                    # What was told before it was opened anew is not told twice.
                    if line > last:
                        yield cdxj.parse(line, published.manifest.key)
                        last = line
                return
            except ObjectMissing:
                generation = self._renewed(month, published)
        raise StoreUnavailable(f"the published index of {month} keeps changing; try again")

    def texts(self, month: Month, generation: int) -> list[TextsFile]:
        """Return the files of texts of a month, in order of time; those of what was hidden behind the others.

        Raises `StoreUnavailable`.
        """
        manifest = self.open(month, generation).manifest
        if manifest.texts is None:
            raise NotWhole(f"no texts are published of {month}; {publish_again(month, texts=True)}")
        sizes = {file.key: file.size for file in manifest.files}
        with self._lock:
            for each in manifest.texts:
                if each.key not in self._texts:
                    self._texts[each.key] = TextsFile(self._store, each, sizes[each.key], self._ranges)
            return [self._texts[each.key] for each in manifest.texts]

    def renew(self, gone: Gone) -> None:
        """Have a month opened anew of which a file is gone. Raises `NotWhole` where it was not published again."""
        with self._lock:
            found = self._open.get(gone.month)
            if found is not None and found.manifest.generation > gone.generation:
                return
            if newest(self._store).get(gone.month, 0) <= gone.generation:
                what = f"what is published of {gone.month} is not whole ({gone} is missing)"
                raise NotWhole(f"{what}; {publish_again(gone.month, texts=True)}")
            self._forget(gone.month)

    def _forget(self, month: Month) -> None:
        """Others may still read its files, so that none is closed."""
        published = self._open.pop(month, None)
        for each in (published.manifest.texts if published else None) or ():
            self._texts.pop(each.key, None)

    def _renewed(self, month: Month, published: PublishedMonth) -> int:
        """Forget a generation whose files are gone; return the one that counts now."""
        with self._lock:
            if self._open.get(month) is published:
                self._forget(month)
        now = newest(self._store).get(month)
        if now is None or now == published.manifest.generation:
            raise NotWhole(f"the published index of {month} is not whole; {publish_again(month)}")
        return now

    def _opened(self, month: Month, generation: int) -> PublishedMonth:
        try:
            manifest = self._manifest(month, generation)
            return PublishedMonth(manifest, self._cluster(manifest, "cdx"), self._cluster(manifest, "withheld"))
        except (ObjectMissing, Corrupt) as error:
            now = newest(self._store).get(month, generation)
            if now > generation:
                return self._opened(month, now)
            raise NotWhole(
                f"the published index of {month} cannot be read ({error}); {publish_again(month)}"
            ) from error

    def _manifest(self, month: Month, generation: int) -> Manifest:
        key = manifest_key(month, generation)
        return self._kept(month, generation, "manifest.json", key, lambda data: Manifest.from_json(data, key))

    def _cluster(self, manifest: Manifest, folder: str) -> Cluster:
        prefix = prefix_of(folder, manifest.month, manifest.name)
        file = manifest.of(folder).get(INDEX)
        if file is None:
            return Cluster(self._store, prefix, b"", self._blocks)

        def opened(data: bytes) -> Cluster:
            if (len(data), hashlib.sha256(data).hexdigest()) != (file.size, file.sha256):
                raise Corrupt(f"{file.key}: not what was put")
            return Cluster(self._store, prefix, data, self._blocks)

        return self._kept(manifest.month, manifest.generation, f"{folder}.idx", file.key, opened)

    def _kept(self, month: Month, generation: int, name: str, key: str, parse: Callable[[bytes], T]) -> T:
        """Return what `parse` makes of an object that never changes: of the copy here, made where there is none."""
        is_far = not isinstance(self._store, LocalStore)
        path = self._folder / str(month) / f"{generation:06}" / name
        if is_far:
            # A copy that is damaged is none.
            with suppress(OSError, Corrupt):
                return parse(path.read_bytes())
        with self._store.open(key) as stream:
            data = read_whole(stream, _MOST)
        made = parse(data)
        if is_far:
            # Without a copy it is only slower.
            with suppress(OSError):
                _keep(path, data)
        return made


def _keep(path: Path, data: bytes) -> None:
    """Keep a copy, and none of an earlier generation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{token_hex(4)}")
    temporary.write_bytes(data)
    temporary.replace(path)
    for other in path.parent.parent.iterdir():
        if other.name < path.parent.name:
            shutil.rmtree(other, ignore_errors=True)

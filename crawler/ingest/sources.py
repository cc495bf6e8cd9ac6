"""From what is typed to files: paths, folders, WACZ packages, http and https addresses, s3://bucket/prefix."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from crawler.ingest.download import Download, Downloader
from crawler.ingest.wacz import MAGIC, Wacz
from storage.errors import NewskeepError, NotArchived, StoreUnavailable
from storage.homes import expanded
from storage.ingest.names import SUFFIXES, is_foreign_name
from storage.ingest.note import Origin
from storage.objects import ObjectInfo, open_store
from storage.spool import writing
from storage.urls import normalize

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be brought in; `path` may be gone once the next one is asked for."""

    #: As it was given, with what was found below it.
    name: str
    path: Path
    origin: Origin
    #: What a WACZ says that its SHA-256 is.
    stated_sha256: str | None = None
    #: Its SHA-256 where it need not be read, and `path` is not there: the server says that it was fetched before.
    fetched_before: str | None = None
    #: Called with its SHA-256 once it is in the archive.
    done: Callable[[str], None] = lambda sha256: None


@dataclass(frozen=True, slots=True)
class MissingSource:
    """What was given and leads to no file, with the reason."""

    name: str
    reason: str


Source = SourceFile | MissingSource


class Sources:
    """Finds the files; those that lie elsewhere, or in a package, come into `workspace` one at a time."""

    def __init__(self, workspace: Path, downloader: Downloader) -> None:
        self._workspace = workspace
        self._downloader = downloader

    def files(self, arguments: tuple[str, ...]) -> Iterator[Source]:
        """Yield the files in the order in which they are given, those of a folder by name."""
        for given in arguments:
            try:
                yield from self._of(given)
            except StoreUnavailable:
                raise
            except NewskeepError as error:
                yield MissingSource(without_secrets(given), str(error))

    def _of(self, given: str) -> Iterator[Source]:
        scheme = given.partition("://")[0].lower() if "://" in given else ""
        if scheme in ("http", "https"):
            yield from self._address(given)
        elif scheme == "s3":
            yield from self._bucket(given)
        elif scheme not in ("", "file"):
            yield MissingSource(without_secrets(given), f"{scheme}:// cannot be read; http, https, s3 and file can")
        else:
            yield from self._path(expanded(urlsplit(given).path if scheme else given), given)

    def _path(self, path: Path, given: str) -> Iterator[Source]:
        if not path.is_dir():
            yield from self._file(given, path, Origin(path.name))
            return
        found = False
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if is_foreign_name(name):
                    found = True
                    below = Path(folder, name)
                    yield from self._file(str(below), below, Origin(name))
        if not found:
            yield MissingSource(given, f"no file in it is named {', '.join(SUFFIXES)}")

    def _file(
        self, name: str, path: Path, origin: Origin, done: Callable[[str], None] | None = None
    ) -> Iterator[Source]:
        """A file, or the WARCs in it where it is a package."""
        try:
            with path.open("rb") as file:
                packed = file.read(len(MAGIC)) == MAGIC
        except OSError as error:
            yield MissingSource(name, (error.strerror or "cannot be read").lower())
            return
        if packed:
            yield from self._package(name, path, origin)
        else:
            yield SourceFile(name, path, origin, done=done or (lambda sha256: None))

    def _package(self, name: str, path: Path, origin: Origin) -> Iterator[Source]:
        package, target = Wacz(path), self._room("package")
        try:
            if not package.warcs:
                yield MissingSource(name, "no WARC is in this package")
            for each in package.warcs:
                inside = f"{name}!{each}"
                try:
                    package.extract(each, target)
                except StoreUnavailable:
                    raise
                except NewskeepError as error:
                    yield MissingSource(inside, str(error))
                    continue
                said = Origin(f"{origin.name}!{each}", origin.address, package.description)
                yield SourceFile(inside, target, said, package.sha256(each))
        finally:
            package.close()
            target.unlink(missing_ok=True)

    def _room(self, name: str) -> Path:
        """A file in the workspace, which is made on first use."""
        with writing(self._workspace):
            self._workspace.mkdir(parents=True, exist_ok=True)
        return self._workspace / name

    def _address(self, given: str) -> Iterator[Source]:
        url, shown = normalize(given), without_secrets(given)
        name = urlsplit(url).path.rpartition("/")[2] or "index"
        fetched = self._downloader.fetch(url)
        yield from self._fetched(url, shown, Origin(name, shown), fetched)

    def _fetched(self, url: str, shown: str, origin: Origin, fetched: Download) -> Iterator[Source]:
        if fetched.unchanged_sha256:
            yield SourceFile(shown, fetched.path, origin, fetched_before=fetched.unchanged_sha256)
            return
        last = ""

        def done(sha256: str) -> None:
            nonlocal last
            last = sha256
            self._downloader.done(url, sha256)

        yield from self._file(shown, fetched.path, origin, done)
        if not last and fetched.path.exists():
            # A package, or a file that cannot be used: it is not fetched in halves again.
            fetched.path.unlink()

    def _bucket(self, given: str) -> Iterator[Source]:
        base, _, last = given.rpartition("/")
        if base.count("/") < 2 or not last:  # s3://bucket, or a prefix with a slash at its end
            base, last = given.rstrip("/"), ""
        store, target = open_store(base), self._room("object")
        try:
            keys = [last] if last and store.stat(last) else _named(store.list(f"{last}/" if last else ""))
            if not keys:
                yield MissingSource(given, f"neither an object nor a prefix of objects named {', '.join(SUFFIXES)}")
            for key in keys:
                with store.open(key) as stream, writing(target), target.open("wb") as file:
                    shutil.copyfileobj(stream, file, _CHUNK)
                address = f"{base}/{key}"
                yield from self._file(address, target, Origin(key.rpartition("/")[2], address))
        except NotArchived as error:
            yield MissingSource(given, str(error))
        finally:
            target.unlink(missing_ok=True)
            store.close()


def _named(found: Iterator[ObjectInfo]) -> list[str]:
    return [info.key for info in found if is_foreign_name(info.key)]


def without_secrets(given: str) -> str:
    """An address without what may be a key: user, password and query; anything else as it is."""
    if not given.lower().startswith(("http://", "https://")):
        return given
    parts = urlsplit(given)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

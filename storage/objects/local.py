"""Objects as files under a folder; a key is the path below it.

A put writes to a temporary file beside the target, syncs it, and links it to its name, which fails when the name is
taken: whole or not there, on every POSIX file system with hard links.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from storage.errors import (
    Corrupt,
    NewskeepError,
    ObjectExists,
    ObjectMissing,
    StoreDenied,
    StoreUnavailable,
    UsageError,
)
from storage.homes import expanded
from storage.objects import ObjectInfo, check_key, check_prefix, is_key
from storage.objects.retention import ObjectLock, Released
from storage.objects.traffic import Meter, Traffic

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: No key starts with a dot, so these are never taken for objects.
TEMPORARY = ".newskeep-put-"
CHUNK = 1 << 20

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DENIED = {errno.EACCES, errno.EPERM}
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}


class LocalStore:
    """An archive in a folder: a path, `~/…` or `file:///…`."""

    def __init__(self, uri: str) -> None:
        self.root = _folder_of(uri)
        self.uri = str(self.root)
        self._meter = Meter()

    @property
    def traffic(self) -> Traffic:
        return self._meter.traffic

    def check(self, *, write: bool = False) -> None:
        with self._errors(self.root):
            if write:
                _make_folder(self.root)
                temporary = self._write_beside(self.root / "probe", b"")
                temporary.unlink()
            self._meter.add(requests=1)
            with os.scandir(self.root) as entries:
                next(entries, None)

    def clock(self) -> datetime | None:
        # A folder of the network has the times of its server.
        with self._errors(self.root):
            temporary = self._write_beside(self.root / "probe", b"")
            try:
                return datetime.fromtimestamp(temporary.stat().st_mtime, UTC)
            finally:
                temporary.unlink()

    def sweep(self, older_than: timedelta = timedelta(days=1)) -> int:
        limit = time.time() - older_than.total_seconds()
        removed = 0
        with self._errors(self.root):
            self.root.stat()
            for folder, _, names in os.walk(self.root):
                for name in names:
                    file = Path(folder, name)
                    # Another process may be sweeping, or just done with a put of its own.
                    with suppress(FileNotFoundError):
                        if name.startswith(TEMPORARY) and file.stat().st_mtime <= limit:
                            file.unlink()
                            removed += 1
        return removed

    def put(self, key: str, source: Path | bytes) -> None:
        target = self._path(key)
        self._meter.add(requests=1)
        with self._errors(target):
            _make_folder(target.parent)
            temporary = self._write_beside(target, source)
            try:
                os.link(temporary, target)
            except FileExistsError:
                if not _same(temporary, target):
                    raise ObjectExists(f"{target}: another content is there already") from None
                # Whoever put it may have been killed before syncing the folder.
                _sync(target)
            finally:
                temporary.unlink(missing_ok=True)
            _sync(target.parent)

    def replace(self, key: str, data: bytes) -> None:
        target = self._path(key)
        self._meter.add(requests=1)
        with self._errors(target):
            _make_folder(target.parent)
            temporary = self._write_beside(target, data)
            try:
                temporary.replace(target)
            except OSError:
                temporary.unlink()
                raise
            _sync(target.parent)

    def revise(self, key: str, revised: Callable[[BinaryIO | None], bytes | None]) -> None:
        folder = self._path(key).parent
        with ExitStack() as stack:
            with self._errors(folder):
                _make_folder(folder)
                stack.enter_context(_locked(folder))
            try:
                before: BinaryIO | None = stack.enter_context(self.open(key))
            except ObjectMissing:
                before = None
            if (data := revised(before)) is not None:
                self.replace(key, data)

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        path = self._path(key)
        self._meter.add(requests=1)
        with self._errors(path):
            try:
                file = path.open("rb", buffering=0)
            except OSError as error:
                if self._is_absent(error):
                    raise ObjectMissing(f"{path}: no such object") from None
                raise
            try:
                size = os.fstat(file.fileno()).st_size
                end = size if length is None else start + length
                if not 0 <= start <= end <= size:
                    raise Corrupt(f"{path}: holds {size} bytes, but bytes {start} to {end} are wanted")
                file.seek(start)
            except BaseException:
                file.close()
                raise
        return io.BufferedReader(_Range(file, path, end - start, self._meter), CHUNK)

    def stat(self, key: str) -> ObjectInfo | None:
        path = self._path(key)
        self._meter.add(requests=1)
        with self._errors(path):
            try:
                status = path.stat()
            except OSError as error:
                if self._is_absent(error):
                    return None
                raise
        return ObjectInfo(key, status.st_size) if S_ISREG(status.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        self._meter.add(requests=1)
        folder = prefix.rpartition("/")[0]
        with self._errors(self.root / folder):
            yield from self._walk(folder + "/" if folder else "", prefix)

    def delete(self, key: str) -> None:
        path = self._path(key)
        self._meter.add(requests=1)
        with self._errors(path):
            try:
                path.unlink()
            except OSError as error:
                if error.errno not in ABSENT:
                    raise
            else:
                _sync(path.parent)

    def keeps_deleted(self) -> bool | None:
        return False

    @property
    def lock(self) -> ObjectLock | None:
        return None

    def retained_until(self, key: str) -> datetime | None:  # noqa: ARG002
        return None

    def release(self, keys: Collection[str]) -> Released:  # noqa: ARG002
        return Released()

    def close(self) -> None:
        pass

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _is_absent(self, error: OSError) -> bool:
        """Tell an object that is not there from a folder that is not: an unmounted disk must not look empty."""
        return error.errno in ABSENT and self.root.is_dir()

    def _write_beside(self, target: Path, source: Path | bytes) -> Path:
        """Return a synced temporary file in the target's folder with the source's bytes."""
        temporary = target.with_name(TEMPORARY + secrets.token_hex(8))
        try:
            # Not tempfile: it makes files that only their owner can read, whatever the umask says.
            with temporary.open("xb") as file, _opened(source) as stream:
                shutil.copyfileobj(stream, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
                self._meter.add(written=file.tell())
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        return temporary

    def _walk(self, folder: str, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects below a folder ("" or with a slash at its end), holding one folder's names at a time."""
        try:
            with os.scandir(self.root / folder) as entries:
                # A folder sorts as the keys in it do: with its slash, after "a-b" and before "a0".
                names = sorted(entry.name + "/" * entry.is_dir() for entry in entries)
        except OSError as error:
            if self._is_absent(error):
                return
            raise
        for name in names:
            key = folder + name
            if not is_key(key.removesuffix("/")):
                continue
            if name.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                # One deleted since the folder was read is simply not there.
                with suppress(FileNotFoundError):
                    yield ObjectInfo(key, (self.root / key).stat().st_size)

    @contextmanager
    def _errors(self, path: Path) -> Iterator[None]:
        """Turn an `OSError` into one line that names the file and what to do."""
        try:
            yield
        except OSError as error:
            raise _translated(error, path) from error


class _Range(io.RawIOBase):
    """The next `length` bytes of a file."""

    def __init__(self, file: io.FileIO, path: Path, length: int, meter: Meter) -> None:
        self._file = file
        self._path = path
        self._left = length
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")[: self._left]
        if not view:
            return 0
        try:
            count = self._file.readinto(view)
        except OSError as error:
            raise _translated(error, self._path) from error
        if not count:
            raise StoreUnavailable(f"{self._path}: ended {self._left} bytes early; it was cut while being read")
        self._left -= count
        self._meter.add(read=count)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _folder_of(uri: str) -> Path:
    if not uri:
        # As of a variable that is not set.
        raise UsageError("an archive without a name: give it a folder, file:///… or s3://bucket/prefix")
    if "://" not in uri:
        try:
            return expanded(uri).absolute()
        except FileNotFoundError as error:
            raise UsageError(f"{uri}: the current folder is gone; go to one that is there") from error
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise UsageError(f"{uri}: a folder's address is file:///path, with three slashes")
    return Path(unquote(parts.path)).absolute()


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    """Give the bytes to be put; a source that cannot be read is no fault of the store."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise NewskeepError(f"{source}: {os.strerror(error.errno or 0)}") from error
    with file:
        yield file


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder against others that revise in it; they are waited for.

    The folder itself is locked, so that no file is left. Some network file systems lock none: then nothing is held.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while chunk := left.read(CHUNK):
            if chunk != right.read(CHUNK):
                return False
    return True


def _translated(error: OSError, path: Path) -> StoreUnavailable:
    if error.errno in FULL:
        return StoreUnavailable(f"{path}: the disk or quota is full; free some space and run again")
    if error.errno == errno.EROFS:
        return StoreUnavailable(f"{path}: the file system is read-only; remount it or name another folder")
    if error.errno in DENIED:
        return StoreDenied(f"{path}: permission denied; check the folder's owner and mode")
    if error.errno == errno.ENOENT:
        return StoreUnavailable(f"{path}: no such folder; check the archive's address")
    return StoreUnavailable(f"{path}: {os.strerror(error.errno) if error.errno else error}")

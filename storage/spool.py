"""The spool: the local folder where WARCs are written, sealed, and wait until the object store has them.

A folder a crawl, held by a kernel lock as long as its process lives: what lies in a folder whose lock is free was left
by a run that is gone. Inside:

    <stem>.warc.gz.open     being written; after a crash it may end in half a record
    <stem>.articles         what was extracted so far, a line a page; can be made again from the WARC
    <stem>.warc.gz          closed, synced and verified
    <stem>.cdxj <stem>.jsonl.gz   the parts beside it, complete once they have this name
    <stem>.untexted         the pages that should have a text and got none, if there are such
    outcomes.jsonl          an outcome a line, as they were reported
    report.json             the crawl report, waiting to go up

Beside the crawls' folders, `damaged` keeps WARCs that did not read back as they were written, for a person to look at.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage.errors import SpoolError

OPEN_SUFFIX = ".open"
DAMAGED = "damaged"
#: What can be made again from a WARC, and is worth nothing without it.
_PARTS = (".articles", ".jsonl.gz", ".cdxj", ".untexted", ".tmp")
#: What long work calls once for each of its pieces; it raises to end the work there.
Look = Callable[[], None]


def no_look() -> None:
    """Let the work come to its end."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` into `SpoolError` that names what could not be written."""
    try:
        yield
    except OSError as error:
        raise SpoolError(f"cannot write {path}: {error.strerror}") from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A sealed WARC with the parts beside it, ready to go to the object store."""

    warc: Path

    @property
    def filename(self) -> str:
        return self.warc.name

    @property
    def stem(self) -> str:
        return self.warc.name.removesuffix(".warc.gz")

    @property
    def cdxj(self) -> Path:
        return self.warc.with_name(self.stem + ".cdxj")

    @property
    def text(self) -> Path:
        return self.warc.with_name(self.stem + ".jsonl.gz")

    @property
    def untexted(self) -> Path:
        return self.warc.with_name(self.stem + ".untexted")

    @property
    def articles(self) -> Path:
        return self.warc.with_name(self.stem + ".articles")

    @property
    def complete(self) -> bool:
        return self.warc.exists() and self.cdxj.exists() and self.text.exists()

    @property
    def salvaged(self) -> Parcel:
        """Where what is whole in this WARC goes when it is damaged; a longer number than any crawl gives."""
        return Parcel(self.warc.with_name(f"{self.stem}1.warc.gz"))

    def remove(self) -> None:
        """Delete the local files once they are delivered, the WARC first.

        As long as it is there the parcel is delivered again; were a part gone by then, it would be made again, and
        might not be the same, because the site memories have learned since. Raises `SpoolError`.
        """
        with writing(self.warc):
            for path in (self.warc, self.cdxj, self.text, self.untexted, self.articles):
                path.unlink(missing_ok=True)


class CrawlFolder:
    """One crawl's folder in the spool, held by this process."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @property
    def crawl(self) -> str:
        return self.path.name

    @property
    def outcomes(self) -> Path:
        return self.path / "outcomes.jsonl"

    @property
    def report(self) -> Path:
        return self.path / "report.json"

    def open_warcs(self) -> list[Path]:
        return sorted(self.path.glob("*.warc.gz" + OPEN_SUFFIX))

    def parcels(self) -> list[Parcel]:
        return [Parcel(path) for path in sorted(self.path.glob("*.warc.gz"))]

    def release(self) -> None:
        """Give the folder up, and remove it when nothing of worth is left in it."""
        if self._lock < 0:
            return
        with suppress(OSError):
            leftovers = [path for path in self.path.iterdir() if path.name != "lock"]
            if all(path.name.endswith(_PARTS) for path in leftovers):
                shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1


class Spool:
    """All crawl folders of one archive on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def start(self) -> CrawlFolder:
        """Make a folder for a new crawl and hold it. Raises `SpoolError`."""
        folder = None
        with writing(self.root):
            # Another process may take a folder that is not held yet for an abandoned one, and remove it.
            while folder is None:
                path = self.root / secrets.token_hex(6)
                path.mkdir(parents=True)
                folder = self._hold(path)
            for path in (self.root, self.root.parent):
                sync_folder(path)
        return folder

    def abandoned(self) -> Iterator[CrawlFolder]:
        """Yield the folders whose process is gone, each held by us until released.

        Raises `SpoolError` behind the last one when there were some that we may not write.
        """
        failure = None
        with writing(self.root):
            paths = sorted(self.root.iterdir()) if self.root.exists() else []
        for path in paths:
            if path.name == DAMAGED or not path.is_dir():
                continue
            try:
                folder = self._hold(path)
            except SpoolError as error:
                failure = error
            else:
                if folder is not None:
                    yield folder
        if failure is not None:
            raise failure

    def left(self) -> list[Path]:
        """Return the folders whose process is gone, with something of worth in them; none of them is touched."""
        return [path for path in sorted(self.root.glob("*")) if path.name != DAMAGED and _is_left(path)]

    def set_aside(self, parcel: Parcel) -> Path:
        """Move a damaged WARC out of the way, drop what was made from it, and return where it is kept."""
        kept = self.root / DAMAGED / parcel.filename
        with writing(parcel.warc):
            kept.parent.mkdir(exist_ok=True)
            parcel.warc.replace(kept)
            parcel.remove()
        return kept

    def size(self) -> int:
        """Bytes in all folders."""
        total = 0
        for path in self.root.rglob("*"):
            # Another process may just have delivered it.
            with suppress(FileNotFoundError):
                total += path.stat().st_size if path.is_file() else 0
        return total

    @staticmethod
    def _hold(path: Path) -> CrawlFolder | None:
        try:
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return None  # its owner just removed it
        except OSError as error:
            raise SpoolError(f"cannot write the spool {path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        if not (path / "lock").exists():
            os.close(lock)
            return None
        return CrawlFolder(path, lock)


def _is_left(folder: Path) -> bool:
    try:
        lock = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared: a run that looks for what is left at this moment takes it for ours, and comes back another time.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return any(path.name != "lock" and not path.name.endswith(_PARTS) for path in folder.iterdir())
    except OSError:
        return False
    finally:
        os.close(lock)

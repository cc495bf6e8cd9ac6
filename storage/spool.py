"""The spool: the local folder where WARCs are written, sealed, and wait until the object store has them.

A folder a crawl, held by a kernel lock as long as its process lives: what lies in a folder whose lock is free was left
by a run that is gone. Inside:

    <stem>.warc.gz.open     being written; after a crash it may end in half a record
    <stem>.articles         what was extracted so far, a JSON line a page; can be made again from the WARC
    <stem>.warc.gz          closed, synced and verified
    <stem>.cdxj <stem>.jsonl.gz   the parts beside it, complete once they have this name
    outcomes.jsonl          an outcome a line, as they were reported
    report.json             the crawl report, waiting to go up
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.errors import SpoolError

OPEN_SUFFIX = ".open"


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
    def articles(self) -> Path:
        return self.warc.with_name(self.stem + ".articles")

    @property
    def complete(self) -> bool:
        return self.warc.exists() and self.cdxj.exists() and self.text.exists()

    def remove(self) -> None:
        """Delete the local files, the WARC last: as long as it is there, the rest can be made again."""
        for path in (self.articles, self.text, self.cdxj, self.warc):
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
        leftovers = [path for path in self.path.iterdir() if path.name != "lock"]
        if not leftovers:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1


class Spool:
    """All crawl folders of one archive on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def start(self) -> CrawlFolder:
        """Make a folder for a new crawl and hold it. Raises `SpoolError`."""
        crawl = secrets.token_hex(6)
        try:
            (self.root / crawl).mkdir(parents=True)
        except OSError as error:
            raise SpoolError(f"cannot write the spool {self.root}: {error.strerror}") from error
        folder = self._hold(self.root / crawl)
        if folder is None:
            raise SpoolError(f"cannot lock {self.root / crawl}")
        return folder

    def abandoned(self) -> Iterator[CrawlFolder]:
        """Yield the folders whose process is gone, each held by us until released."""
        with suppress(FileNotFoundError):
            for path in sorted(self.root.iterdir()):
                if path.is_dir() and (folder := self._hold(path)) is not None:
                    yield folder

    def size(self) -> int:
        """Bytes in all folders."""
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())

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

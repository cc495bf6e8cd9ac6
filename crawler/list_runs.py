"""Runs of a list that did not come to their end: since when they go on, the next time the list is given.

A list is known by its content. While it is fetched a small file stands for it in the state folder, and is touched now
and then; it goes with the end of the list.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.errors import StoreUnavailable

#: For how long after its last sign of life a run goes on by itself. Less than a day: a list that is saved each morning
#: is asked for anew, though yesterday's run was cut off.
GOES_ON = timedelta(hours=12)
#: Seconds between two signs of life.
_SIGNS = 30.0


class ListRun:
    """One run of a list, and the first one that it goes on with."""

    def __init__(self, state: Path, urls: Iterable[str], file: Path, newer_than: datetime | None = None) -> None:
        """`file` is read to its end; `newer_than`: what is held since then is done. Raises `OSError`."""
        self._mark = state / "lists" / f"{_digest(urls, file)}.json"
        self._signed = 0.0
        self._newer_than = newer_than
        #: When the first of the runs began that were cut off, and how long ago the last one was at work.
        self.began, self._idle = self._earlier()

    @property
    def since(self) -> datetime | None:
        """Since when what is held was fetched for this list; `None` where the list begins anew."""
        return self._newer_than or (self.began if self.goes_on else None)

    @property
    def goes_on(self) -> bool:
        """Whether it goes on by itself with a run that was cut off."""
        return self._newer_than is None and self._idle is not None and self._idle <= GOES_ON

    def begin(self) -> None:
        """Leave the mark. Raises `StoreUnavailable`."""
        began = (self.since or datetime.now(UTC)).replace(microsecond=0)
        try:
            self._mark.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._mark.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps({"began": began.isoformat()}), encoding="utf-8")
            temporary.replace(self._mark)
        except OSError as error:
            raise StoreUnavailable(f"cannot write {self._mark}: {error.strerror}") from error

    def alive(self) -> None:
        """Give a sign of life, if the last one is some time ago."""
        if time.monotonic() - self._signed >= _SIGNS:
            self._signed = time.monotonic()
            with suppress(OSError):
                os.utime(self._mark)

    def end(self) -> None:
        """Take the mark away: the list has come to its end."""
        with suppress(OSError):
            self._mark.unlink(missing_ok=True)

    def _earlier(self) -> tuple[datetime | None, timedelta | None]:
        try:
            began = datetime.fromisoformat(json.loads(self._mark.read_bytes())["began"])
            signed = datetime.fromtimestamp(self._mark.stat().st_mtime, UTC)
        except (OSError, ValueError, KeyError, TypeError):
            return None, None
        return (began, datetime.now(UTC) - signed) if began.tzinfo else (None, None)


def _digest(urls: Iterable[str], file: Path) -> str:
    with file.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(json.dumps([*urls, content]).encode()).hexdigest()[:32]

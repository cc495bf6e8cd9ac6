"""What somebody should be told of a run, and that it has been told: a mail a day of one trouble is enough."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from storage.errors import NewskeepError, StoreUnavailable

#: How long a trouble that was told is not told again.
AGAIN = timedelta(days=1)
#: A run starts a little earlier or later than the one of the day before.
_SLACK = timedelta(minutes=10)
#: Messages of the log that one run keeps.
_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, told in a line. The same `about` is the same trouble, however the line reads."""

    about: str
    line: str


class Notebook:
    """A file of what was told when. One that is lost or damaged costs a mail. Raises `StoreUnavailable`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: dict[str, str] = {}
        with suppress(OSError, ValueError):
            read = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(read, dict):
                self._told = {about: at for about, at in read.items() if isinstance(at, str)}

    def is_time(self, about: str, at: datetime) -> bool:
        """Whether it was not done, or told, within a day; the next time it was."""
        if not self._is_past(self._told.get(about), at):
            return False
        self._told[about] = at.isoformat(timespec="seconds")
        return True

    def news(self, troubles: Iterable[Trouble], at: datetime) -> list[Trouble]:
        """Those that were not told within a day; they count as told."""
        return [trouble for trouble in troubles if self.is_time(trouble.about, at)]

    def save(self, at: datetime) -> None:
        """Keep what counts still."""
        kept = {about: told for about, told in self._told.items() if not self._is_past(told, at)}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(kept, indent=0, sort_keys=True), encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            raise StoreUnavailable(f"cannot write {self._path}: {error.strerror}") from error

    @staticmethod
    def _is_past(told: str | None, at: datetime) -> bool:
        try:
            # A clock that was put back must not silence us for long.
            return told is None or not timedelta(0) <= at - datetime.fromisoformat(told) < AGAIN - _SLACK
        except (ValueError, TypeError):
            return True


class KeptLog(logging.Handler):
    """Keeps warnings as troubles instead of printing them; a fault of ours with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.troubles: dict[str, Trouble] = {}

    def emit(self, record: logging.LogRecord) -> None:
        message = line = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, NewskeepError):
            line = f"{message}: {error}"
        elif error is not None:
            line = self.format(record)
        if len(self.troubles) < _MESSAGES:
            self.troubles.setdefault(message, Trouble(f"log: {message}", line))

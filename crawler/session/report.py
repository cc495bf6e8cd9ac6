"""Outcomes as they come, and the crawl report made of them: `crawls/…/<crawl id>.json`."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.errors import SpoolError
from storage.model import Outcome, RunState
from storage.spool import CrawlFolder
from storage.urls import timestamp14


class OutcomeLog:
    """Appends outcomes to a file as JSON lines and counts them. Raises `SpoolError`."""

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._path = path
        self._lock = threading.Lock()
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise SpoolError(f"cannot write {path}: {error.strerror}") from error

    def add(self, outcome: Outcome) -> None:
        line = json.dumps(outcome_json(outcome), ensure_ascii=False).encode() + b"\n"
        with self._lock:
            try:
                self._file.write(line)
            except OSError as error:
                raise SpoolError(f"cannot write {self._path}: {error.strerror}") from error
            self.counts[outcome.outcome] += 1

    def close(self) -> None:
        self._file.close()


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as it is printed and kept: the fields of `Outcome`, times with 14 digits."""
    return {
        "url": outcome.url,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "status": outcome.status,
        "final_url": outcome.final_url,
        "timestamp": timestamp14(outcome.timestamp) if outcome.timestamp else None,
        "title": outcome.title,
        "words": outcome.words,
    }


def write_report(folder: CrawlFolder, started: datetime | None, state: RunState, software: str) -> None:
    """Write `report.json` from the outcomes of a folder, a line at a time. Raises `SpoolError`."""
    counts: Counter[str] = Counter(line["outcome"] for line in _lines(folder.outcomes))
    head = {
        "crawl": folder.crawl,
        "state": state,
        "started": _iso(started),
        "finished": _iso(datetime.now(UTC)),
        "software": software,
        "counts": dict(sorted(counts.items())),
    }
    temporary = folder.report.with_suffix(".tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head)[:-1] + ', "outcomes": [')
            for number, line in enumerate(_lines(folder.outcomes)):
                file.write((",\n" if number else "\n") + json.dumps(line, ensure_ascii=False))
            file.write("\n]}\n")
        temporary.replace(folder.report)
    except OSError as error:
        raise SpoolError(f"cannot write {folder.report}: {error.strerror}") from error


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError):  # a killed run may end in half a line
                yield json.loads(line)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None

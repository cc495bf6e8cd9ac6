"""Outcomes as they come, and the crawl report made of them: `crawls/…/<crawl id>.json`."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from storage.bounds import OUTCOME_LINE_MAX, parse_json, read_lines_past
from storage.errors import Corrupt, SpoolError
from storage.model import Outcome, OutcomeKind, RunState
from storage.spool import CrawlFolder
from storage.urls import parse_timestamp, timestamp14

_OUTCOMES = frozenset(get_args(OutcomeKind))
_ASKED_BY = "asked_by"


class OutcomeLog:
    """Appends outcomes to a file as JSON lines and counts them. Raises `SpoolError`.

    Who asked for the crawl, where somebody did, is a line before them, so that a killed run tells it too.
    """

    def __init__(self, path: Path, asked_by: str | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._path = path
        self._lock = threading.Lock()
        try:
            self._file = path.open("ab", buffering=0)
            if asked_by is not None:
                self._file.write(json.dumps({_ASKED_BY: asked_by}).encode() + b"\n")
        except OSError as error:
            raise SpoolError(f"cannot write {path}: {error.strerror}") from error

    def add(self, outcome: Outcome) -> None:
        line = _line(outcome)
        if len(line) > OUTCOME_LINE_MAX:
            short = outcome.reason and outcome.reason[:1000]
            line = _line(replace(outcome, title=None, reason=short, left_out=()))
        with self._lock:
            try:
                self._file.write(line)
            except OSError as error:
                raise SpoolError(f"cannot write {self._path}: {error.strerror}") from error
            self.counts[outcome.outcome] += 1

    def close(self) -> None:
        self._file.close()


def _line(outcome: Outcome) -> bytes:
    return json.dumps(outcome_json(outcome), ensure_ascii=False).encode(errors="replace") + b"\n"


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
        "noarchive": outcome.noarchive,
        "mime": outcome.mime,
        "size": outcome.size,
        "tags": list(outcome.tags),
        "tags_since": timestamp14(outcome.tags_since) if outcome.tags_since else None,
        "left_out": list(outcome.left_out),
    }


def parse_outcome(line: dict[str, Any]) -> Outcome:
    """The outcome that `outcome_json` wrote; its time is of the second. Raises `KeyError` and `ValueError`."""
    time = line["timestamp"]
    return Outcome(**{**line, "timestamp": parse_timestamp(time) if time else None})


def write_report(folder: CrawlFolder, started: datetime | None, state: RunState, software: str) -> None:
    """Write `report.json` from the outcomes of a folder, a line at a time. Raises `SpoolError`."""
    counts: Counter[str] = Counter()
    tags: set[str] = set()
    for line in _lines(folder.outcomes):
        counts[line["outcome"]] += 1
        tags.update(_texts(line.get("tags")))
    head = {
        "crawl": folder.crawl,
        "state": state,
        "started": started.isoformat(timespec="seconds") if started else None,
        # Two short crawls may end within a second, and one of them is the last.
        "finished": datetime.now(UTC).isoformat(timespec="microseconds"),
        "software": software,
        "counts": dict(sorted(counts.items())),
        "tags": sorted(tags),
    }
    if (asked_by := _asked_by(folder.outcomes)) is not None:
        head[_ASKED_BY] = asked_by
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


def _asked_by(path: Path) -> str | None:
    with path.open("rb") as file, suppress(Corrupt):
        found = parse_json(next(read_lines_past(file, OUTCOME_LINE_MAX), b""), OUTCOME_LINE_MAX)
        told = found.get(_ASKED_BY) if isinstance(found, dict) else None
        return told if isinstance(told, str) else None
    return None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the outcomes that can be read as such: a killed run ends in half a line, a full disk in worse."""
    with path.open("rb") as file:
        for line in read_lines_past(file, OUTCOME_LINE_MAX):
            with suppress(Corrupt):
                found = parse_json(line, OUTCOME_LINE_MAX)
                if isinstance(found, dict) and isinstance(found.get("url"), str) and _is_kind(found.get("outcome")):
                    yield found


def _texts(found: object) -> Iterator[str]:
    yield from (each for each in (found if isinstance(found, list) else ()) if isinstance(each, str))


def _is_kind(outcome: object) -> bool:
    return isinstance(outcome, str) and outcome in _OUTCOMES

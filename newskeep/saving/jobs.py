"""Jobs of `serve`: lists of URLs that somebody asked to have saved, kept on disk until they are done and looked at.

A job is a file of JSON in `jobs/waiting` and, once it has ended, in `jobs/ended`, of what is local to this machine.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from crawler.session.report import outcome_json
from storage.bounds import parse_json
from storage.counts import counted
from storage.errors import Corrupt, NewskeepError, NotArchived
from storage.model import Outcome
from storage.spool import sync_folder, writing

JobState = Literal["waiting", "running", "done", "failed"]
#: URLs of one job, and URLs that may wait.
URLS_MAX, WAITING_MAX = 100, 1_000
#: Jobs that have ended and can still be asked after.
ENDED_MAX = 1_000
#: Bytes of a job's file; its URLs and outcomes are bounded.
_FILE_MAX = 8_000_000
_ID = re.compile(r"[0-9]{17}-[0-9a-f]{8}")


class QueueFull(NewskeepError):
    """More is waiting than may."""


@dataclass(frozen=True, slots=True)
class Job:
    """URLs to save for somebody, and what has become of them."""

    #: When it was submitted, 17 digits, and eight random hexadecimal ones.
    id: str
    urls: tuple[str, ...]
    asked_by: str
    #: Goes before those that are not.
    urgent: bool = False
    state: JobState = "waiting"
    #: ISO 8601.
    started: str | None = None
    finished: str | None = None
    #: As `save --json` prints them.
    outcomes: tuple[dict[str, Any], ...] = ()
    #: Why it failed, for a person.
    error: str | None = None

    @property
    def submitted(self) -> str:
        return _iso(datetime.strptime(self.id[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC))

    @property
    def left(self) -> tuple[str, ...]:
        """The URLs that have no outcome yet."""
        told = {each["url"] for each in self.outcomes}
        return tuple(url for url in self.urls if url not in told)

    def begun(self) -> Job:
        return replace(self, state="running", started=self.started or _iso(datetime.now(UTC)))

    def told(self, outcome: Outcome) -> Job:
        return replace(self, outcomes=(*self.outcomes, outcome_json(outcome)))

    def ended(self, error: str | None = None) -> Job:
        return replace(self, state="failed" if error else "done", finished=_iso(datetime.now(UTC)), error=error)


class JobQueue:
    """The jobs of one archive on this machine. Several threads and processes may share the folder.

    Every method may raise `SpoolError`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        #: Set when a job came.
        self.came = threading.Event()
        self._waiting, self._ended = root / "waiting", root / "ended"
        self._submitting = threading.Lock()

    def submit(self, urls: Iterable[str], asked_by: str, *, urgent: bool = False) -> Job:
        """Keep a job of different URLs durably; one with the same URLs that has not begun is taken for it.

        Raises `QueueFull`.
        """
        wanted = tuple(dict.fromkeys(urls))
        with self._submitting:
            waiting = list(self.waiting())
            for job in waiting:
                if job.state == "waiting" and (job.urls, job.urgent) == (wanted, urgent):
                    return job
            left = sum(len(job.left) for job in waiting)
            if left + len(wanted) > WAITING_MAX:
                raise QueueFull(
                    f"{counted(left, 'URL')} wait already, and at most {WAITING_MAX:,} may; ask again later"
                )
            digits = f"{datetime.now(UTC):%Y%m%d%H%M%S%f}"[:17]
            job = Job(f"{digits}-{secrets.token_hex(4)}", wanted, asked_by, urgent)
            self.keep(job)
        self.came.set()
        return job

    def get(self, job: str) -> Job:
        """Return a job by its id. Raises `NotArchived`."""
        if _ID.fullmatch(job):
            # It moves from the one to the other.
            for folder in (self._waiting, self._ended, self._waiting):
                if (found := _read(folder / f"{job}.json")) is not None:
                    return found
        raise NotArchived(f"no job {job!r:.60}; the last {ENDED_MAX:,} that have ended are kept")

    def waiting(self) -> Iterator[Job]:
        """Yield those that have not ended, in the order in which they are done."""
        found = [job for path in sorted(self._waiting.glob("*.json")) if (job := _read(path)) is not None]
        yield from sorted(found, key=lambda job: (job.state != "running", not job.urgent, job.id))

    def newest(self, number: int) -> list[Job]:
        """The jobs that were submitted last, newest first."""
        paths = [*self._waiting.glob("*.json"), *self._ended.glob("*.json")]
        newest = sorted({path.name for path in paths}, reverse=True)[:number]
        found = (_read(self._waiting / name) or _read(self._ended / name) for name in newest)
        return [job for job in found if job is not None]

    def keep(self, job: Job) -> None:
        """Write the state of a job that has not ended."""
        _write(self._waiting / f"{job.id}.json", job)

    def end(self, job: Job) -> None:
        """Write that a job has ended, and forget the oldest ones."""
        _write(self._ended / f"{job.id}.json", job)
        with writing(self._waiting):
            (self._waiting / f"{job.id}.json").unlink(missing_ok=True)
            for path in sorted(self._ended.glob("*.json"), reverse=True)[ENDED_MAX:]:
                path.unlink(missing_ok=True)


def _write(path: Path, job: Job) -> None:
    temporary = path.with_suffix(".tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(asdict(job), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)


def _read(path: Path) -> Job | None:
    """The job in a file; `None` where it is not there, or is none of ours."""
    try:
        fields = parse_json(path.read_bytes(), _FILE_MAX)
        return Job(**{**fields, "urls": tuple(fields["urls"]), "outcomes": tuple(fields["outcomes"])})
    except (OSError, Corrupt, KeyError, TypeError):
        return None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")

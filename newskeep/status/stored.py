"""What only the store knows: whether it answers, the last crawl reports, what compaction has joined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newskeep.status.bounded import bounded
from newskeep.status.reports import ReportHead, Reports
from storage.archive import Archive
from storage.compaction.plan import all_records
from storage.errors import StoreUnavailable

#: Crawls that are told, and seconds for which the store is waited for.
CRAWLS, SECONDS = 5, 10.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store said; nothing of it where it did not answer."""

    #: Why it did not, in a line.
    problem: str | None = None
    #: Newest first.
    crawls: tuple[ReportHead, ...] = ()
    #: WARCs that compaction made, and those that it saved.
    joined: int = 0
    saved_files: int = 0


def stored_of(archive: Archive, reports: Reports | None = None, seconds: float = SECONDS) -> Stored:
    """Ask the store, for so many seconds at most; one that is away is told and no error."""
    try:
        return bounded(lambda: _asked(archive, reports or Reports()), seconds, archive.uri)
    except StoreUnavailable as error:
        return Stored(str(error))


def _asked(archive: Archive, reports: Reports) -> Stored:
    archive.store.check()
    newest = sorted(reports.newest(archive), key=_ended, reverse=True)
    joined = saved = 0
    for record in all_records(archive.store):
        joined += 1
        saved += len(record.sources) - 1
    return Stored(None, tuple(newest[:CRAWLS]), joined, saved)


def _ended(report: ReportHead) -> tuple[date, float, str]:
    return report.day, report.finished.timestamp() if report.finished else 0.0, report.crawl

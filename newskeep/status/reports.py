"""What the newest crawl reports say, read as little as may be."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from storage.archive import Archive
from storage.bounds import parse_json
from storage.errors import Corrupt, NewskeepError, ObjectMissing
from storage.objects import ObjectInfo

#: Days that are looked at, and reports, the newest first.
DAYS, REPORTS = 14, 120
#: Seconds for which the list of reports is taken as it was.
_FRESH = 60
#: Bytes in which a report says all but its outcomes.
_HEAD = 2_048
_OUTCOMES = b', "outcomes": ['


@dataclass(frozen=True, slots=True)
class ReportHead:
    """The head of a crawl report: its id and day, how it ended, and the number of URLs by outcome."""

    crawl: str
    day: date
    #: When it began; `None` for one that was killed. When it ended, or its end was found out.
    started: datetime | None
    finished: datetime | None
    state: str
    counts: Mapping[str, int]


class Reports:
    """The heads of the newest reports; each is read once, as none ever changes. Threads may share one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, ReportHead] = {}
        self._found: list[ReportHead] = []
        self._listed = -float(_FRESH)

    def newest(self, archive: Archive) -> list[ReportHead]:
        """Return the reports of the last days, the newest day first. Raises `StoreUnavailable`."""
        with self._lock:
            if time.monotonic() - self._listed >= _FRESH:
                read = {info.key: self._known.get(info.key) or _head(archive, info) for info in _infos(archive)}
                self._known = {key: told for key, told in read.items() if told is not None}
                self._found = list(self._known.values())
                self._listed = time.monotonic()
            return self._found


def _infos(archive: Archive) -> Iterator[ObjectInfo]:
    left = REPORTS
    today = datetime.now(UTC).date()
    for back in range(DAYS):
        found = list(archive.store.list(f"crawls/{today - timedelta(days=back):%Y/%m/%d}/"))
        yield from found[:left]
        left -= len(found[:left])
        if not left:
            return


def _head(archive: Archive, info: ObjectInfo) -> ReportHead | None:
    """The head of one report; `None` for what is none of ours."""
    try:
        with archive.store.open(info.key, 0, min(info.size, _HEAD)) as stream:
            # At most `_HEAD` bytes.
            head, outcomes, _ = stream.read().partition(_OUTCOMES)
        line = parse_json(head + b"}" if outcomes else head)
        counts = {str(name): int(number) for name, number in line["counts"].items()}
        _, year, month, day, _ = info.key.split("/")
        return ReportHead(
            crawl=str(line["crawl"]),
            day=date(int(year), int(month), int(day)),
            started=_moment(line.get("started")),
            finished=_moment(line.get("finished")),
            state=str(line["state"]),
            counts=counts,
        )
    except (ObjectMissing, Corrupt, ValueError, KeyError, TypeError, AttributeError):
        return None


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def failures(reports: Reports, archive: Archive) -> list[ReportHead] | None:
    """The newest reports; `None` when they cannot be read now, which must not cost the page."""
    try:
        return reports.newest(archive)
    except NewskeepError:
        return None

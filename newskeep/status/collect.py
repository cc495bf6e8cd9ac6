"""All of it, put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from crawler.frontier import frontier_of, has_frontier
from crawler.sites.site import Site, load_sites
from newskeep.health.collect import Health, health_of
from newskeep.schedule.listing import ScheduleRow, next_rows
from newskeep.status.holdings import Held, Holdings, holdings_of
from newskeep.status.room import DiskRoom, SpoolContent, disk_of, spool_of
from newskeep.status.stored import Stored, stored_of
from newskeep.times import iso
from storage.counts import counted
from storage.errors import StoreUnavailable
from storage.index import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crawler.config import Config
    from newskeep.status.reports import Reports
    from storage.archive import Archive

#: Sites that are judged at most, and that are told of what is due next.
JUDGED, NEXT = 500, 5


@dataclass(frozen=True, slots=True)
class Status:
    """One picture of an archive at a time."""

    archive: str
    at: datetime
    counts: Counts
    holdings: Holdings
    #: Bytes of the index file.
    index_bytes: int
    spool: SpoolContent
    disk: DiskRoom | None
    stored: Stored
    #: Sites of the configuration, and how they go: of at most `JUDGED`, trouble first.
    sites: int
    health: tuple[Health, ...]
    #: What is due next, the most overdue first.
    due: tuple[ScheduleRow, ...]
    #: Why the frontier or the index could not be asked, in a line.
    problem: str | None = None
    #: Months ("2026-03") whose captures the index has let go, and `holdings` has not: they are read where they are
    #: published.
    released: tuple[str, ...] = ()

    @property
    def left_out(self) -> str | None:
        """What `holdings` does not count, in a line."""
        if not self.released:
            return None
        months = self.released[0] if len(self.released) == 1 else f"{self.released[0]} to {self.released[-1]}"
        return f"captures of {counted(len(self.released), 'month')} that the index has let go are not counted: {months}"

    @property
    def troubles(self) -> list[Health]:
        return [each for each in self.health if each.verdict.trouble]


def status_of(archive: Archive, config: Config, at: datetime, reports: Reports | None = None) -> Status:
    """Look at an archive. What cannot be asked is told in the picture; raises `ConfigError` alone."""
    sites = load_sites(config)
    stored = stored_of(archive, reports)
    problem = None
    counts, holdings, index_bytes = Counts(0, 0, 0, 0), Holdings(), 0
    released: tuple[str, ...] = ()
    health: list[Health] = []
    due: list[ScheduleRow] = []
    try:
        if archive.has_index:
            counts, holdings, index_bytes = archive.index.counts(), holdings_of(archive), archive.index.size()
            released = tuple(str(each.month) for each in archive.index.released())
        health, due = _sites(archive, sites, at)
    except StoreUnavailable as error:
        problem = str(error)
    return Status(
        archive.uri,
        at,
        counts,
        holdings,
        index_bytes,
        spool_of(archive),
        disk_of(archive, config.min_free),
        stored,
        len(sites),
        tuple(sorted(health, key=lambda each: (not each.verdict.trouble, each.site))),
        tuple(due),
        problem,
        released,
    )


def _sites(archive: Archive, sites: Mapping[str, Site], at: datetime) -> tuple[list[Health], list[ScheduleRow]]:
    # Asking for the frontier makes one.
    if not sites or not has_frontier(archive):
        return [], []
    index = archive.index if archive.has_index else None
    health = list(health_of(frontier_of(archive), islice(sites.values(), JUDGED), at, samples=0, index=index))
    return health, list(next_rows(archive, sites, at, NEXT))


def as_json(status: Status) -> dict[str, Any]:
    """The picture as one JSON object; times in ISO 8601, UTC, sizes in bytes."""
    disk, stored = status.disk, status.stored
    return {
        "archive": status.archive,
        "at": iso(status.at),
        "problem": status.problem or stored.problem,
        "warcs": status.counts.warcs,
        **_held(status.holdings.total),
        "bytes": {"warc": status.counts.bytes, "text": status.holdings.text_bytes, "index": status.index_bytes},
        "kinds": {kind: {"captures": count, "bytes": size} for kind, (count, size) in status.holdings.kinds.items()},
        "saved": {
            "revisit_bytes": status.holdings.saved,
            "compacted_files": None if stored.problem else stored.saved_files,
        },
        "months": {month: _held(held) for month, held in status.holdings.by_month()},
        "released": list(status.released),
        "sites": {
            site: {
                **_held(held),
                "months": {month: _held(one) for month, one in sorted(status.holdings.sites[site].items())},
            }
            for site, held in status.holdings.by_site()
        },
        "spool": {"bytes": status.spool.bytes, "warcs": status.spool.warcs, "damaged": status.spool.damaged},
        "disk": None
        if disk is None
        else {"free": disk.free, "total": disk.total, "min_free": disk.floor, "crawls_pause": disk.is_below},
        "crawls": [
            {
                "crawl": each.crawl,
                "state": each.state,
                "started": iso(each.started),
                "finished": iso(each.finished),
                "counts": dict(each.counts),
            }
            for each in stored.crawls
        ],
        "health": {
            each.site: {"verdict": each.verdict.kind, "trouble": each.verdict.trouble, "why": each.verdict.why}
            for each in status.health
        },
        "next": [
            {"site": row.site, "due": iso(row.due), "last": iso(row.last), "ended": row.ended, "state": row.state}
            for row in status.due
        ],
    }


def _held(held: Held) -> dict[str, int]:
    return {
        "captures": held.captures,
        "addresses": held.addresses,
        "articles": held.articles,
        "record_bytes": held.bytes,
    }

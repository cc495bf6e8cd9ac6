"""What runs that are gone have left in the spool, brought to the archive by a process that fetches nothing."""

from __future__ import annotations

import os
from contextlib import closing

from crawler.session.delivery import Delivery
from crawler.session.disk_floor import DiskFloor
from crawler.session.extraction_pool import ExtractionPool
from crawler.session.session import SessionOptions
from crawler.session.stop_flag import StopFlag
from storage.archive import Archive
from storage.errors import NewskeepError
from storage.spool import Spool, writing

#: Bytes that are written for a proof: less room is none.
_PROOF = 1 << 20


def deliver_left(archive: Archive, options: SessionOptions, stop: StopFlag) -> list[NewskeepError]:
    """Seal and deliver what earlier runs left, return what went wrong with it, and see that a crawl could begin.

    Ends at once where `stop` is asked; the next one goes on. Raises `StoreUnavailable` when the index cannot be used,
    `SpoolError` when the spool cannot be written, holds too much, or its disk has too little room.
    """
    # Before anything is made: without an index nothing could be delivered.
    _ = archive.index
    failures: list[NewskeepError] = []
    software = options.warcinfo("")["software"]
    with closing(ExtractionPool(options.workers, options.limits)) as pool:
        Delivery(archive, pool, stop, options.spool_max_bytes, software, failures.append, options.has_text).recover()
    _prove(archive.spool, options.min_free)
    return failures


def _prove(spool: Spool, min_free: int) -> None:
    """Write to the spool as a crawl does, and leave nothing there."""
    folder = spool.start()
    try:
        DiskFloor(spool.root, min_free).check()
        proof = folder.path / "proof.tmp"
        with writing(proof), proof.open("wb") as file:
            file.write(bytes(_PROOF))
            os.fsync(file.fileno())
    finally:
        folder.release()

"""Is what a copy has fetched what it should be? A WARC by the digest that is known of it, else record by record.

Reading records takes about a second for 75 MB, a digest for 1 GB. An index that was filled by crawls knows the digests;
one that was made again from CDXJ files does not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from storage import cdxj
from storage.archive import Archive
from storage.errors import Corrupt, StoreUnavailable
from storage.inventory import Holding
from storage.warc import read_records

#: What makes a part again.
MAKE = {
    "text": "`newskeep reextract` makes the text again from the WARC",
    "cdxj": "`newskeep reindex --mend` makes it again from the WARC",
}


#: The name of a WARC -> its SHA-256 in hex where that is known.
Known = Callable[[str], str | None]


def known_to(archive: Archive) -> Known:
    """What an archive's index on this machine knows of WARCs; nothing where there is no index that can be read."""

    def known(filename: str) -> str | None:
        try:
            entry = archive.index.warc(filename) if archive.has_index else None
        except StoreUnavailable:
            return None
        return (entry.sha256 or None) if entry is not None else None

    return known


class WarcCut(Corrupt):
    pass


def check_warc(stream: BinaryIO, digest: str, known: str | None) -> None:
    """Raise `Corrupt` where a WARC is not the one that is known, or, of one that is not, where a record is broken."""
    if known is not None:
        if digest != known:
            raise Corrupt("its SHA-256 is not the one that is known of it")
        return
    end = 0
    for record in read_records(stream):
        record.check()
        end = record.offset + record.length
    if not end:
        raise Corrupt("it is empty")
    if end != stream.seek(0, os.SEEK_END):
        raise Corrupt(f"what follows byte {end:,} is no record")


def check_cdxj(stream: BinaryIO, holding: Holding) -> None:
    """Raise `Corrupt` where a CDXJ is not of this WARC, and `WarcCut` where it names records behind the WARC's end."""
    for capture in cdxj.read_file(stream, "not readable", ordered=True):
        if capture.filename != holding.filename:
            raise Corrupt(f"{capture.url} is in {capture.filename}")
        if capture.offset + capture.length > (holding.warc or 0):
            raise WarcCut(f"{capture.url} should be at byte {capture.offset:,}, behind its end")

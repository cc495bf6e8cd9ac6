"""A folder archive with a log: some WARCs, one of them joined from others, one with a purged page, and stamps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from filled_archive import Page, deliver, page
from time_authority import TimeAuthority

from newskeep.stamping import stamp
from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.removals import hide
from storage.removing.hide import put
from storage.removing.purge import purge
from storage.transparency.keys import PrivateKey, key_path


def begin_log(archive: Archive, home: Path, patch: pytest.MonkeyPatch) -> None:
    """Give an archive a log whose key lies under `home`."""
    patch.setenv("XDG_CONFIG_HOME", str(home))
    PrivateKey.make(key_path(archive.uri))
    assert archive.log is not None
    archive.log.begin("tests")


def fill_logged(archive: Archive, authority: TimeAuthority | None = None) -> list[Page]:
    """Four WARCs, of which the first two are joined and a page of the third is purged; a stamp now and then."""
    pages = [page(number) for number in range(12)]
    for serial in range(2):
        deliver(archive, serial, pages[serial * 3 : serial * 3 + 3], revisit=True)
    compact(archive, CompactOptions(min_age=timedelta(0)))
    stamp_now(archive, authority)
    for serial in range(2, 4):
        deliver(archive, serial, pages[serial * 3 : serial * 3 + 3], revisit=True)
    stamp_now(archive, authority)
    gone = pages.pop(6)
    take_out(archive, gone.url)
    return pages


def take_out(archive: Archive, url: str) -> None:
    """Purge all that is held of a URL."""
    decision = hide(url, "exact", "asked", "tests")
    put(archive, decision)
    put(archive, decision.about("purge", "asked", "tests"))
    assert purge(archive).captures >= 1


def stamp_now(archive: Archive, authority: TimeAuthority | None) -> None:
    if authority is not None:
        assert stamp(archive, [authority.url]) == []

"""An archive out of which one page was taken, at every stage of it: `pytest_plugins = ["removed_archive"]`.

Nothing is tested here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from web_archive import BEGIN, PAPER, answer, page_of, write

from storage.archive import Archive
from storage.compaction.run import CompactOptions, compact
from storage.maintenance.copy import copy
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.model import Capture
from storage.objects.local import LocalStore
from storage.publishing.publish import PublishOptions, publish
from storage.publishing.release import release
from storage.removals import hide
from storage.removing.hide import put
from storage.removing.purge import purge

SECRET, PLAIN, MOVED = f"{PAPER}/secret", f"{PAPER}/plain", f"{PAPER}/moved"
#: What stands on the page that is taken out and nowhere else.
WORD = "zebrafinches"
#: What the other page says.
COMMON = "The council voted for the new bridge on Monday evening after a long debate about its cost."
TEXTS = (
    f"Somebody kept {WORD} in the reading room of the old library for eleven years without a permit from the mayor.",
    f"Somebody kept {WORD} and canaries in the old library for eleven years without a permit, said the mayor today.",
)
STAGES = (
    "hidden",
    "hidden, index made anew",
    "hidden, copied",
    "hidden, compacted",
    "hidden, let go",
    "hidden, let go and published again",
    "purged",
    "purged, index made anew",
    "purged, copied",
    "purged, copied over an older copy",
    "purged, copied over a compacted copy",
    "purged, compacted",
    "purged, let go",
)


@dataclass(frozen=True)
class Stage:
    """One archive, and the captures of what was taken out of it, where they lay before."""

    name: str
    folder: Path
    captures: tuple[Capture, ...]

    @property
    def is_purged(self) -> bool:
        return self.name.startswith("purged")


def opened(folder: Path) -> Archive:
    return Archive(LocalStore(str(folder)), folder)


def fill(folder: Path) -> None:
    """Two WARCs of one day: the page, again as a revisit, and again with another text; another page; a redirect."""
    folder.mkdir()
    with opened(folder) as archive:
        first = [(PLAIN, BEGIN, page_of(COMMON)), (SECRET, BEGIN, page_of(TEXTS[0]))]
        archive.deliver(write(folder / "made", 0, first, texts=(COMMON, TEXTS[0]), revisit=True))
        later = BEGIN + timedelta(days=1)
        redirect = answer(b"", "302 Found", [("Location", "/secret")])
        second = [(SECRET, later, page_of(TEXTS[1])), (MOVED, later, redirect), (PLAIN, later, page_of(COMMON))]
        archive.deliver(write(folder / "made", 1, second, texts=(TEXTS[1],)))
    shutil.rmtree(folder / "made")


def removed(archive: Archive, *, for_good: bool = False, url: str = SECRET) -> None:
    """Hide a page, or purge it."""
    decision = hide(url, "exact", "a test", "tests")
    put(archive, decision)
    if for_good:
        put(archive, decision.about("purge", "a test", "tests"))
        assert purge(archive).problems == []


def joined(archive: Archive) -> None:
    assert compact(archive, CompactOptions(min_age=timedelta(0))).left == []


def let_go(archive: Archive) -> None:
    """Publish its months, and have the database let them go."""
    for each in publish(archive, PublishOptions(table=False)):
        assert release(archive, each.manifest).unanswered == 0
    assert not list(archive.index.in_database().all_captures())


@pytest.fixture(scope="session")
def unremoved(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The archive as it was before."""
    folder = tmp_path_factory.mktemp("shown") / "archive"
    fill(folder)
    with opened(folder) as archive:
        captures = tuple(archive.captures(SECRET))
    assert [capture.is_revisit for capture in captures] == [False, True, False]
    return Stage("shown", folder, captures)


#: The others take minutes together.
_ALWAYS = ("hidden", "hidden, let go", "purged", "purged, compacted")


@pytest.fixture(
    scope="session",
    params=[pytest.param(each, marks=[] if each in _ALWAYS else pytest.mark.exhaustive) for each in STAGES],
)
def stage(request: pytest.FixtureRequest, unremoved: Stage, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return staged(request.param, unremoved, tmp_path_factory.mktemp("stage"))


def staged(name: str, unremoved: Stage, tmp_path: Path) -> Stage:
    """The archive at one of the `STAGES`, in a folder of its own."""
    folder, target = tmp_path / "archive", tmp_path / "target"
    shutil.copytree(unremoved.folder, folder)
    kind, _, then = name.partition(", ")
    with opened(folder) as archive:
        if then.startswith("let go"):
            let_go(archive)
        removed(archive, for_good=kind == "purged")
        if then.endswith("published again"):
            list(publish(archive, PublishOptions(table=False)))
        if then == "index made anew":
            reindex(archive, ReindexOptions(from_warcs=True, mend=True))
        elif then == "compacted":
            joined(archive)
    if not then.startswith("copied"):
        return Stage(name, folder, unremoved.captures)
    if "over" in then:
        shutil.copytree(unremoved.folder, target)
    with opened(target) as copied:
        if "a compacted" in then:
            joined(copied)
        assert copy(LocalStore(str(folder)), copied).problems == []
    return Stage(name, target, unremoved.captures)

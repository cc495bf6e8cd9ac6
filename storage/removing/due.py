"""What is to be purged and still there, and that no word of it is left in the index's file once it is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from storage.archive import Archive
from storage.errors import StoreUnavailable
from storage.model import Capture
from storage.problems import Problem
from storage.removals import Hiding, Removal, in_force
from storage.removing.hide import covered

#: Offset of an answer in its WARC -> the answer, and the decision to purge it.
Answers = dict[int, tuple[Capture, Removal]]


def due(archive: Archive, hidings: Iterable[Hiding] | None = None) -> dict[str, Answers]:
    """Return what is to be purged and still there, by the names of WARCs; of all that is hidden where none is given."""
    found: defaultdict[str, Answers] = defaultdict(dict)
    for hiding in in_force(archive.index.removals()) if hidings is None else hidings:
        if hiding.purge is not None:
            for capture in covered(archive, hiding.hide, hiding.purge.moment):
                found[capture.filename].setdefault(capture.offset, (capture, hiding.purge))
    return dict(found)


@contextmanager
def scrubbed(archive: Archive, on_problem: Callable[[Problem], None]) -> Iterator[None]:
    """Scrub the index at the end of work that took out of it what is to be purged."""
    before = due(archive)
    yield
    if before and due(archive) != before:
        try:
            archive.index.scrub()
        except StoreUnavailable as error:
            what = (
                f"words of what was purged may be left in the file ({error}); `newskeep reindex --fresh` makes it again"
            )
            on_problem(Problem(str(archive.state), what))

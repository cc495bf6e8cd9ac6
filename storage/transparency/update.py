"""A log brought up to date: what was put into the archive, or joined, by something that writes no log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from storage.archive import Archive
from storage.compaction.plan import all_records, hidden
from storage.errors import Corrupt, ObjectMissing
from storage.inventory import holdings
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.transparency.moves import log_move
from storage.transparency.reading import read_ledger
from storage.transparency.writer import LogWriter
from storage.warc import key_of


@dataclass(slots=True)
class UpdateResult:
    """WARCs whose records are in the log now, and those whose move is."""

    added: int = 0
    moved: int = 0
    problems: int = 0


def update(
    archive: Archive,
    log: LogWriter,
    *,
    purges: bool = False,
    on_warc: Callable[[UpdateResult], None] = lambda done: None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> UpdateResult:
    """Append what no log of the archive has. That it was there earlier than now, the log does not say.

    `purges`: whether records that are gone from what was joined or made anew elsewhere count as purged; else that is a
    problem, as whoever takes one out could write such a note.
    """
    done, store = UpdateResult(), archive.store

    def tell(problem: Problem) -> None:
        done.problems += 1
        on_problem(problem)

    log.catch_up()
    refused = set()
    ledger = read_ledger(store)
    for record in all_records(store):
        known = any(ledger.knows(source) for source in record.sources)
        if known and record.target not in ledger.sources and store.stat(key_of(record.target)):
            try:
                log_move(log, store, record.target, record.sources, ledger, purges=purges)
                done.moved += 1
                # What was joined may have been joined again.
                ledger = read_ledger(store)
            except (Corrupt, ObjectMissing) as error:
                refused.add(record.target)
                what = f"not logged ({error}); where they were purged elsewhere, `newskeep log update --purged`"
                tell(Problem(key_of(record.target), what))
    ledger, passed = read_ledger(store), hidden(store) | refused
    for holding in holdings(store):
        if holding.warc is not None and holding.filename not in passed and not ledger.knows(holding.filename):
            try:
                _add(log, store, holding.filename)
                done.added += 1
                on_warc(done)
            except (Corrupt, ObjectMissing) as error:
                tell(Problem(holding.key(), f"not logged ({error}); see `newskeep verify --deep`"))
    return done


def _add(log: LogWriter, store: ObjectStore, filename: str) -> None:
    log.add_warc(filename, lambda: store.open(key_of(filename)))

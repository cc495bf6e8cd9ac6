"""Purging what is hidden: out of the WARCs, CDXJ, text parts and all of the index; a tombstone in each answer's place.

The way of one WARC is that of a compaction of it alone (storage/compaction/run.py), and as safe: a new WARC, under a
name never used before, takes its place step by step; a kill between any two costs nothing but the work. The decision
to purge was put into the store before the first of them, so that whoever goes on knows what is to go, here and in any
copy. The record under `compacted/` keeps what was purged from coming back from a spool or another archive.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from storage import corrections, untexted
from storage.archive import Archive
from storage.bulk import forget_memories
from storage.compaction.plan import Compaction, earlier
from storage.compaction.recovery import bring, finish, machine_id, recover
from storage.compaction.release import release
from storage.errors import Corrupt, NewskeepError, ObjectMissing
from storage.inventory import Holding
from storage.maintenance.reindex import bring_up_to_date
from storage.model import Capture
from storage.objects.retention import Released
from storage.problems import Problem
from storage.publishing.renew import renew
from storage.removals import in_force
from storage.removing.due import Answers, due, scrubbed
from storage.removing.rewrite import PurgedWarc
from storage.urls import timestamp14
from storage.warc import day_of, key_of, make_stem, time_of
from storage.workspace import workspace

_SUFFIXES = ("warc", "cdxj", "text")


@dataclass(slots=True)
class PurgeResult:
    """What was done."""

    #: WARCs that were made anew, and answers that are no longer in them.
    warcs: int = 0
    captures: int = 0
    #: What was taken out and Object Lock kept: what of it is gone for good now, and what is not.
    released: Released = field(default_factory=Released)
    problems: list[Problem] = field(default_factory=list)


def purge(
    archive: Archive,
    *,
    before_warc: Callable[[Collection[str]], None] = lambda urls: None,
    on_warc: Callable[[PurgeResult], None] = lambda done: None,
) -> PurgeResult:
    """Purge all that is decided to be purged and still there; `on_warc` is called after each WARC.

    `before_warc` is called before each with the addresses of what goes, to have it forgotten elsewhere: a kill behind
    it leaves the captures, hidden, and the next run calls again. Raises `AlreadyRunning` when a reindex, compaction or
    copy is at work here.
    """
    with archive.upkeep():
        archive.check_index()
        left = recover(archive).left
        bring_up_to_date(archive, on_problem=left.append)
        done = purge_now(archive, before_warc=before_warc, on_warc=on_warc)
        done.released = release(archive.store, done.problems.append)
        done.problems[:0] = left
    return done


def purge_now(
    archive: Archive,
    *,
    before_warc: Callable[[Collection[str]], None] = lambda urls: None,
    on_warc: Callable[[PurgeResult], None] = lambda done: None,
) -> PurgeResult:
    """`purge` for a caller that holds the lock, of an archive whose index is up to date."""
    done = PurgeResult()
    with scrubbed(archive, done.problems.append):
        _finish_months(archive, done)
        wanted = due(archive)
        _purge_all(archive, wanted, done, before_warc, on_warc)
        if done.warcs:
            forget_memories(archive.store)
            # Within: until then a month that the database has let go still names what was purged.
            renew(archive, wanted.keys(), done.problems.append)
    _forget_corrections(archive)
    return done


def _finish_months(archive: Archive, done: PurgeResult) -> None:
    """Publish again what a run that was killed had purged of a month, and not published."""
    gone = [filename for filename in due(archive) if archive.store.stat(key_of(filename)) is None]
    if gone:
        renew(archive, gone, done.problems.append)


def _purge_all(
    archive: Archive,
    wanted: dict[str, Answers],
    done: PurgeResult,
    before_warc: Callable[[Collection[str]], None],
    on_warc: Callable[[PurgeResult], None],
) -> None:
    if not wanted:
        return
    for original, revisit in blocked(archive, wanted):
        answers = wanted[original.filename]
        answers.pop(original.offset, None)
        done.problems.append(Problem(key_of(original.filename), why_blocked(original, revisit)))
    with workspace(archive.state / "compaction") as folder:
        for filename in sorted(wanted):
            if wanted[filename]:
                archive.mind_upkeep()
                before_warc({capture.url for capture, _ in wanted[filename].values()})
                _purge_warc(archive, folder, filename, wanted[filename], done)
                on_warc(done)
    if done.warcs:
        _forget_untexted(archive)


def blocked(archive: Archive, wanted: Mapping[str, Answers]) -> list[tuple[Capture, Capture]]:
    """Return answers that must not be purged, each with a revisit that stays and has its body from there.

    Without them the revisit would be a head without a page.
    """
    answers = [capture for answers in wanted.values() for capture, _ in answers.values()]
    digests = {each.digest for each in answers if not each.is_revisit and each.digest is not None}
    found = []
    for revisit in archive.index.with_hidden.revisits(digests) if digests else ():
        if revisit.offset in wanted.get(revisit.filename, {}):
            continue
        try:
            original = archive.reader.referred(archive.reader.record(revisit))
        except NewskeepError:
            continue  # it has no body now
        if original.offset in wanted.get(original.filename, {}):
            found.append((original, revisit))
    return found


def why_blocked(original: Capture, revisit: Capture) -> str:
    where, other = (f"{each.url} at {timestamp14(each.timestamp)}" for each in (original, revisit))
    return (
        f"{where} cannot be purged: it holds the body of {other} as well, which stays; remove that too, or leave both"
    )


def _purge_warc(archive: Archive, folder: Path, filename: str, answers: Answers, done: PurgeResult) -> None:
    """Put a WARC without these answers in the place of one. What cannot be read as it should be is told, and stays."""
    store = archive.store

    def leave(key: str, what: str) -> None:
        done.problems.append(Problem(key, what))

    sizes = {kind: found.size for kind in _SUFFIXES if (found := store.stat(key_of(filename, kind)))}
    holding = Holding(filename, **sizes)
    with PurgedWarc(folder, make_stem(time_of(filename), secrets.token_hex(6), 0)) as made:
        try:
            made.take(store, holding, {offset: decision for offset, (_, decision) in answers.items()})
        except ObjectMissing:
            leave(holding.key(), "not purged: it was moved meanwhile; `newskeep remove --purge` again")
            return
        except Corrupt as error:
            leave(holding.key(), f"not purged, only hidden ({error}); see `newskeep verify --deep`")
            return
        plan = Compaction(
            target=made.filename,
            sources=(filename,),
            earlier=earlier(store, day_of(filename), [filename]),
            objects=made.close(),
            machine=machine_id(archive.state),
            started=datetime.now(UTC),
        )
        if bring(store, plan, made.path, leave):
            finish(archive, plan)
            done.warcs += 1
            done.captures += len(answers)


def _forget_untexted(archive: Archive) -> None:
    """Take out of the lists of pages without text what is no longer held."""
    for key in [info.key for info in archive.store.list(untexted.FOLDER)]:
        with suppress(Corrupt, ObjectMissing):
            pages = untexted.read(archive.store, key)
            left = [page for page in pages if page.capture(archive.index.with_hidden)]
            if not left:
                archive.store.delete(key)
            elif left != pages:
                archive.store.replace(key, untexted.to_json(left))


def _forget_corrections(archive: Archive) -> None:
    """Delete what readers said of blocks of purged articles, which has their words; not what is said of whole sites."""
    purged = [hiding for hiding in in_force(archive.index.removals()) if hiding.purge is not None]
    for key in list(corrections.keys(archive.store)) if purged else ():
        with suppress(Corrupt, ObjectMissing):
            said = corrections.read(archive.store, key)
            if not said.whole_site and any(hiding.covers(said.url, said.captured) for hiding in purged):
                archive.store.delete(key)

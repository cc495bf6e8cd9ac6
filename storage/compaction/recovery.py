"""The steps of a compaction once its plan is in the store; each may be repeated after a kill."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import cdxj
from storage.archive import Archive
from storage.articles import read_part
from storage.compaction.plan import Compaction, plans, read
from storage.errors import Corrupt, NewskeepError, ObjectExists, ObjectMissing, StoreUnavailable
from storage.hashing import digest_of
from storage.index import ArticleEntry, WarcEntry
from storage.index.articles import entry_of
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.transparency.moves import log_move
from storage.warc import key_of

#: How long another machine's plan is left alone.
_ABANDONED = timedelta(days=1)


@dataclass(slots=True)
class RecoveryResult:
    """What became of the compactions that were killed."""

    finished: int = 0
    undone: int = 0
    left: list[Problem] = field(default_factory=list)


def recover(archive: Archive) -> RecoveryResult:
    """Finish or undo every plan that is ours, or old; the caller holds the lock of the state folder."""
    done, store, machine = RecoveryResult(), archive.store, machine_id(archive.state)
    for plan in list(plans(store, done.left.append)):
        if plan.machine != machine and datetime.now(UTC) - plan.started < _ABANDONED:
            done.left.append(Problem(plan.plan_key, "another machine is at this day; left alone for a day"))
        elif is_whole(store, plan):
            finish(archive, plan)
            done.finished += 1
        elif has_sources(store, plan):
            undo(store, plan)
            done.undone += 1
        else:
            what = f"{plan.target} is damaged and its sources are gone; bring it from another archive"
            done.left.append(Problem(plan.plan_key, what))
    return done


def bring(store: ObjectStore, plan: Compaction, path: Callable[[str], Path], leave: Callable[[str, str], None]) -> bool:
    """Put a plan, then its target from the local files that `path` names by key; True once that is there, whole.

    False where another machine took the day or the sources meanwhile: `leave` is told under which key, and why. Raises
    `StoreUnavailable` when what was put comes back different.
    """
    try:
        store.put(plan.plan_key, plan.to_json())
    except ObjectExists:
        leave(plan.plan_key, "another machine is at this day")
        return False
    if not has_sources(store, plan):
        # Joined by another machine while we read them: it removed its plan after them.
        store.delete(plan.plan_key)
        return False
    for stored in plan.objects:
        # A store without conditional puts may have let two of us in: the one whose plan is not there gives way.
        if not is_ours(store, plan):
            break
        store.put(stored.key, path(stored.key))
    if is_ours(store, plan):
        if not is_whole(store, plan):
            raise StoreUnavailable(f"{plan.warc.key}: came back different from what was put; run again")
        return True
    for stored in reversed(plan.objects):
        store.delete(stored.key)
    leave(plan.plan_key, "another machine took this day; left to it")
    return False


def is_ours(store: ObjectStore, plan: Compaction) -> bool:
    """Whether the day's plan is this one."""
    try:
        found = read(store, plan.plan_key)
    except Corrupt:
        return False
    return found is not None and found.target == plan.target


def has_sources(store: ObjectStore, plan: Compaction) -> bool:
    """Whether none of the sources has been removed."""
    return all(store.stat(key_of(source)) is not None for source in plan.sources)


def is_whole(store: ObjectStore, plan: Compaction) -> bool:
    """Whether the target is there with every byte; reads all of it."""
    # The WARC was put last, so without it there is nothing to read.
    for stored in reversed(plan.objects):
        try:
            if digest_of(store, stored.key) != (stored.size, stored.sha256):
                return False
        except (ObjectMissing, Corrupt):
            return False
    return True


def undo(store: ObjectStore, plan: Compaction) -> None:
    """Remove what is there of the target, then the plan. The sources must all be there."""
    # WARC first: without it the target does not count.
    for stored in reversed(plan.objects):
        store.delete(stored.key)
    store.delete(plan.plan_key)


def finish(archive: Archive, plan: Compaction) -> None:
    """Let the target take the sources' place; it must be in the store, whole. Raises `NewskeepError` when it is late.

    That is when another machine has taken the plan away.
    """
    store = archive.store
    text, lines, warc = plan.objects
    _check_ours(store, plan)
    with store.open(lines.key) as stream:
        archive.index.replace(
            plan.sources,
            WarcEntry(plan.target, warc.size, warc.sha256, (text.key,)),
            cdxj.read_file(stream, lines.key),
            _articles(store, text.key),
        )
    _check_ours(store, plan)
    if archive.log is not None:
        # Of a join nothing may be gone, else `verify` tells: a plan is not signed, and anybody who can write here could
        # have put one. Whoever goes on after a kill finds the move logged.
        with suppress(Corrupt):
            log_move(archive.log, store, plan.target, plan.sources, purges=len(plan.sources) == 1)
    store.put(plan.record_key, plan.to_json())
    for source in plan.sources:
        # WARC first: what is left without one is no capture.
        for kind in ("warc", "cdxj", "text"):
            store.delete(key_of(source, kind))
    store.delete(plan.plan_key)


def machine_id(state: Path) -> str:
    """The id of a state folder, made when it has none. Raises `StoreUnavailable`."""
    path = state / "machine"
    try:
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            temporary.write_text(secrets.token_hex(8))
            temporary.replace(path)
        return path.read_text()
    except OSError as error:
        raise StoreUnavailable(f"cannot write {path}: {error.strerror}") from error


def _check_ours(store: ObjectStore, plan: Compaction) -> None:
    if not is_ours(store, plan):
        raise NewskeepError(f"{plan.plan_key}: taken away by another machine; run `newskeep reindex`, then again")


def _articles(store: ObjectStore, part: str) -> Iterator[ArticleEntry]:
    with store.open(part) as stream:
        for placed in read_part(stream):
            yield entry_of(placed, part)

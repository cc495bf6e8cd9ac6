"""Is the archive what its logs say? Something that was removed, changed, reordered or put in is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from storage.archive import Archive
from storage.compaction.plan import hidden
from storage.counts import counted
from storage.errors import Corrupt, ObjectMissing
from storage.inventory import holdings
from storage.objects import ObjectStore
from storage.problems import Problem
from storage.transparency.checkpoint import Checkpoint
from storage.transparency.leaves import RecordLeaf, leaves_of
from storage.transparency.ledger import Ledger
from storage.transparency.objects import FOLDER, logs
from storage.transparency.reading import check_log
from storage.transparency.writer import memory_folder
from storage.warc import key_of

_UPDATE = "if you trust what is there, `newskeep log update`"


def audit(archive: Archive, *, deep: bool = False, kept: Sequence[Checkpoint] = ()) -> Iterator[Problem]:
    """Yield what is wrong, nothing for an archive without a log; `deep` reads every WARC that is logged.

    `kept` are heads that somebody has kept elsewhere: the logs must go on from them.
    """
    found: list[Problem] = []
    held = logs(archive.store)
    # What this machine wrote once, and is gone with all of its leaves.
    for path in sorted(memory_folder(archive.state).glob("*.json")):
        if path.stem not in held:
            yield Problem(f"{FOLDER}{path.stem}/", "the log that this machine wrote is gone; bring it back from a copy")
    for log in sorted({head.log for head in kept}.difference(held)):
        yield Problem(f"{FOLDER}{log}/", "the archive has no such log any more, and once signed with it")
    if not held:
        return
    ledger = Ledger()
    for log in held:
        check_log(archive.store, log, archive.state, ledger, found.append, kept)
        yield from found
        found.clear()
    uncounted = hidden(archive.store)
    there = {each.filename: each.warc for each in holdings(archive.store) if each.warc is not None}
    for warc in ledger.warcs():
        if warc not in uncounted:
            yield from _warc(archive.store, ledger, warc, there.get(warc), deep)
    for warc in sorted(there.keys() - uncounted):
        if not ledger.knows(warc):
            yield Problem(key_of(warc), f"in no log: it was put in by something that writes none; {_UPDATE}")
        elif warc in ledger.moved and not _is_under_way(there, ledger.moved[warc]):
            yield Problem(key_of(warc), "the log says that its records were moved, and it is here again; remove it")


def _is_under_way(there: Mapping[str, int], targets: list[str]) -> bool:
    return not any(target in there for target in targets)


def _warc(store: ObjectStore, ledger: Ledger, warc: str, size: int | None, deep: bool) -> Iterator[Problem]:
    key, members = key_of(warc), ledger.members(warc)
    if size is None:
        what = f"removed: the log has {counted(len(members), 'record')} in it; bring it back from a copy"
        yield Problem(key, f"{what}, or where it was joined elsewhere: `newskeep log update`")
        return
    logged = sum(member.length for member in members)
    if size != logged:
        yield Problem(key, f"{size:,} bytes long, and {logged:,} in the log: cut, or added to")
    if deep:
        yield from _members(store, warc, members)


def _members(store: ObjectStore, warc: str, logged: list[RecordLeaf]) -> Iterator[Problem]:
    """The first record that is not what was logged at its place; others behind it follow from that as a rule."""
    at = number = 0
    try:
        with store.open(key_of(warc)) as stream:
            for number, leaf in enumerate(leaves_of(stream, warc), start=1):
                if number > len(logged):
                    yield Problem(key_of(warc), f"the record at {leaf.offset:,} is not in the log: it was put in")
                    return
                expected = logged[number - 1]
                if leaf.member != expected.member:
                    yield Problem(key_of(warc), f"{_what(leaf, expected, logged)}; bring it back from a copy")
                    return
                at = leaf.offset + leaf.length
    except (Corrupt, ObjectMissing) as error:
        yield Problem(key_of(warc), f"not what was logged, behind byte {at:,} ({error}); bring it back from a copy")
        return
    if number < len(logged):
        yield Problem(key_of(warc), f"{counted(len(logged) - number, 'record')} of the log are cut off its end")


def _what(leaf: RecordLeaf, expected: RecordLeaf, logged: list[RecordLeaf]) -> str:
    where = f"the record at {leaf.offset:,}"
    if leaf.block == expected.block:
        return f"{where} has other header fields, such as a date, than were logged"
    if any(leaf.member == each.member for each in logged):
        return f"{where} was logged at another place: one before it was removed, or their order was changed"
    return f"{where} was changed: it is not the one that was logged"

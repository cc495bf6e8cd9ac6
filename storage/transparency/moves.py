"""What becomes of logged records when WARCs are joined, or made anew without some of them."""

from __future__ import annotations

from collections.abc import Iterable

from storage.counts import counted
from storage.errors import Corrupt
from storage.objects import ObjectStore
from storage.transparency.leaves import leaves_of
from storage.transparency.ledger import Ledger, changes
from storage.transparency.reading import read_ledger
from storage.transparency.writer import LogWriter
from storage.warc import key_of


def log_move(
    log: LogWriter,
    store: ObjectStore,
    target: str,
    sources: Iterable[str],
    ledger: Ledger | None = None,
    *,
    purges: bool = True,
) -> None:
    """Append that the members of WARCs lie in another now, and which of them do no longer.

    `ledger` is what all logs say, read where it is not given. Raises `Corrupt`, `ObjectMissing`; `Corrupt` as well
    where members are gone, unless `purges` says that they may be.
    """
    known = read_ledger(store) if ledger is None else ledger
    if target in known.sources:
        log.catch_up()
        return
    with store.open(key_of(target)) as stream:
        lines = changes(known, target, sources, leaves_of(stream, target))
    gone = sum(line.startswith(b"purged ") for line in lines)
    if gone and not purges:
        raise Corrupt(f"{counted(gone, 'record')} of those that it was made from are not in it")
    log.append(lines, (target,))

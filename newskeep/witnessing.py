"""What logs of other archives show, and what witnesses signed: from a `newskeep serve`, a file, or an archive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from storage.bounds import parse_json
from storage.errors import Corrupt, NotArchived, StoreUnavailable, UsageError
from storage.objects import ObjectStore, open_store
from storage.transparency.countersignature import Countersigned
from storage.transparency.showing import LogShow
from storage.transparency.witness import SHOWN_MAX, Shown, last_seen

#: Seconds that one answer may take, names looked up included.
SECONDS = 15.0
T = TypeVar("T")


def shown(source: str, store: ObjectStore, only: str | None = None) -> Iterator[Shown]:
    """Yield what the logs at a source show, each on from the head that was last seen of it in `store`.

    `source` is where a `newskeep serve` is, a file with what that answers, or an archive. Raises `UsageError`,
    `StoreUnavailable`, `NotArchived` and `Corrupt`.
    """
    if is_address(source):
        listed = parse_json(_fetched(f"{source.rstrip('/')}/log"), SHOWN_MAX)
        logs = [each for each in listed.get("logs", ()) if isinstance(each, str)] if isinstance(listed, dict) else []
        for log in _chosen(logs, only, source):
            yield Shown.read(_fetched(f"{source.rstrip('/')}/log/{log}?first={_seen(store, log)}"))
    elif Path(source).is_file():
        read = _of_file(Path(source), Shown.read)
        _chosen([read.key.log], only, source)
        yield read
    else:
        other = open_store(source)
        try:
            other.check()
            show = LogShow(other)
            for log in _chosen(show.logs(), only, source):
                yield show.newest(log, _seen(store, log))
        finally:
            other.close()


def countersignature(source: str, log: str) -> Countersigned:
    """Return what a witness signed of a log: from its `newskeep serve`, or a file. Raises as `shown` does."""
    if is_address(source):
        return Countersigned.read(_fetched(f"{source.rstrip('/')}/log/{log}/countersignature"))
    return _of_file(Path(source), Countersigned.read)


def is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _seen(store: ObjectStore, log: str) -> int:
    last = last_seen(store, log)
    return last.head.size if last is not None else 0


def _chosen(logs: list[str], only: str | None, source: str) -> list[str]:
    found = [log for log in logs if len(log) == 16 and log.isalnum() and only in (None, log)]
    if not found:
        raise NotArchived(f"{source} has no log{f' {only}' if only else ''}")
    return found


def _of_file(path: Path, read: Callable[[bytes], T]) -> T:
    try:
        with path.open("rb") as file:
            return read(file.read(SHOWN_MAX + 1))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except Corrupt as error:
        raise UsageError(f"{path}: {error}") from error


def _fetched(address: str) -> bytes:
    if not urlsplit(address).hostname:
        raise UsageError(f"not an address: {address}")
    found: list[bytes | Exception] = []
    # A thread: no timeout of a client bounds the look-up of a name, or an answer that comes byte by byte.
    asker = threading.Thread(target=_fetch, args=(address, found), daemon=True)
    asker.start()
    asker.join(SECONDS)
    answer = found[0] if found else TimeoutError(f"no answer in {SECONDS:.0f} s")
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, HTTPError) and answer.code == 404:
        raise NotArchived(f"{address}: not there; is it a newskeep serve, and has its archive this log?")
    raise StoreUnavailable(f"{address}: {answer}")


def _fetch(address: str, found: list[bytes | Exception]) -> None:
    try:
        with urlopen(address, timeout=SECONDS) as answer:
            found.append(answer.read(SHOWN_MAX + 1))
    except (OSError, HTTPException, ValueError) as error:
        found.append(error)

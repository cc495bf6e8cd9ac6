"""Time stamps of an archive's newest signed head, asked of time authorities; what cannot be had is asked for later."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from storage.archive import Archive
from storage.errors import ConfigError, Corrupt, NewskeepError
from storage.transparency.objects import STAMP_MAX, heads, read_head, stamp_key

#: Seconds that one authority may take, names looked up included.
STAMP_SECONDS = 15.0


def check(authority: str) -> None:
    """Raise `ConfigError` for an address that no request can go to."""
    try:
        parts = urlsplit(authority)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(f"time_authorities: not an http or https address: {authority}")


def stamp(archive: Archive, authorities: Iterable[str]) -> list[str]:
    """Have the newest head of this machine's log stamped by each authority that has not yet; return what failed.

    The newest is enough: it holds for all that was logged before. An answer is kept only where it is right. Raises
    `StoreUnavailable`.
    """
    log = archive.log
    sizes = heads(archive.store, log.id) if log is not None else []
    note = read_head(archive.store, log.id, sizes[-1]) if log is not None and sizes else None
    failures = []
    for authority in authorities if note is not None else ():
        # Here: most archives have no authority, and what reads stamps takes a while to load.
        from storage.transparency.stamps import checked, request

        assert log is not None and note is not None
        key = stamp_key(log.id, sizes[-1], authority)
        if archive.store.stat(key) is None:
            try:
                answer = _asked(authority, request(note))
                checked(answer, note)
            except (OSError, HTTPException, Corrupt) as error:
                failures.append(f"no time stamp of {authority} ({error}); the next run asks again")
            else:
                archive.store.put(key, answer)
    return failures


def stamp_after_run(archive: Archive, authorities: Collection[str]) -> list[str]:
    """`stamp`, for a run that is at its end: whatever goes wrong is told and is no failure of the run."""
    try:
        return stamp(archive, authorities) if authorities else []
    except NewskeepError as error:
        return [str(error)]


def _asked(authority: str, query: bytes) -> bytes:
    """The answer to a query. Raises `OSError`."""
    found: list[bytes | Exception] = []
    # A thread: no timeout of a client bounds the look-up of a name, or an answer that comes byte by byte.
    asker = threading.Thread(target=_ask, args=(authority, query, found), daemon=True)
    asker.start()
    asker.join(STAMP_SECONDS)
    answer = found[0] if found else TimeoutError(f"no answer in {STAMP_SECONDS:.0f} s")
    if isinstance(answer, Exception):
        raise answer
    return answer


def _ask(authority: str, query: bytes, found: list[bytes | Exception]) -> None:
    try:
        check(authority)
        asking = Request(authority, query, {"Content-Type": "application/timestamp-query"})
        with urlopen(asking, timeout=STAMP_SECONDS) as answer:
            found.append(answer.read(STAMP_MAX))
    except (OSError, HTTPException) as error:
        found.append(error)
    except (ConfigError, ValueError) as error:
        found.append(OSError(str(error)))

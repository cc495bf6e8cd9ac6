"""What becomes of a job after an attempt, by how that ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from newskeep.queue.membership import LOST_MOST
from newskeep.worker.request import JobEnd
from storage.errors import AlreadyRunning, StoreUnavailable

#: Seconds until a job whose store was away, or whose process died, is tried again; each further time twice as long.
_AGAIN, _AGAIN_MOST = 30.0, 3600.0
#: Times that a job is tried whose store was away.
_TRIES = 8
#: Seconds until it is tried again what another process on the machine is at.
_BUSY = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a job."""

    what: Literal["done", "failed", "cancelled", "again"]
    state: str
    reason: str | None = None
    #: For `again`: not before.
    seconds: float = 0.0


def judge(end: JobEnd | None, code: int | None, lost: int, failed: int, *, cancelled: bool, draining: bool) -> Verdict:
    """`end`: how it says that it ended; `None`: its process ended with `code` before it could.

    `lost`, `failed`: earlier attempts that ended so; those that were put back in good order do not count.
    Where a worker is stopped, its job is put back for others; a crawl goes on where it was. A crawl that failed is not
    tried again by itself: its site is due again in its time.
    """
    if cancelled:
        return Verdict("cancelled", "cancelled", end.reason if end else None)
    if end is None:
        return _died(code, lost, draining)
    if end.state == "stopped":
        return Verdict("again", "stopped", end.reason or ("the worker was stopped" if draining else None))
    if end.code == AlreadyRunning.exit_code:
        return Verdict("again", "busy", end.reason, _BUSY)
    if end.code == StoreUnavailable.exit_code:
        what: Literal["again", "failed"] = "again" if failed + 1 < _TRIES else "failed"
        return Verdict(what, "failed", end.reason, _wait(failed))
    if end.state in ("failed", "blocked") or end.code in (1, 2):
        return Verdict("failed", end.state, end.reason)
    return Verdict("done", end.state, end.reason)


def _died(code: int | None, lost: int, draining: bool) -> Verdict:
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    reason = f"its process ended early ({how}); what it had fetched is kept"
    if draining:
        return Verdict("again", "lost", reason)
    return Verdict("failed" if lost + 1 >= LOST_MOST else "again", "lost", reason, _wait(lost))


def _wait(times: int) -> float:
    return min(_AGAIN * 2.0 ** min(times, 16), _AGAIN_MOST)

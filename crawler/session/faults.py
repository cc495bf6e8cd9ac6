"""Exceptions that nobody expected, in one line: a run must not end as if all had been well."""

from __future__ import annotations

import errno
import traceback

from storage.errors import NewskeepError

#: Errors of a system that is out of something, whatever the program does.
_REFUSALS = {
    errno.EAGAIN: "no more processes or threads may be started (ulimit -u), or no more output is taken",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EMFILE: "too many files are open (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "there is not enough memory",
    errno.ENOSPC: "no space is left on the disk, or where the output goes",
}


def refusal(error: BaseException) -> str | None:
    """What the system has refused, in words for people; `None` for what may be a fault of ours."""
    if isinstance(error, MemoryError):
        return _REFUSALS[errno.ENOMEM]
    if isinstance(error, OSError):
        said = _REFUSALS.get(error.errno or 0)
        return f"{error.filename}: {said}" if said and isinstance(error.filename, str) else said
    # Python's own words, with no number.
    return _REFUSALS[errno.EAGAIN] if "can't start new thread" in str(error) else None


def fault_of(error: BaseException) -> NewskeepError:
    """The error that a run ends with: what was raised, and where. One that was raised on purpose is told as it is."""
    if isinstance(error, NewskeepError):
        return error
    if (refused := refusal(error)) is not None:
        return NewskeepError(refused)
    said = " ".join(str(error).split())[:300]
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    where = f", in {frames[-1].name} ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return NewskeepError(f"a fault in the program: {what}{where}")

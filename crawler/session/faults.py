"""Exceptions that nobody expected, in one line: a run must not end as if all had been well."""

from __future__ import annotations

import traceback

from storage.errors import NewskeepError


def fault_of(error: BaseException) -> NewskeepError:
    """The error that a run ends with: what was raised, and where. One that was raised on purpose is told as it is."""
    if isinstance(error, NewskeepError):
        return error
    said = " ".join(str(error).split())[:300]
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    where = f", in {frames[-1].name} ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return NewskeepError(f"a fault in the program: {what}{where}")

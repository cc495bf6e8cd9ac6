"""Which versions of us and of libraries are at work, as requests and WARCs say."""

from __future__ import annotations

from functools import cache


@cache
def version_of(distribution: str) -> str:
    """The version of an installed distribution; raises `PackageNotFoundError`."""
    # It brings email's parser with it: only for those who fetch. That reads all that a distribution says of itself, and
    # so some milliseconds for each time it is asked.
    from importlib.metadata import version

    return version(distribution)

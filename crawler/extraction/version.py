"""Which version of us made a text."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def our_version() -> str:
    """Our version; "0" in a checkout that is not installed."""
    try:
        return version("newskeep")
    except PackageNotFoundError:
        return "0"

"""Homes of users: ours, and those that paths name by `~`."""

from __future__ import annotations

from pathlib import Path

from storage.errors import UsageError


def home() -> Path:
    """Our user's. One whom the system does not know, as in many a container, has the root, as its runtimes have it."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def expanded(name: str | Path) -> Path:
    """A path with `~` and `~USER` as the shell reads them. Raises `UsageError` where nobody knows that home."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{name}: no home of that user is known; ./{name} is a file of that name") from error

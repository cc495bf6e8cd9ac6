"""Where an archive is, and what of it is local to this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from storage.homes import home
from storage.objects import ObjectStore, open_store
from storage.objects.local import LocalStore
from storage.objects.retention import ObjectLock
from storage.postgres_address import PostgresAddress


def shared_index(address: str | None) -> PostgresAddress | None:
    """The database of a shared index, as `storage.open_archive` takes it."""
    return PostgresAddress.parse(address) if address else None


def places(
    uri: str | os.PathLike[str], state: str | os.PathLike[str] | None, lock: ObjectLock | None = None
) -> tuple[ObjectStore, Path]:
    """The store of an archive and its folder on this machine, as `storage.open_archive` takes them."""
    store = open_store(os.fspath(uri), lock)
    if state is not None:
        return store, Path(state)
    if isinstance(store, LocalStore):
        return store, store.root
    # With a slash at its end it is the same place.
    address, question, settings = store.uri.partition("?")
    folder, given = _state_folder(address.rstrip("/") + question + settings), _state_folder(store.uri)
    # Made when it was taken for another.
    return store, given if given.exists() and not folder.exists() else folder


def _state_folder(uri: str) -> Path:
    name = "".join(char if char.isalnum() else "-" for char in uri.partition("://")[2])[:60]
    digest = hashlib.sha256(uri.encode(errors="surrogateescape")).hexdigest()[:8]
    return state_home() / "newskeep" / f"{name}-{digest}"


def state_home() -> Path:
    """The user's folder for state (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_STATE_HOME") or home() / ".local" / "state")

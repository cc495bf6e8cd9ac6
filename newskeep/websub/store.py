"""The subscriptions of an archive on this machine: a file of JSON each, which nobody else may read, for the secrets."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from newskeep.websub.subscription import Subscription
from storage.bounds import parse_json
from storage.errors import Corrupt
from storage.spool import sync_folder, writing

_ID = re.compile(r"[0-9a-f]{48}")
_FILE_MAX = 100_000
_TIMES = ("asked", "not_before", "until")


class SubscriptionStore:
    """Threads may share one, and processes the folder. What writes may raise `SpoolError`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._changing = threading.Lock()

    def make_folder(self) -> None:
        """Names of files are ids, which are nobody's either."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def all(self) -> list[Subscription]:
        found = (_read(path) for path in sorted(self.root.glob("*.json")))
        return [each for each in found if each is not None]

    def get(self, name: str) -> Subscription | None:
        return _read(self._path(name)) if _ID.fullmatch(name) else None

    def put(self, subscription: Subscription) -> None:
        path = self._path(subscription.id)
        temporary = path.with_suffix(".tmp")
        with writing(path):
            self.make_folder()
            # Made with its mode: there is no moment in which others could read it.
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(_fields(subscription), file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(self.root)

    def change(self, name: str, to: Callable[[Subscription], Subscription | None]) -> Subscription | None:
        """Put what `to` makes of a subscription as it is now; `None` leaves it, as does one that is gone."""
        with self._changing:
            known = self.get(name)
            changed = None if known is None else to(known)
            if changed is not None:
                self.put(changed)
            return changed

    def remove(self, name: str) -> None:
        with self._changing, writing(self.root):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / f"{name}.json"


def _fields(subscription: Subscription) -> dict[str, Any]:
    found = asdict(subscription)
    found["lease"] = int(subscription.lease.total_seconds())
    return found | {name: found[name] and found[name].isoformat() for name in _TIMES}


def _read(path: Path) -> Subscription | None:
    """The subscription in a file; `None` where it is not there, or is none of ours."""
    try:
        found = parse_json(path.read_bytes(), _FILE_MAX)
        found["lease"] = timedelta(seconds=found["lease"])
        for name in _TIMES:
            found[name] = found[name] and datetime.fromisoformat(found[name])
        known = {each.name for each in fields(Subscription)}
        return Subscription(**{name: value for name, value in found.items() if name in known})
    except (OSError, Corrupt, KeyError, TypeError, ValueError, AttributeError):
        return None

"""What the archive keeps of a file that was brought in: `imported/<SHA-256 of the file>.json`.

It is written last, when all parts are in the store: where it is, nothing of the file is left to do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from storage.bounds import read_json
from storage.errors import Corrupt, ObjectMissing
from storage.ingest.checking import Survey
from storage.objects import ObjectStore

FOLDER = "imported/"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file came from: its name, the address it was fetched from, what the WACZ around it says of itself."""

    name: str
    address: str | None = None
    collection: Mapping[str, Any] = field(default_factory=dict)


def read_note(store: ObjectStore, sha256: str) -> Mapping[str, Any] | None:
    """Return the note of a file; `None` where there is none, or none that can be read: it is then brought in anew."""
    try:
        with store.open(_key(sha256)) as stream:
            note = read_json(stream)
    except (ObjectMissing, Corrupt):
        return None
    return note if isinstance(note, dict) else None


def write_note(store: ObjectStore, origin: Origin, found: Survey, parts: Sequence[str], software: str) -> None:
    """Note that a file is in the archive, in these parts."""
    note = {
        "name": origin.name,
        "address": origin.address,
        "collection": dict(origin.collection) or None,
        "size": found.size,
        "sha256": found.sha256,
        "format": found.form,
        "compression": found.coding,
        "unchanged": found.as_it_is,
        "writer": found.writer,
        "records": dict(sorted(found.records.items())),
        "captures": found.captures,
        "first": _iso(found.first),
        "last": _iso(found.last),
        "faults": found.faults,
        "fault_count": found.fault_count,
        "remarks": found.remarks,
        "parts": list(parts),
        "imported": _iso(datetime.now(UTC)),
        "software": software,
    }
    store.replace(_key(found.sha256), json.dumps(note, indent=1).encode("ascii") + b"\n")


def _key(sha256: str) -> str:
    return f"{FOLDER}{sha256}.json"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None

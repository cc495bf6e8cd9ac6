"""One capture held against what is known of it, now: its bytes, their digests, its line in the index."""

from __future__ import annotations

from typing import Any

from storage.archive import Archive
from storage.digests import is_of
from storage.errors import Corrupt, NotArchived, ObjectMissing
from storage.http import HttpMessage
from storage.model import Capture
from storage.warc import Record


def checks(archive: Archive, capture: Capture) -> list[dict[str, Any]]:
    """Return what was checked, each with `check`, `sound` and, where it is not sound, `problem`. Nothing is changed."""
    try:
        record = archive.reader.record(capture)
    except (Corrupt, ObjectMissing) as error:
        return [_said("record", str(error))]
    found = [
        _said("record", None),
        _said("block digest", None if record.field("WARC-Block-Digest") else "the record has none"),
        _said("url", None if record.url == capture.url else f"the record is of {record.url}"),
        _said("time", _time(record, capture)),
    ]
    if capture.is_revisit:
        return [*found, _said("original", _original(archive, capture))]
    payload = HttpMessage.parse(record.block).payload
    known = {"index": capture.digest, "record": record.field("WARC-Payload-Digest")}
    wrong = [f"{name}: {held}" for name, held in known.items() if held is not None and not is_of(held, payload)]
    return [*found, _said("payload digest", f"the body is another than {', '.join(wrong)}" if wrong else None)]


def _time(record: Record, capture: Capture) -> str | None:
    same = record.date.replace(microsecond=0) == capture.timestamp.replace(microsecond=0)
    return None if same else f"the record is of {record.date}"


def _original(archive: Archive, capture: Capture) -> str | None:
    try:
        memento = archive.read(capture)
    except (Corrupt, NotArchived, ObjectMissing) as error:
        return str(error)
    body = HttpMessage.parse(archive.reader.record(memento.original).block).payload
    same = capture.digest is None or is_of(capture.digest, body)
    return None if same else f"the body held is another than the revisit says: {capture.digest}"


def _said(check: str, problem: str | None) -> dict[str, Any]:
    return {"check": check, "sound": problem is None, "problem": problem}

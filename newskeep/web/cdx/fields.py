"""The fields of a CDX line, by pywb's names and by those of the Internet Archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from storage.cdxj import NOARCHIVE_FLAG
from storage.errors import UsageError
from storage.model import Capture
from storage.urls import surt, timestamp14


@dataclass(frozen=True, slots=True)
class CdxLine:
    """A capture, and for a revisit whose original is known, that."""

    capture: Capture
    original: Capture | None = None

    @property
    def shown(self) -> Capture:
        """The capture that type and status are told of."""
        return self.original or self.capture


#: Name -> value; `None` where there is none.
FIELDS: dict[str, Callable[[CdxLine], str | None]] = {
    "urlkey": lambda line: surt(line.capture.url),
    "timestamp": lambda line: timestamp14(line.capture.timestamp),
    "url": lambda line: line.capture.url,
    "mime": lambda line: line.shown.mime,
    "status": lambda line: None if line.shown.status is None else str(line.shown.status),
    "digest": lambda line: line.capture.digest,
    "length": lambda line: str(line.capture.length),
    "offset": lambda line: str(line.capture.offset),
    "filename": lambda line: line.capture.filename,
    "robotflags": lambda line: NOARCHIVE_FLAG if line.capture.noarchive else None,
    "orig.length": lambda line: str(line.original.length) if line.original else None,
    "orig.offset": lambda line: str(line.original.offset) if line.original else None,
    "orig.filename": lambda line: line.original.filename if line.original else None,
}
ORIGINAL = ("orig.length", "orig.offset", "orig.filename")
#: What the Internet Archive sends where nothing else is asked, by its names.
PUBLIC = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_ALIASES = {
    "original": "url",
    "mimetype": "mime",
    "statuscode": "status",
    "u": "url",
    "m": "mime",
    "s": "status",
    "d": "digest",
    "t": "timestamp",
    "k": "urlkey",
    "o": "offset",
    "f": "filename",
    "l": "length",
}


def field_name(name: str) -> str:
    """Return our name of a field. Raises `UsageError`."""
    known = _ALIASES.get(name, name)
    if known not in FIELDS:
        raise UsageError(f"{name[:50]} is not a field; there are {', '.join(FIELDS)}")
    return known


def value(line: CdxLine, name: str) -> str | None:
    return FIELDS[_ALIASES.get(name, name)](line)

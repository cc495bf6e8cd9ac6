"""WARC records of our own making, for files that leave the archive."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from isal import igzip

from storage.digests import digest

_GZIP_LEVEL = 2


def warcinfo(version: str, filename: str, info: dict[str, str]) -> bytes:
    """The first record of a file, as a gzip member."""
    block = "".join(f"{name}: {value}\r\n" for name, value in info.items()).encode()
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", new_id()),
        ("WARC-Date", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"),
        ("WARC-Filename", filename),
        ("WARC-Block-Digest", digest(block)),
        ("Content-Type", "application/warc-fields"),
    ]
    return member(version, fields, block)


def member(version: str, fields: list[tuple[str, str]], block: bytes) -> bytes:
    """A record as a gzip member; `version` is "1.0" or "1.1"."""
    lines = [*fields, ("Content-Length", str(len(block)))]
    head = "".join(f"{name}: {value}\r\n" for name, value in lines)
    record = b"".join((f"WARC/{version}\r\n{head}\r\n".encode(), block, b"\r\n\r\n"))
    made: bytes = igzip.compress(record, _GZIP_LEVEL, mtime=0)
    return made


def new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"

"""ARC records as WARC records: what the server sent stays as it was, its one line of description becomes fields."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from storage.digests import sha1
from storage.errors import Corrupt
from storage.http import STATUS_LINE
from storage.ingest.framing import RawRecord

#: The namespace of the ids, which an ARC lacks: the same record gives the same bytes.
_NAMESPACE = uuid.UUID("5b3ad4de-2b0c-5f52-a1a4-4d7f1f1d1f0a")


def to_warc(raw: RawRecord, source: str) -> bytes:
    """The WARC record of an ARC's, byte for byte the same whenever it is made; `source` names the file by its digest.

    The first record of an ARC, which tells of the file, becomes a `warcinfo`. Raises `Corrupt`.
    """
    url, address, stamp, kind = raw.data[: raw.head].decode("utf-8", "surrogateescape").split()[:4]
    is_http = STATUS_LINE.match(raw.block) is not None
    fields = [
        ("WARC-Type", "warcinfo" if url.startswith("filedesc:") else "response" if is_http else "resource"),
        ("WARC-Record-ID", f"<urn:uuid:{uuid.uuid5(_NAMESPACE, f'{source} {raw.position}')}>"),
        ("WARC-Date", _date(stamp)),
    ]
    if url.startswith("filedesc:"):
        fields += [("WARC-Filename", url.removeprefix("filedesc:").lstrip("/"))]
        kind = "text/plain"
    else:
        fields += [("WARC-Target-URI", url)]
        fields += [("WARC-IP-Address", address)] if address not in ("0.0.0.0", "-") else []
    fields += [
        # As it always was: two archives that hold the same file have the same bytes under its name.
        ("WARC-Block-Digest", sha1(raw.block)),
        ("Content-Type", "application/http;msgtype=response" if is_http else kind),
        ("Content-Length", str(raw.length)),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("utf-8", "surrogateescape")
    return b"".join((b"WARC/1.1\r\n", head, b"\r\n", raw.block, b"\r\n\r\n"))


def _date(stamp: str) -> str:
    """The WARC-Date of 8 to 14 digits."""
    try:
        moment = datetime.strptime(stamp.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise Corrupt(f"no date: {stamp}") from error
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

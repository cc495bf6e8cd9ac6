"""CDXJ, the sorted index beside each WARC: one capture a line, with pywb's field names.

    com,example)/a 20261121220112 {"url": "https://example.com/a", "mime": "text/html", "status": "200",
    "digest": "sha1:…", "length": "4321", "offset": "987", "filename": "….warc.gz"}

on one line. Numbers are strings, a missing field is left out; `microseconds` (of the time), `framed_digest`, `wall`,
`insecure` and `rights` are extra fields of ours. `robotflags` is that of CDX files: "A" for a page that says
`noarchive`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

from storage.bounds import CDXJ_CAPTURES_MAX, CDXJ_LINE_MAX, read_lines
from storage.errors import Corrupt
from storage.json_fields import as_text
from storage.model import Capture
from storage.rights.signal import from_json, to_json
from storage.urls import surt, timestamp14

#: What `robotflags` holds of a page that says `noarchive`; others write "I" for noindex and "F" for nofollow beside it.
NOARCHIVE_FLAG = "A"


def line(capture: Capture) -> bytes:
    """Return a capture's CDXJ line, newline included; ASCII."""
    fields = {
        "url": capture.url,
        "mime": capture.mime,
        "status": None if capture.status is None else str(capture.status),
        "digest": capture.digest,
        "length": str(capture.length),
        "offset": str(capture.offset),
        "filename": capture.filename,
        "microseconds": str(capture.timestamp.microsecond) if capture.timestamp.microsecond else None,
        "framed_digest": capture.framed_digest,
        "wall": capture.wall,
        "insecure": capture.insecure,
        "robotflags": NOARCHIVE_FLAG if capture.noarchive else None,
        "rights": to_json(capture.rights) or None,
    }
    held = json.dumps({name: value for name, value in fields.items() if value is not None})
    return f"{surt(capture.url)} {timestamp14(capture.timestamp)} {held}\n".encode("ascii")


def lines(captures: Iterable[Capture]) -> Iterator[bytes]:
    """Yield the lines of captures in the order of their bytes, as pywb's binary search needs them.

    Holds all of them in memory: about 400 bytes each.
    """
    yield from sorted(line(capture) for capture in captures)


def parse(text: bytes, name: str = "CDXJ", number: int | None = None) -> Capture:
    """Return the capture of a CDXJ line of ours, pywb's or cdxj-indexer's; the time of theirs has whole seconds.

    The key is not kept: it follows from the URL. Raises `Corrupt` naming the file `name` and the line `number`.
    """
    try:
        _, digits, held = text.decode("utf-8").split(" ", 2)
        fields = json.loads(held)
        status, mime = fields.get("status"), fields.get("mime")
        return Capture(
            url=as_text(fields["url"]),
            timestamp=_time(digits).replace(microsecond=_number(fields.get("microseconds", 0))),
            # cdxj-indexer writes "" or "-" where it found nothing.
            status=None if status in (None, "", "-") else _number(status),
            mime=None if mime in (None, "", "-") else as_text(mime),
            digest=_optional(fields.get("digest")),
            filename=as_text(fields["filename"]),
            offset=_number(fields["offset"]),
            length=_number(fields["length"]),
            framed_digest=_optional(fields.get("framed_digest")),
            wall=_optional(fields.get("wall")),
            insecure=_optional(fields.get("insecure")),
            noarchive=NOARCHIVE_FLAG in (_optional(fields.get("robotflags")) or ""),
            rights=from_json(fields.get("rights")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        where = name if number is None else f"{name}, line {number}"
        why = f"no field {error}" if isinstance(error, KeyError) else str(error)
        raise Corrupt(f"{where}: not a CDXJ line ({why})") from error


def read(source: Iterable[bytes], name: str) -> Iterator[Capture]:
    """Yield the captures of a CDXJ file, given by its lines; blank lines and "!" header lines are passed over.

    Raises `Corrupt` naming file and line.
    """
    for number, text in enumerate(source, start=1):
        if text.strip() and not text.startswith((b"!", b" ")):
            yield parse(text, name, number)


def read_file(stream: BinaryIO, name: str, *, ordered: bool = False) -> Iterator[Capture]:
    """Yield the captures of a CDXJ file as `read` does, within bounds; `ordered`: its lines must be."""
    try:
        lines = read_lines(stream, CDXJ_LINE_MAX)
        for number, capture in enumerate(read(_in_order(lines) if ordered else lines, name), start=1):
            if number > CDXJ_CAPTURES_MAX:
                raise Corrupt(f"{name}: more than {CDXJ_CAPTURES_MAX:,} captures")
            yield capture
    except Corrupt as error:
        raise error if str(error).startswith(name) else Corrupt(f"{name}: {error}") from error


def _in_order(lines: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for text in lines:
        if text < before:
            raise Corrupt("not sorted")
        before = text
        yield text


def in_seconds(capture: Capture) -> Capture:
    """The capture with its time cut to whole seconds: not everything that tells of a capture knows more."""
    return replace(capture, timestamp=capture.timestamp.replace(microsecond=0))


def _optional(value: object) -> str | None:
    return None if value in (None, "", "-") else as_text(value)


def _number(value: object) -> int:
    # pywb writes strings; other tools write numbers. Not int(): it takes "1_000", " 7" and True.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if type(value) is int and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a number")


def _time(digits: str) -> datetime:
    if len(digits) != 14 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{digits!r} is not a timestamp of 14 digits")
    cut = [int(digits[start : start + 2]) for start in range(4, 14, 2)]
    month, day, hour, minute, second = cut
    return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)

"""What the publisher said of the use of a page, read from the records that its proof has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from storage.http import ContentError, HttpMessage
from storage.rights.page import signals
from storage.rights.robots_txt import ROBOTS_MAX_BYTES, RobotsTerms
from storage.rights.signal import Signal, kept
from storage.rights.tdmrep import TDMREP_MAX_BYTES, TdmTerms
from storage.warc import NOT_MODIFIED_PROFILE, Record

#: The version of the reading: of the same bytes a later one may find more.
READING = 1
#: How far from a capture a file of its site may be that counts as the one that was in force.
SITE_FILE_AGE = timedelta(days=1)
#: Bytes that a file of a site may have unpacked, to be read.
_UNPACKED_MOST = 8 * max(ROBOTS_MAX_BYTES, TDMREP_MAX_BYTES)
Records = Mapping[str, Sequence[Record]]


def rights_of(url: str, records: Records) -> tuple[Signal, ...]:
    """Return the signals of an answer and of its site's files, each with its source; `records` are by their role.

    What is read is in the records: the signals that an archive noted in its own fields do not count.
    """
    return kept(
        (
            *_page(records),
            *RobotsTerms.read(_file(records, "robots")).of(url),
            *TdmTerms.read(_file(records, "tdmrep")).of(url),
        )
    )


def _page(records: Records) -> Iterator[Signal]:
    answer, original = _first(records, "response"), _first(records, "original")
    if answer is None:
        return
    if original is None or answer.field("WARC-Profile") == NOT_MODIFIED_PROFILE:
        # A 304 has fields of its own, and confirms those of the answer that it refers to.
        for record in (answer, original):
            yield from signals(record.response) if record is not None else ()
    else:
        body = HttpMessage.parse(original.response).body
        yield from signals(answer.block + body if answer.block else original.response)


def _file(records: Records, role: str) -> bytes:
    """The content of a file of the site; nothing of an answer that is no success, or cannot be read."""
    record = _first(records, f"{role}-original") or _first(records, role)
    message = HttpMessage.parse(record.response if record is not None else b"")
    try:
        return message.content(_UNPACKED_MOST) if 200 <= (message.status or 0) < 300 else b""
    except ContentError:
        return b""


def _first(records: Records, role: str) -> Record | None:
    return next(iter(records.get(role, ())), None)

"""The proof of a capture: its records with what shows that a log has them, in one file that needs no archive."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urljoin

from storage.archive import Archive
from storage.certificates import MEDIA_TYPE
from storage.errors import Corrupt, InvalidURL, NotArchived, ObjectMissing
from storage.model import Capture
from storage.rights.signal import Signal, to_json
from storage.rights.tdmrep import PATH as TDMREP
from storage.transparency.inclusion import find, heads_over
from storage.transparency.leaves import members
from storage.transparency.proof_rights import READING, SITE_FILE_AGE, rights_of
from storage.warc import CERTIFICATE, Record, key_of, read_record

#: The version of the file.
VERSION = 1


@dataclass(frozen=True, slots=True)
class _Part:
    """A record of a proof: what it is there, and its gzip member."""

    role: str
    member: bytes

    @property
    def digest(self) -> str:
        return sha256(self.member).hexdigest()


def prove(archive: Archive, capture: Capture) -> bytes:
    """Return the proof of a capture as JSON: response and request, what a revisit refers to, certificates, site files.

    Reads the leaves of all logs. Raises `NotArchived` where no log has the capture, and what reading it raises.
    """
    exchange = archive.reader.exchange(capture)
    first = exchange[0][0]
    parts = list(_parts(archive, archive.reader.moved(capture) or capture, exchange))
    wanted = {part.digest for part in parts}
    logs = find(archive.store, wanted)
    records = []
    for part in parts:
        log = next((each for each in logs if part.digest in each.found), None)
        if log is not None:
            records.append((part, log))
        elif part.role in ("response", "request", "original"):
            raise NotArchived(
                f"{capture.url}: no log of {archive.uri} has this capture; newskeep log init begins one, and "
                "newskeep log update takes up what was not logged"
            )
    told = heads_over(archive.store, ((part.digest, log) for part, log in records))
    proof = {
        "newskeep_proof": VERSION,
        "url": first.url,
        "captured": first.date.isoformat(timespec="microseconds"),
        "rights": {"reading": READING, "signals": to_json(_rights(first.url, (part for part, _ in records)))},
        "records": [
            {
                "role": part.role,
                **log.fields(part.digest, told[log.id]["size"]),
                "member": base64.b64encode(part.member).decode(),
            }
            for part, log in records
        ],
        "logs": list(told.values()),
    }
    return json.dumps(proof, ensure_ascii=False, indent=1).encode() + b"\n"


def _parts(archive: Archive, capture: Capture, exchange: list[tuple[Record, bytes]]) -> Iterator[_Part]:
    first = exchange[0][0]
    roles = {"response": "response", "revisit": "response", "resource": "response", "request": "request"}
    for record, member in exchange:
        is_chain = record.field("Content-Type") == MEDIA_TYPE
        yield _Part("certificates" if is_chain else roles.get(record.type, "metadata"), member)
    if not any(record.type == "request" for record, _ in exchange):
        yield from _earlier(archive, capture, "request", lambda record: _asks_for(record, first))
    if first.type == "revisit":
        original = archive.reader.referred(first)
        yield _Part("original", archive.reader.exchange(original)[0][1])
    chain = first.field(CERTIFICATE)
    if chain and not any(record.field("Content-Type") == MEDIA_TYPE for record, _ in exchange):
        yield from _earlier(archive, capture, "certificates", lambda record: _is_chain(record, chain))
    yield from _site_file(archive, capture, "robots", "/robots.txt")
    # A crawl asks for it behind the pages of a host.
    yield from _site_file(archive, capture, "tdmrep", TDMREP, behind=SITE_FILE_AGE)


def _asks_for(record: Record, response: Record) -> bool:
    """Whether a record is the request of an answer; wget and others write it before."""
    beside = (record.field("WARC-Concurrent-To"), response.field("WARC-Concurrent-To"))
    names = (response.field("WARC-Record-ID"), record.field("WARC-Record-ID"))
    return record.type == "request" and any(name == other for name, other in zip(names, beside, strict=True))


def _is_chain(record: Record, chain: str) -> bool:
    return record.field("Content-Type") == MEDIA_TYPE and record.field(CERTIFICATE) == chain


def _earlier(archive: Archive, capture: Capture, role: str, is_meant: Callable[[Record], bool]) -> Iterator[_Part]:
    """The first record before a capture in its file that is meant."""
    with suppress(Corrupt, ObjectMissing), archive.store.open(key_of(capture.filename)) as stream:
        for record, member in members(stream):
            if record.offset > capture.offset:
                return
            if is_meant(record):
                yield _Part(role, member)
                return


def _site_file(
    archive: Archive, capture: Capture, role: str, path: str, behind: timedelta = timedelta(0)
) -> Iterator[_Part]:
    """The file of a site that was in force: the newest from the day before, else the first up to `behind` later."""
    url = urljoin(capture.url, path)
    if capture.url == url:
        return
    with suppress(InvalidURL, NotArchived, ObjectMissing, Corrupt):
        moment = capture.timestamp
        held = [*archive.captures(url, since=moment - SITE_FILE_AGE, until=moment + behind)]
        before = [each for each in held if each.timestamp <= moment]
        found = max(before, key=_moment, default=None) or min(held, key=_moment, default=None)
        if found is not None:
            record, member = archive.reader.exchange(found)[0]
            yield _Part(role, member)
            if record.type == "revisit":
                yield _Part(f"{role}-original", archive.reader.exchange(archive.reader.referred(record))[0][1])


def _moment(capture: Capture) -> datetime:
    return capture.timestamp


def _rights(url: str, parts: Iterable[_Part]) -> tuple[Signal, ...]:
    records: dict[str, list[Record]] = {}
    for part in parts:
        records.setdefault(part.role, []).append(read_record(part.member))
    return rights_of(url, records)

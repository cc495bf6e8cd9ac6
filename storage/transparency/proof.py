"""The proof of a capture: its records with what shows that a log has them, in one file that needs no archive."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urljoin

from storage.archive import Archive
from storage.certificates import MEDIA_TYPE
from storage.errors import Corrupt, InvalidURL, NotArchived, ObjectMissing
from storage.model import Capture
from storage.objects import ObjectStore
from storage.rights.signal import Signal, to_json
from storage.rights.tdmrep import PATH as TDMREP
from storage.transparency.leaves import RecordLeaf, members, parse
from storage.transparency.merkle import inclusion_path, leaf_hash
from storage.transparency.objects import heads, logs, read_head, read_info, read_stamp, stamps
from storage.transparency.proof_rights import READING, rights_of
from storage.transparency.reading import batches
from storage.warc import CERTIFICATE, Record, key_of, read_record

#: The version of the file.
VERSION = 1
#: How far from a capture a file of its site may be that counts as the one that was in force.
SITE_FILE_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Part:
    """A record of a proof: what it is there, and its gzip member."""

    role: str
    member: bytes

    @property
    def digest(self) -> str:
        return sha256(self.member).hexdigest()


@dataclass(slots=True)
class _Log:
    """A log as far as a proof needs it: hashes of its leaves, and where the wanted members are."""

    id: str
    hashes: list[bytes] = field(default_factory=list)
    found: dict[str, tuple[int, bytes]] = field(default_factory=dict)


def prove(archive: Archive, capture: Capture) -> bytes:
    """Return the proof of a capture as JSON: response and request, what a revisit refers to, certificates, site files.

    Reads the leaves of all logs. Raises `NotArchived` where no log has the capture, and what reading it raises.
    """
    exchange = archive.reader.exchange(capture)
    first = exchange[0][0]
    parts = list(_parts(archive, archive.reader.moved(capture) or capture, exchange))
    wanted = {part.digest for part in parts}
    read = [_read(archive.store, log, wanted) for log in logs(archive.store)]
    records, used = [], {}
    for part in parts:
        log = next((each for each in read if part.digest in each.found), None)
        if log is None:
            if part.role in ("response", "request", "original"):
                raise NotArchived(
                    f"{capture.url}: no log of {archive.uri} has this capture; newskeep log init begins one, and "
                    "newskeep log update takes up what was not logged"
                )
            continue
        used[log.id] = log
        records.append((part, log))
    tops = {log.id: max(log.found[part.digest][0] for part, each in records if each is log) for log in used.values()}
    told = {log: _told(archive.store, log, top) for log, top in tops.items()}
    proof = {
        "newskeep_proof": VERSION,
        "url": first.url,
        "captured": first.date.isoformat(timespec="microseconds"),
        "rights": {"reading": READING, "signals": to_json(_rights(first.url, (part for part, _ in records)))},
        "records": [_record(part, log, told[log.id]["size"]) for part, log in records],
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


def _read(store: ObjectStore, log: str, wanted: Collection[str]) -> _Log:
    found = _Log(log)
    for first, lines in batches(store, log, lambda problem: None):
        if first != len(found.hashes):
            break  # what stands behind a gap cannot be proven
        for line in lines:
            leaf = parse(line)
            if isinstance(leaf, RecordLeaf) and leaf.member in wanted:
                found.found.setdefault(leaf.member, (len(found.hashes), line))
            found.hashes.append(leaf_hash(line))
    return found


def _told(store: ObjectStore, log: str, top: int) -> dict[str, object]:
    """A log as a proof tells of it: with the first head over a leaf that was stamped, else the first at all."""
    info, stamped = read_info(store, log), stamps(store, log)
    sizes = [size for size in heads(store, log) if size > top]
    size = next((each for each in sizes if each in stamped), next(iter(sizes), None))
    note = read_head(store, log, size) if size is not None else None
    if size is None or note is None:
        raise NotArchived(f"the log {log} has no signed head over this capture; newskeep verify")
    answers = [base64.b64encode(read_stamp(store, key)).decode() for key in stamped.get(size, ())]
    return {
        "log": log,
        "name": info.name,
        "key": base64.b64encode(info.key.raw).decode(),
        "size": size,
        "head": note.decode(),
        "stamps": answers,
    }


def _record(part: _Part, log: _Log, size: object) -> dict[str, object]:
    index, line = log.found[part.digest]
    assert isinstance(size, int)
    return {
        "role": part.role,
        "log": log.id,
        "index": index,
        "leaf": line.decode(),
        "path": [hashed.hex() for hashed in inclusion_path(log.hashes[:size], index)],
        "member": base64.b64encode(part.member).decode(),
    }

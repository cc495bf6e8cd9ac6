"""The proof of a capture: its records with what shows that a log has them, in one file that needs no archive."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urljoin

from storage.archive import Archive
from storage.certificates import MEDIA_TYPE
from storage.errors import Corrupt, InvalidURL, NotArchived, ObjectMissing
from storage.model import Capture
from storage.objects import ObjectStore
from storage.transparency.leaves import RecordLeaf, members, parse
from storage.transparency.merkle import inclusion_path, leaf_hash
from storage.transparency.objects import heads, logs, read_head, read_info, read_stamp, stamps
from storage.transparency.reading import batches
from storage.warc import CERTIFICATE, Record, key_of

#: The version of the file.
VERSION = 1
#: How old the answer may be that counts as the robots.txt of a capture.
_ROBOTS_AGE = timedelta(days=1)


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
    """Return the proof of a capture as JSON: response and request, what a revisit refers to, certificates, robots.txt.

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
    yield from _robots(archive, capture)


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


def _robots(archive: Archive, capture: Capture) -> Iterator[_Part]:
    """The robots.txt that was in force, as the archive has it from the day before."""
    url = urljoin(capture.url, "/robots.txt")
    if capture.url == url:
        return
    with suppress(InvalidURL, NotArchived, ObjectMissing, Corrupt):
        held = archive.captures(url, since=capture.timestamp - _ROBOTS_AGE, until=capture.timestamp)
        newest = max(held, key=lambda each: each.timestamp, default=None)
        if newest is not None:
            record, member = archive.reader.exchange(newest)[0]
            yield _Part("robots", member)
            if record.type == "revisit":
                yield _Part("robots-original", archive.reader.exchange(archive.reader.referred(record))[0][1])


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

"""What lies of logs in a store, and how it is read.

    logs/<id>/key.json                     the public key, the name of the log, when it was begun
    logs/<id>/leaves/<first>.txt.gz        the leaves of one append, a line each; the number of the first of them
    logs/<id>/heads/<size>.txt             the signed head behind an append
    logs/<id>/stamps/<size>-<authority>.tsr   an answer of a time authority about that head
    logs/<id>/witnesses/<size>-<witness>.json   a countersignature of that head, by the log of another archive

Numbers have twelve digits. No object is ever changed.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from gzip import GzipFile
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO, cast

from isal import igzip

from storage.bounds import parse_json, read_whole
from storage.errors import Corrupt, ObjectMissing
from storage.objects import ObjectStore
from storage.transparency.checkpoint import CHECKPOINT_MAX, opened
from storage.transparency.countersignature import Countersigned
from storage.transparency.keys import PublicKey

FOLDER = "logs/"
KEY = re.compile(
    r"logs/(?P<log>[0-9a-f]{16})/(?:key\.json|leaves/(?P<first>\d{12})\.txt\.gz|heads/(?P<head>\d{12})\.txt|"
    r"stamps/(?P<stamped>\d{12})-[0-9a-f]{8}\.tsr|witnesses/(?P<witnessed>\d{12})-[0-9a-f]{16}\.json)"
)
#: Bytes of the leaves of one append, packed and unpacked: of a WARC with a million records.
LEAVES_MAX = 1 << 28
#: Bytes of a time authority's answer; it brings certificates along.
STAMP_MAX = 1 << 20
_GZIP_LEVEL = 2


@dataclass(frozen=True, slots=True)
class LogInfo:
    """What a log says of itself."""

    key: PublicKey
    name: str
    begun: datetime

    @property
    def id(self) -> str:
        return self.key.log

    @property
    def object_key(self) -> str:
        return f"{FOLDER}{self.id}/key.json"

    def to_json(self) -> bytes:
        key = base64.b64encode(self.key.raw).decode()
        fields = {"log": self.id, "key": key, "name": self.name, "begun": self.begun.isoformat(timespec="seconds")}
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def leaves_key(log: str, first: int) -> str:
    return f"{FOLDER}{log}/leaves/{first:012d}.txt.gz"


def head_key(log: str, size: int) -> str:
    return f"{FOLDER}{log}/heads/{size:012d}.txt"


def stamp_key(log: str, size: int, authority: str) -> str:
    """`authority` is its address."""
    return f"{FOLDER}{log}/stamps/{size:012d}-{sha256(authority.encode()).hexdigest()[:8]}.tsr"


def witness_key(log: str, size: int, witness: str) -> str:
    """`witness` is the id of its own log."""
    return f"{FOLDER}{log}/witnesses/{size:012d}-{witness}.json"


def logs(store: ObjectStore) -> list[str]:
    """The ids of the logs of an archive."""
    return sorted({found["log"] for info in store.list(FOLDER) if (found := KEY.fullmatch(info.key))})


def read_info(store: ObjectStore, log: str) -> LogInfo:
    """Raises `Corrupt` where the key is not the one that the log's id is of, `ObjectMissing`."""
    key = f"{FOLDER}{log}/key.json"
    try:
        fields = parse_json(_read(store, key))
        begun = datetime.fromisoformat(fields["begun"])
        made = LogInfo(PublicKey(base64.b64decode(fields["key"], validate=True)), str(fields["name"]), begun)
        if begun.tzinfo is None:
            raise ValueError("no zone")
    except (ValueError, KeyError, TypeError, Corrupt) as error:
        raise Corrupt(f"{key}: not the key of a log ({error})") from error
    if made.id != log:
        raise Corrupt(f"{key}: another key than the log's")
    return made


def pack(lines: list[bytes]) -> bytes:
    packed: bytes = igzip.compress(b"".join(line + b"\n" for line in lines), _GZIP_LEVEL, mtime=0)
    return packed


def read_leaves(store: ObjectStore, log: str, first: int) -> list[bytes]:
    """The lines of one append. Raises `ObjectMissing`, `Corrupt`."""
    key = leaves_key(log, first)
    packed = BytesIO(_read(store, key, LEAVES_MAX))
    try:
        unpacked = read_whole(cast(BinaryIO, GzipFile(fileobj=packed)), LEAVES_MAX)
    except (zlib.error, OSError, EOFError, Corrupt) as error:
        raise Corrupt(f"{key}: damaged ({error})") from error
    *lines, rest = unpacked.split(b"\n")
    if rest or not lines:
        raise Corrupt(f"{key}: damaged (its last line has no end)")
    return lines


def appends(store: ObjectStore, log: str) -> Iterator[int]:
    """Yield the numbers of first leaves, as the keys have them, in order."""
    for info in store.list(f"{FOLDER}{log}/leaves/"):
        if (found := KEY.fullmatch(info.key)) and found["first"]:
            yield int(found["first"])


def heads(store: ObjectStore, log: str) -> list[int]:
    """The sizes of which there are heads, in order."""
    found = (KEY.fullmatch(info.key) for info in store.list(f"{FOLDER}{log}/heads/"))
    return [int(each["head"]) for each in found if each and each["head"]]


def read_head(store: ObjectStore, log: str, size: int) -> bytes | None:
    """A signed head; `None` where there is none."""
    try:
        return _read(store, head_key(log, size), CHECKPOINT_MAX)
    except ObjectMissing:
        return None


def stamps(store: ObjectStore, log: str) -> dict[int, list[str]]:
    """The keys of the stamps of each head, by its size."""
    found: dict[int, list[str]] = {}
    for info in store.list(f"{FOLDER}{log}/stamps/"):
        if (match := KEY.fullmatch(info.key)) and match["stamped"]:
            found.setdefault(int(match["stamped"]), []).append(info.key)
    return found


def read_stamp(store: ObjectStore, key: str) -> bytes:
    return _read(store, key, STAMP_MAX)


def add_witness(store: ObjectStore, log: str, found: Countersigned) -> None:
    """Keep a countersignature of a head of a log. Raises `Corrupt` where that head is none of the log's."""
    note = read_head(store, log, found.head.size) if found.head.log == log else None
    if note is None:
        raise Corrupt(f"it is of {found.head.size:,} leaves of the log {found.head.log}, of which no head is here")
    if opened(note, found.log_key).root != found.head.root:
        raise Corrupt("the log that the witness saw is not this one: they differ; newskeep verify --proof")
    key = witness_key(log, found.head.size, found.witness.log)
    if store.stat(key) is None:
        store.put(key, found.to_bytes())


def witnesses(store: ObjectStore, log: str) -> Iterator[Countersigned]:
    """Yield the countersignatures of a log's heads in the order of their sizes. Raises `Corrupt`."""
    for info in store.list(f"{FOLDER}{log}/witnesses/"):
        if (match := KEY.fullmatch(info.key)) and match["witnessed"]:
            found = Countersigned.read(_read(store, info.key))
            if info.key != witness_key(found.head.log, found.head.size, found.witness.log):
                raise Corrupt(f"{info.key}: a countersignature of something else")
            yield found


def _read(store: ObjectStore, key: str, most: int = STAMP_MAX) -> bytes:
    with store.open(key) as stream:
        return read_whole(stream, most)

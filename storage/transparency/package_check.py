"""The proof in a WACZ checked against the WARC in it, with no archive at hand and no network."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from cryptography import x509

from storage.bounds import parse_json, read_lines
from storage.counts import counted
from storage.errors import Corrupt, UsageError
from storage.ingest.names import WARC_SUFFIXES
from storage.transparency.checked_log import CheckedLog, read_leaf, read_log
from storage.transparency.leaves import RecordLeaf, members
from storage.transparency.package_proof import ENTRY, VERSION
from storage.warc import Record

_MAGIC = b"PK\x03\x04"
#: Bytes of a line: the first has the stamps of all logs. Problems that are told one by one.
_LINE_MAX, _TOLD_MOST = 64 << 20, 20


@dataclass(slots=True)
class CheckedPackage:
    """What the proof in a package says, and what is wrong with it: nothing is proven where `problems` is not empty."""

    warc: str = ""
    logs: list[CheckedLog] = field(default_factory=list)
    #: Records that are in the tree of a log, and bytes of their members.
    records: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)
    #: Problems that are not told one by one.
    untold: int = 0

    def tell(self, problem: str) -> None:
        if len(self.problems) < _TOLD_MOST:
            self.problems.append(problem)
        else:
            self.untold += 1


def is_package(path: Path) -> bool:
    """Whether a file begins as a WACZ does. Raises `OSError`."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def check_package(path: Path, roots: Sequence[x509.Certificate] = ()) -> CheckedPackage:
    """Check the proof in a WACZ; `roots` are certificates of time authorities to believe in.

    Every record of its WARCs must be the one that a log has, but for those that say how a file was made (warcinfo).
    Raises `UsageError` for what is no such package.
    """
    done = CheckedPackage()
    try:
        with zipfile.ZipFile(path) as package:
            if ENTRY not in package.namelist():
                raise UsageError("there is no proof in it: the archive that it was exported from had no log of it")
            with package.open(ENTRY) as lines:
                leaves = _leaves(done, lines, roots)
            with package.open(done.warc) as stream:
                _warc(done, stream, leaves)
            others = [each for each in package.namelist() if each.lower().endswith(WARC_SUFFIXES)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"not a readable WACZ ({error})") from error
    except (Corrupt, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"not a package with a proof as newskeep writes it ({error})") from error
    for name in others:
        if name != done.warc:
            done.tell(f"{name}: the proof is not about this file")
    if done.untold:
        done.problems.append(f"{counted(done.untold, 'more problem')}")
    return done


def _leaves(done: CheckedPackage, stream: IO[bytes], roots: Sequence[x509.Certificate]) -> dict[int, RecordLeaf]:
    """The leaves of the records by their offset in the WARC, each in the tree of its log."""
    lines = _objects(stream)
    head = next(lines, {})
    if head["newskeep_package_proof"] != VERSION:
        raise UsageError(f"a proof of version {head['newskeep_package_proof']}, which a later newskeep reads")
    done.warc = str(head["warc"])
    found = (read_log(told, roots, done.tell) for told in head["logs"])
    done.logs = [log for log in found if log is not None]
    leaves: dict[int, RecordLeaf] = {}
    for fields in lines:
        try:
            leaves[int(fields["offset"])] = read_leaf(fields, done.logs)
        except Corrupt as error:
            done.tell(f"{done.warc}, the record at {int(fields['offset']):,}: {error}")
    return leaves


def _objects(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    for line in read_lines(cast(BinaryIO, stream), _LINE_MAX):
        fields = parse_json(line, _LINE_MAX)
        if not isinstance(fields, dict):
            raise Corrupt("a line that is no object")
        yield fields


def _warc(done: CheckedPackage, stream: IO[bytes], leaves: dict[int, RecordLeaf]) -> None:
    try:
        for record, member in members(cast(BinaryIO, stream)):
            leaf = leaves.pop(record.offset, None)
            wrong = _wrong(record, member, leaf)
            if wrong is not None:
                done.tell(f"{done.warc}, the record at {record.offset:,} ({record.type} of {record.url}): {wrong}")
            elif leaf is not None:
                done.records += 1
                done.bytes += len(member)
    except Corrupt as error:
        done.tell(f"{done.warc}: {error}")
    if leaves:
        done.tell(f"{done.warc}: {counted(len(leaves), 'record')} of the proof are not in it")


def _wrong(record: Record, member: bytes, leaf: RecordLeaf | None) -> str | None:
    if leaf is None:
        return None if record.type == "warcinfo" else "it is not in the proof"
    if sha256(member).hexdigest() != leaf.member:
        return "its bytes are not those that were logged"
    return None if sha256(record.block).hexdigest() == leaf.block else "its content is not the one that was logged"

"""An archive as versions wrote it that knew SHA-1 alone: every digest in its records and lines is one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from foreign_warcs import sha1
from warcs import RawRecord, records_of, warc_files

from newskeep.export.records import member
from storage import cdxj
from storage.archive import open_archive
from storage.http import HttpMessage
from storage.maintenance.reindex import ReindexOptions, reindex
from storage.warc import capture_of, read_records


def turn_back(archive: Path) -> None:
    """Give the WARCs and CDXJ of a folder archive SHA-1 digests; its texts have to be made again."""
    for path in warc_files(archive):
        old = list(records_of(path))
        bodies = {_sha256(record): sha1(_payload(record)) for record in old if record.type == "response"}
        path.write_bytes(b"".join(member("1.1", _fields(record, bodies), record.block) for record in old))
        with path.open("rb") as stream:
            captures = [capture for each in read_records(stream) if (capture := capture_of(each, path.name))]
        lines = Path(str(path).replace("/warc/", "/cdxj/").replace(".warc.gz", ".cdxj"))
        lines.write_bytes(b"".join(cdxj.lines(captures)))
        assert lines.read_bytes().count(b'"sha1:') >= len(captures)
        assert b"sha256" not in lines.read_bytes()
        Path(str(path).replace("/warc/", "/text/").replace(".warc.gz", ".jsonl.gz")).unlink()
    with open_archive(archive) as held:
        reindex(held, ReindexOptions(fresh=True))


def _fields(record: RawRecord, bodies: dict[str, str]) -> list[tuple[str, str]]:
    old = {"WARC-Block-Digest": sha1(record.block)}
    if written := record["WARC-Payload-Digest"]:
        old["WARC-Payload-Digest"] = bodies[written] if record.type == "revisit" else sha1(_payload(record))
    return [(name, old.get(name, value)) for name, value in record.fields if name != "Content-Length"]


def _payload(record: RawRecord) -> bytes:
    return HttpMessage.parse(record.block).payload


def _sha256(record: RawRecord) -> str:
    return f"sha256:{hashlib.sha256(_payload(record)).hexdigest()}"

"""WARC 1.1 files: exchanges to records and back, a writer that appends, a reader of one range.

One gzip member a record. An exchange becomes, in this order, a `response` or `revisit`, its `request`, and a
`metadata` record for each 1xx answer that came before, for a 304 that is a revisit, and for the certificates of its
server where the file has them not yet; docs/formats.md describes every field.
"""

from __future__ import annotations

import os
import re
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from isal import igzip
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from storage.bounds import RECORD_MAX, read_whole
from storage.certificates import MEDIA_TYPE, fingerprint, pem_chain
from storage.digests import canonical, digest, matches
from storage.errors import Corrupt, InvalidURL, SpoolError
from storage.http import HttpMessage
from storage.model import Capture, Exchange
from storage.urls import normalize

VERSION = b"WARC/1.1"
CONFORMS_TO = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
REVISIT_PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED_PROFILE = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
#: Our field of a response that came in place of the page: which wall it is, in words.
WALL = "Newskeep-Wall"
#: Our fields of what came over TLS: the fingerprint of the server's certificate; why it is not to be believed.
CERTIFICATE, INSECURE = "Newskeep-Certificate", "Newskeep-Insecure"
#: Our field of a response that says `noarchive`: where it does, such as "meta robots".
NOARCHIVE = "Newskeep-Noarchive"
#: Our field of a record with marks in the place of secrets: the names of the fields, and "body".
REDACTED = "Newskeep-Redacted"
NOT_MODIFIED = 304
_RESPONSE = "application/http;msgtype=response"
_REQUEST = "application/http;msgtype=request"
# isal's level 2 writes about four times as many records a second as zlib's 6, at 2 % more size.
_GZIP_LEVEL = 2
_SHORT_DATE = re.compile(r"\d{4}(-\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read: header fields in order, and the block, byte for byte."""

    fields: tuple[tuple[str, str], ...]
    block: bytes
    offset: int
    #: Length of the gzip member in the file.
    length: int

    def field(self, name: str) -> str | None:
        """The first value of a field, names compared without case."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), None)

    @property
    def type(self) -> str:
        return self.field("WARC-Type") or ""

    @property
    def url(self) -> str:
        """WARC-Target-URI, without the angle brackets in which wget and others write it (WARC 1.0, 5.6)."""
        written = self.field("WARC-Target-URI") or ""
        return written[1:-1] if written.startswith("<") and written.endswith(">") else written

    @property
    def date(self) -> datetime:
        """WARC-Date, aware, with the precision that was written."""
        try:
            return read_date(self.field("WARC-Date"))
        except ValueError as error:
            raise Corrupt(f"record at offset {self.offset}: no valid WARC-Date") from error

    def check(self) -> None:
        """Compare the block with its digest; raises `Corrupt`."""
        written = self.field("WARC-Block-Digest")
        # wget (1.21 at least) gives each revisit the digest of an empty block, whatever is in it.
        if not (matches(written, self.block) or (self.type == "revisit" and matches(written, b""))):
            raise Corrupt(f"record at offset {self.offset} ({self.url}): the block does not match its digest")

    @property
    def response(self) -> bytes:
        """What was answered: the block, or of a `resource`, which is a body alone, that body with a head before it."""
        return resource_head(self.field("Content-Type")) + self.block if self.type == "resource" else self.block


def resource_head(kind: str | None) -> bytes:
    """The head that a `resource` record is shown with, as pywb shows it: a page that was read without HTTP."""
    field = f"Content-Type: {' '.join(kind.split())}\r\n" if kind else ""
    return f"HTTP/1.1 200 OK\r\n{field}\r\n".encode("utf-8", "replace")


def warc_date(moment: datetime) -> str:
    """A WARC-Date with microseconds (WARC 1.1, 5.4)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_date(text: str | None) -> datetime:
    """The moment of a WARC-Date or WARC-Refers-To-Date, aware: those of others may lack the zone, which is UTC.

    One without a month or a day means its beginning (WARC 1.1, 5.4). Raises ValueError.
    """
    text = (text or "").strip()
    moment = datetime.fromisoformat(f"{text}-01-01"[:10] if _SHORT_DATE.fullmatch(text) else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class WarcWriter:
    """Appends exchanges to one WARC file, a gzip member a record; not for use by two threads at once.

    Raises `SpoolError` when the file cannot be written; the file then ends with a complete record, or
    with a torn one that `storage.repair` cuts off.
    """

    def __init__(self, path: Path, filename: str, info: Mapping[str, str]) -> None:
        """Start `path`; `filename` is the name it will have when sealed, `info` the fields of its warcinfo record."""
        self.path = path
        self.filename = filename
        self.size = 0
        self.records = 0
        self._warcinfo_id = _record_id()
        #: Chains of certificates that are in the file already.
        self._chains: set[tuple[str, ...]] = set()
        try:
            # O_EXCL: two writers must never meet in one file.
            self._file: BinaryIO = path.open("xb", buffering=0)
        except OSError as error:
            raise SpoolError(f"cannot write {path}: {error.strerror}") from error
        fields = {"format": "WARC File Format 1.1", "conformsTo": CONFORMS_TO, **info}
        block = "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()
        self._write(
            [
                ("WARC-Type", "warcinfo"),
                ("WARC-Record-ID", self._warcinfo_id),
                ("WARC-Date", warc_date(datetime.now(UTC))),
                ("WARC-Filename", filename),
                ("WARC-Block-Digest", digest(block)),
                ("Content-Type", "application/warc-fields"),
            ],
            block,
        )

    def append(
        self,
        exchange: Exchange,
        refers_to: Capture | None = None,
        *,
        left_out: str | None = None,
        marks: Mapping[str, str] | None = None,
    ) -> Capture | None:
        """Write an exchange's records; return the response's capture, or `None` when none is kept.

        `refers_to` is an earlier capture with the same payload, or one that a 304 confirms: a `revisit` record is
        written instead of the body. `left_out` says why the response must not be kept: a `metadata` record tells of it.
        `marks` are fields of ours for the response, such as `WALL`: it is kept, and marked.
        """
        response_id, request_id = _record_id(), _record_id()
        common = self._common(exchange)
        capture = None
        if exchange.response and left_out is None:
            capture = self._write_response(exchange, response_id, common, refers_to, marks or {})
        request = HttpMessage.parse(exchange.request)
        concurrent = [("WARC-Concurrent-To", response_id)] if capture else []
        self._write(
            [
                ("WARC-Type", "request"),
                ("WARC-Record-ID", request_id),
                *common,
                *concurrent,
                *_redacted(exchange.request_redacted),
                ("WARC-Payload-Digest", digest(request.body)),
                ("WARC-Block-Digest", digest(exchange.request)),
                ("Content-Type", _REQUEST),
            ],
            exchange.request,
        )
        beside = response_id if capture else request_id
        of_answers = [*common, *_redacted(exchange.response_redacted)]
        for interim in exchange.interim:
            self._write_metadata(of_answers, beside, _RESPONSE, interim)
        if refers_to is not None and capture is not None and capture.status == NOT_MODIFIED:
            # Not the revisit's block: replay would answer with this 304 instead of the page that it confirms.
            self._write_metadata(of_answers, beside, _RESPONSE, exchange.response)
        if left_out is not None:
            self._write_metadata(common, beside, "application/warc-fields", _left_out(exchange, left_out))
        self._write_chain(common, beside, exchange.certificates)
        return capture

    def _write_chain(self, common: list[tuple[str, str]], beside: str, certificates: tuple[bytes, ...]) -> None:
        """Write a server's certificates, once a file: of each later exchange the fingerprint leads to them."""
        chain = tuple(map(fingerprint, certificates))
        if chain and chain not in self._chains:
            self._write_metadata(common, beside, MEDIA_TYPE, pem_chain(certificates))
            self._chains.add(chain)

    def _write_metadata(self, common: list[tuple[str, str]], beside: str, kind: str, block: bytes) -> None:
        # Neither a `response` record nor a record with a URL: indexers and replay would take a 103 for the page.
        self._write(
            [
                ("WARC-Type", "metadata"),
                ("WARC-Record-ID", _record_id()),
                *(field for field in common if field[0] != "WARC-Target-URI"),
                ("WARC-Concurrent-To", beside),
                ("WARC-Block-Digest", digest(block)),
                ("Content-Type", kind),
            ],
            block,
        )

    def sync(self) -> None:
        """Make all that was appended durable."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise SpoolError(f"cannot write {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Make durable and close."""
        if not self._file.closed:
            try:
                self.sync()
            finally:
                self._file.close()

    def _common(self, exchange: Exchange) -> list[tuple[str, str]]:
        fields = [
            ("WARC-Warcinfo-ID", self._warcinfo_id),
            ("WARC-Date", warc_date(exchange.started)),
            ("WARC-Target-URI", exchange.url),
        ]
        if exchange.peer:
            fields.append(("WARC-IP-Address", exchange.peer))
        # Repeated as proposed for WARC 1.2: one for HTTP, one for TLS.
        fields += [("WARC-Protocol", protocol) for protocol in exchange.protocols]
        if exchange.cipher:
            fields.append(("WARC-Cipher-Suite", exchange.cipher))
        # WARC 1.1, 5: readers pass over fields that they do not know.
        if exchange.certificates:
            fields.append((CERTIFICATE, fingerprint(exchange.certificates[0])))
        if exchange.insecure:
            fields.append((INSECURE, exchange.insecure))
        return fields

    def _write_response(
        self,
        exchange: Exchange,
        record_id: str,
        common: list[tuple[str, str]],
        refers_to: Capture | None,
        marks: Mapping[str, str],
    ) -> Capture:
        message = HttpMessage.parse(exchange.response)
        confirms = refers_to is not None and message.status == NOT_MODIFIED
        # The payload of a revisit is that of the capture it refers to (WARC 1.1, 6.7); a 304 has none of its own.
        payload_digest = (
            refers_to.digest if confirms and refers_to and message.complete_head else _payload_digest(message)
        )
        block = exchange.response if refers_to is None else b"" if confirms else message.head
        fields = [("WARC-Type", "response" if refers_to is None else "revisit"), ("WARC-Record-ID", record_id), *common]
        fields += _redacted(exchange.response_redacted)
        if refers_to is not None:
            fields += [
                ("WARC-Profile", NOT_MODIFIED_PROFILE if confirms else REVISIT_PROFILE),
                ("WARC-Refers-To-Target-URI", refers_to.url),
                ("WARC-Refers-To-Date", warc_date(refers_to.timestamp)),
            ]
        if payload_digest is not None:
            fields.append(("WARC-Payload-Digest", payload_digest))
        if exchange.truncated:
            fields.append(("WARC-Truncated", exchange.truncated))
        fields += [(name, " ".join(value.split())) for name, value in marks.items()]
        fields += [("WARC-Block-Digest", digest(block)), ("Content-Type", _RESPONSE)]
        offset, length = self._write(fields, block)
        return Capture(
            url=exchange.url,
            timestamp=exchange.started,
            status=message.status,
            mime=message.media_type if refers_to is None else "warc/revisit",
            digest=payload_digest,
            filename=self.filename,
            offset=offset,
            length=length,
            framed_digest=digest(message.body) if message.is_chunked and refers_to is None else None,
            wall=" ".join(marks[WALL].split()) if WALL in marks else None,
            insecure=exchange.insecure,
            noarchive=NOARCHIVE in marks,
        )

    def _write(self, fields: list[tuple[str, str]], block: bytes) -> tuple[int, int]:
        head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, ("Content-Length", str(len(block)))])
        record = b"".join((VERSION, b"\r\n", head.encode(), b"\r\n", block, b"\r\n\r\n"))
        # mtime=0: the same record gives the same bytes.
        member = igzip.compress(record, _GZIP_LEVEL, mtime=0)
        offset = self.size
        view = memoryview(member)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._undo(offset)
            raise SpoolError(f"cannot write {self.path}: {error.strerror}") from error
        self.size += len(member)
        self.records += 1
        return offset, len(member)

    def _undo(self, offset: int) -> None:
        # Half a member at the end would make the file unreadable from there; shrinking works on a full disk too.
        with suppress(OSError):
            self._file.truncate(offset)
            self._file.seek(offset)


class _Records(ArchiveIterator):  # type: ignore[misc]
    """warcio's reader, which tells damage by what it raises alone: what it would print has the bytes of the file."""

    INC_RECORD = ""


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of a WARC from the stream's position on, offsets counted from there; raises `Corrupt`."""
    try:
        iterator = _Records(stream, no_record_parse=True)
        for record in iterator:
            block = _block(record)
            # warcio reads on past what is no WARC, and past a record that was cut.
            if record.format != "warc" or record.length != len(block):
                raise Corrupt(f"not a readable WARC: a broken record at offset {iterator.get_record_offset()}")
            yield Record(
                fields=tuple(record.rec_headers.headers),
                block=block,
                offset=iterator.get_record_offset(),
                length=iterator.get_record_length(),
            )
    except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
        # warcio explains itself over several lines, and shows the bytes that it could not read.
        cause = " ".join(str(error).partition(", first line:")[0].split())
        raise Corrupt(f"not a readable WARC: {cause[:120]}") from error


def _block(record: ArcWarcRecord) -> bytes:
    """The block of a record, which says its length, but may lie, and unpack to a thousand times its member."""
    if record.length is not None and record.length > RECORD_MAX:
        raise Corrupt(f"a record of {record.length:,} bytes")
    return read_whole(record.raw_stream, RECORD_MAX)


def read_record(member: bytes) -> Record:
    """Return the one record of a gzip member; raises `Corrupt`."""
    for record in read_records(BytesIO(member)):
        return record
    raise Corrupt("no WARC record at this place")


def capture_of(record: Record, filename: str) -> Capture | None:
    """Return the index line of a `response`, `revisit` or `resource` record of the web, `None` for all others.

    The digest is our own: those of other writers may be of other bytes, such as a body with its chunk framing. Raises
    `Corrupt` where there is no date.
    """
    url = _web_address(record) if record.type in ("response", "revisit", "resource") else None
    if url is None:
        return None
    message = HttpMessage.parse(record.response)
    revisit = record.type == "revisit"
    return Capture(
        url=url,
        timestamp=record.date,
        # A 304 that confirms a capture has its head in a record of its own.
        status=NOT_MODIFIED if record.field("WARC-Profile") == NOT_MODIFIED_PROFILE else message.status,
        mime="warc/revisit" if revisit else message.media_type,
        digest=canonical(record.field("WARC-Payload-Digest")) if revisit else _payload_digest(message),
        filename=filename,
        offset=record.offset,
        length=record.length,
        framed_digest=digest(message.body) if message.is_chunked and not revisit else None,
        wall=record.field(WALL),
        insecure=record.field(INSECURE),
        noarchive=record.field(NOARCHIVE) is not None,
    )


def _web_address(record: Record) -> str | None:
    """The URL of a record in the form in which it is looked up; `None` for `dns:`, `urn:` and what is no address."""
    try:
        return normalize(record.url)
    except InvalidURL:
        return None


def _payload_digest(message: HttpMessage) -> str | None:
    return digest(message.payload) if message.complete_head else None


def _redacted(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(REDACTED, ", ".join(names))] if names else []


def _left_out(exchange: Exchange, reason: str) -> bytes:
    """The block that tells of a response that is not kept."""
    message = HttpMessage.parse(exchange.response)
    fields = {
        "not-kept": reason,
        "http-status": message.status,
        "http-content-type": message.media_type,
        "payload-length": len(message.payload),
        "payload-digest": digest(message.payload),
    }
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None).encode()


_STEM = re.compile(r"newskeep-(\d{4})(\d{2})(\d{2})\d{9}-[0-9a-z]+-\d{5,}")


def stem_of(filename: str) -> str:
    """The stem of a WARC's name: "newskeep-20261121220112345-<crawl id>-00000"; raises `Corrupt` on others."""
    stem = filename.removesuffix(".gz").removesuffix(".warc")
    if not _STEM.fullmatch(stem):
        raise Corrupt(f"{filename}: not the name of one of our WARC files")
    return stem


def key_of(filename: str, kind: str = "warc") -> str:
    """The object key of a WARC's name, or of a part beside it: "warc", "cdxj", "text" or "untexted"."""
    stem = stem_of(filename)
    match = _STEM.fullmatch(stem)
    assert match
    suffix = {"warc": ".warc.gz", "cdxj": ".cdxj", "text": ".jsonl.gz", "untexted": ".json"}[kind]
    return f"{kind}/{match[1]}/{match[2]}/{match[3]}/{stem}{suffix}"


def make_stem(moment: datetime, crawl: str, serial: int) -> str:
    """The stem of a new WARC; unique by its crawl id and serial number."""
    stamp = moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")[:17]
    return f"newskeep-{stamp}-{crawl}-{serial:05d}"


def _record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"

"""WARC 1.1 files: names, fields of ours, and records as they are read; `storage.warc_writer` writes them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from typing import BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from storage.bounds import RECORD_MAX, read_whole
from storage.digests import canonical, digest_like, matches
from storage.errors import Corrupt, InvalidURL
from storage.http import HttpMessage
from storage.model import Capture
from storage.rights.record import signals_of
from storage.urls import normalize

VERSION = b"WARC/1.1"
REVISIT_PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED_PROFILE = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
#: Our field of a response that came in place of the page: which wall it is, in words.
WALL = "Newskeep-Wall"
#: Our fields of what came over TLS: the fingerprint of the server's certificate; why it is not to be believed.
CERTIFICATE, INSECURE = "Newskeep-Certificate", "Newskeep-Insecure"
#: Our field of a response that says `noarchive`: where it does, such as "meta robots".
NOARCHIVE = "Newskeep-Noarchive"
#: Our field of a revisit whose original has a SHA-1 alone: the SHA-256 of the body that was left out.
PAYLOAD_DIGEST = "Newskeep-Payload-Digest"
#: Of a resource: what the page was not given while it was made, in words.
LEFT_OUT = "Newskeep-Left-Out"
#: Our field of a response that was fetched as the AMP or print form of another page: the address of that page.
TWIN_OF = "Newskeep-Twin-Of"
#: Our field of a record with marks in the place of secrets: the names of the fields, and "body".
REDACTED = "Newskeep-Redacted"
NOT_MODIFIED = 304
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


class _Records(ArchiveIterator):  # type: ignore[misc]
    """warcio's reader, which tells damage by what it raises alone: what it would print has the bytes of the file."""

    INC_RECORD = ""

    @property
    def is_whole(self) -> bool:
        """Whether the gzip member that was read has its end, where its CRC stands; true of a file without members."""
        decompressor = self.reader.decompressor
        return decompressor is None or decompressor.eof


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of a WARC from the stream's position on; raises `Corrupt`.

    Their offsets are those of the file where the stream tells its position, else counted from where it stands.
    """
    try:
        iterator = _Records(stream, no_record_parse=True)
        for record in iterator:
            block = _block(record)
            offset, length = iterator.get_record_offset(), iterator.get_record_length()
            # warcio reads on past what is no WARC, and past a record that was cut; of one whose gzip member has no end
            # that can be told it says -1.
            if record.format != "warc" or record.length != len(block) or length <= 0 or not iterator.is_whole:
                raise Corrupt(f"not a readable WARC: a broken record at offset {offset}")
            yield Record(fields=tuple(record.rec_headers.headers), block=block, offset=offset, length=length)
    except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
        # warcio explains itself over several lines, and shows the bytes that it could not read.
        cause = " ".join(str(error).partition(", first line:")[0].split())
        raise Corrupt(f"not a readable WARC: {cause[:120]}") from error


def read_record_at(file: BinaryIO, offset: int) -> Record:
    """The record that begins at an offset of a WARC; raises `Corrupt`."""
    file.seek(offset)
    for record in read_records(file):
        return record
    raise Corrupt(f"no record at offset {offset}")


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

    The digest is our own, of the kind that the record has: those of other writers may be of other bytes, such as a body
    with its chunk framing. Raises `Corrupt` where there is no date.
    """
    url = _web_address(record) if record.type in ("response", "revisit", "resource") else None
    if url is None:
        return None
    message = HttpMessage.parse(record.response)
    revisit, written = record.type == "revisit", record.field("WARC-Payload-Digest")
    return Capture(
        url=url,
        timestamp=record.date,
        # A 304 that confirms a capture has its head in a record of its own.
        status=NOT_MODIFIED if record.field("WARC-Profile") == NOT_MODIFIED_PROFILE else message.status,
        mime="warc/revisit" if revisit else message.media_type,
        digest=canonical(written) if revisit else _payload_digest(message, written),
        filename=filename,
        offset=record.offset,
        length=record.length,
        framed_digest=digest_like(written, message.body) if message.is_chunked and not revisit else None,
        wall=record.field(WALL),
        insecure=record.field(INSECURE),
        noarchive=record.field(NOARCHIVE) is not None,
        rights=signals_of(record.field, lambda: record.response),
    )


def _web_address(record: Record) -> str | None:
    """The URL of a record in the form in which it is looked up; `None` for `dns:`, `urn:` and what is no address."""
    try:
        return normalize(record.url)
    except InvalidURL:
        return None


def _payload_digest(message: HttpMessage, written: str | None) -> str | None:
    """Of the body without its chunk framing; `None` where the head is not whole: nobody can tell what is the body."""
    return digest_like(written, message.payload) if message.complete_head else None


_STEM = re.compile(r"newskeep-(\d{4})(\d{2})(\d{2})\d{9}-[0-9a-z]+-\d{5,}")


def stem_of(filename: str) -> str:
    """The stem of a WARC's name: "newskeep-20261121220112345-<crawl id>-00000"; raises `Corrupt` on others."""
    stem = filename.removesuffix(".gz").removesuffix(".warc")
    if not _STEM.fullmatch(stem):
        raise Corrupt(f"{filename}: not the name of one of our WARC files")
    return stem


def time_of(filename: str) -> datetime:
    """When a WARC was begun, as its name says. Raises `Corrupt`."""
    try:
        return datetime.strptime(stem_of(filename)[9:26], "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError as error:
        raise Corrupt(f"{filename}: no date in the name of this WARC") from error


def day_of(filename: str) -> date:
    """The day under which a WARC is kept. Raises `Corrupt`."""
    return time_of(filename).date()


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

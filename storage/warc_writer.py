"""Exchanges as WARC 1.1 records: a writer that appends.

One gzip member a record. An exchange becomes, in this order, a `response` or `revisit`, its `request`, and a
`metadata` record for each 1xx answer that came before, for a 304 that is a revisit, for the frames of HTTP/2, and for
the certificates of its server where the file has them not yet. What a browser made of a page follows as `resource`
records. docs/formats.md describes every field.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from isal import igzip

from storage.certificates import MEDIA_TYPE, fingerprint, pem_chain
from storage.digests import digest
from storage.errors import SpoolError
from storage.http import HttpMessage
from storage.model import Capture, Exchange, Resource
from storage.rights.record import RIGHTS
from storage.rights.signal import unpack
from storage.warc import (
    CERTIFICATE,
    INSECURE,
    LEFT_OUT,
    NOARCHIVE,
    NOT_MODIFIED,
    NOT_MODIFIED_PROFILE,
    PAYLOAD_DIGEST,
    REDACTED,
    REVISIT_PROFILE,
    VERSION,
    WALL,
    warc_date,
)

#: Characters of what is said in a field.
_WORDS_MAX = 4000
CONFORMS_TO = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_RESPONSE = "application/http;msgtype=response"
_REQUEST = "application/http;msgtype=request"
#: Frames of a stream of HTTP/2 (RFC 9113, 4.1); there is no registered type for them.
_FRAMES = "application/x-http2-frames;msgtype={}"
# isal's level 2 writes about four times as many records a second as zlib's 6, at 2 % more size.
_GZIP_LEVEL = 2


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
        resources: Sequence[Resource] = (),
    ) -> Capture | None:
        """Write an exchange's records; return the response's capture, or `None` when none is kept.

        `refers_to` is an earlier capture with the same payload, or one that a 304 confirms: a `revisit` record is
        written instead of the body. `left_out` says why the response must not be kept: a `metadata` record tells of it.
        `marks` are fields of ours for the response, such as `WALL`: it is kept, and marked. `resources` were made of
        it, and are kept where it is.
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
        self._write_frames(common, beside, exchange)
        self._write_chain(common, beside, exchange.certificates)
        if capture is not None:
            for resource in resources:
                self._write_resource(common, response_id, resource)
        return capture

    def _write_frames(self, common: list[tuple[str, str]], beside: str, exchange: Exchange) -> None:
        """Write the frames of messages that are kept as they were sent: in others is what was taken out of them."""
        for message, frames, redacted in (
            ("request", exchange.request_frames, exchange.request_redacted),
            ("response", exchange.response_frames, exchange.response_redacted),
        ):
            if frames and not redacted:
                self._write_metadata(common, beside, _FRAMES.format(message), frames)

    def _write_resource(self, common: list[tuple[str, str]], beside: str, resource: Resource) -> None:
        self._write(
            [
                ("WARC-Type", "resource"),
                ("WARC-Record-ID", _record_id()),
                *(field for field in common if field[0] in ("WARC-Warcinfo-ID", "WARC-Date")),
                ("WARC-Target-URI", resource.uri),
                ("WARC-Concurrent-To", beside),
                *([(LEFT_OUT, _words(resource.left_out))] if resource.left_out else ()),
                ("WARC-Payload-Digest", digest(resource.data)),
                ("WARC-Block-Digest", digest(resource.data)),
                ("Content-Type", resource.kind),
            ],
            resource.data,
        )

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
        payload = digest(message.payload) if message.complete_head else None
        # The payload of a revisit is that of the capture it refers to (WARC 1.1, 6.7), and replay finds that by its
        # digest: SHA-1 in archives from before there was SHA-256. A 304 has no payload of its own.
        digest_of_payload = refers_to.digest if refers_to and message.complete_head else payload
        block = exchange.response if refers_to is None else b"" if confirms else message.head
        fields = [("WARC-Type", "response" if refers_to is None else "revisit"), ("WARC-Record-ID", record_id), *common]
        fields += _redacted(exchange.response_redacted)
        if refers_to is not None:
            fields += [
                ("WARC-Profile", NOT_MODIFIED_PROFILE if confirms else REVISIT_PROFILE),
                ("WARC-Refers-To-Target-URI", refers_to.url),
                ("WARC-Refers-To-Date", warc_date(refers_to.timestamp)),
            ]
        if digest_of_payload is not None:
            fields.append(("WARC-Payload-Digest", digest_of_payload))
        if payload not in (None, digest_of_payload) and not confirms:
            fields.append((PAYLOAD_DIGEST, payload))
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
            digest=digest_of_payload,
            filename=self.filename,
            offset=offset,
            length=length,
            framed_digest=digest(message.body) if message.is_chunked and refers_to is None else None,
            wall=" ".join(marks[WALL].split()) if WALL in marks else None,
            insecure=exchange.insecure,
            noarchive=NOARCHIVE in marks,
            rights=unpack(marks.get(RIGHTS)),
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


def _words(said: Sequence[str]) -> str:
    """What is said, as the value of one field: some of it comes from pages."""
    text = "; ".join(re.sub(r"[^ -~]", "?", each) for each in said)
    return text if len(text) <= _WORDS_MAX else f"{text[:_WORDS_MAX]} …"


def _record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"

"""Bytes into a bucket: in one request, or in parts when there are many."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.errors import NewskeepError
from storage.objects.s3.client import Bucket
from storage.objects.s3.errors import S3Error
from storage.objects.s3.settings import S3Settings
from storage.objects.traffic import Meter

#: Name of the metadata field that holds the SHA-256 of the object, in hex.
DIGEST = "sha256"
PARTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be stored, open for reading from any thread."""

    file: BinaryIO
    size: int
    #: SHA-256, hex.
    digest: str

    @classmethod
    @contextmanager
    def of(cls, source: Path | bytes) -> Iterator[Content]:
        if isinstance(source, bytes):
            yield cls(io.BytesIO(source), len(source), hashlib.sha256(source).hexdigest())
            return
        try:
            file = source.open("rb")
        except OSError as error:
            raise NewskeepError(f"{source}: {os.strerror(error.errno or 0)}") from error
        with file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield cls(file, file.tell(), digest)

    def part(self, start: int, size: int) -> bytes:
        if isinstance(self.file, io.BytesIO):
            return self.file.getbuffer()[start : start + size].tobytes()
        # pread has no position to share, so threads do not disturb each other.
        return os.pread(self.file.fileno(), size, start)


class Uploader:
    """Writes objects; nothing is visible under the key before all of it is there."""

    def __init__(self, bucket: Bucket, settings: S3Settings, meter: Meter) -> None:
        self._bucket = bucket
        self._settings = settings
        self._meter = meter

    def upload(
        self, key: str, content: Content, condition: dict[str, str], retention: dict[str, object] | None = None
    ) -> None:
        """Write the object, under a retention where one is given. Raises `S3Error`.

        `condition` goes with the request that makes it visible.
        """
        retention = retention or {}
        if content.size > self._settings.part_bytes:
            self._upload_parts(key, content, condition, retention)
            return
        content.file.seek(0)
        fields = {"Metadata": {DIGEST: content.digest}, **retention, **condition}
        if retention:
            fields["ContentMD5"] = _md5(content.part(0, content.size))
        self._bucket.call("put_object", Key=key, Body=content.file, **fields)
        self._meter.add(written=content.size)

    def abort(self, key: str, upload_id: str) -> None:
        """Drop an unfinished upload; one that is not there any more is no error."""
        try:
            self._bucket.call("abort_multipart_upload", Key=key, UploadId=upload_id)
        except S3Error as error:
            if "NoSuchUpload" not in error.names:
                raise

    def _upload_parts(
        self, key: str, content: Content, condition: dict[str, str], retention: dict[str, object]
    ) -> None:
        metadata = {DIGEST: content.digest}
        reply = self._bucket.call("create_multipart_upload", Key=key, Metadata=metadata, **retention)
        upload = {"Key": key, "UploadId": reply["UploadId"]}
        try:
            parts = self._send_parts(upload, content, hashed=bool(retention))
            self._bucket.call("complete_multipart_upload", **upload, MultipartUpload={"Parts": parts}, **condition)
        except BaseException as error:
            # One that is out of reach would only keep us waiting; `sweep` removes the upload some day.
            if not isinstance(error, S3Error) or error.answered:
                with suppress(S3Error):
                    self.abort(key, upload["UploadId"])
            raise

    def _send_parts(self, upload: dict[str, str], content: Content, *, hashed: bool) -> list[dict[str, object]]:
        size = max(self._settings.part_bytes, -(-content.size // PARTS_MAX))

        def send(start: int) -> dict[str, object]:
            number = start // size + 1
            data = content.part(start, size)
            digest = {"ContentMD5": _md5(data)} if hashed else {}
            reply = self._bucket.call("upload_part", **upload, PartNumber=number, Body=data, **digest)
            self._meter.add(written=len(data))
            return {"PartNumber": number, "ETag": reply["ETag"]}

        pool = ThreadPoolExecutor(self._settings.part_threads, "newskeep-part")
        try:
            return [*pool.map(send, range(0, content.size, size))]
        finally:
            # Parts not yet begun are dropped when one has failed.
            pool.shutdown(cancel_futures=True)


def _md5(data: bytes) -> str:
    """Content-MD5, without which AWS puts nothing under a retention."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()

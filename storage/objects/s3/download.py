"""Bytes out of a bucket, each range in one request, taken up again where it broke off."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from storage.errors import Corrupt, StoreUnavailable
from storage.objects.s3.client import BROKEN, Bucket
from storage.objects.s3.errors import S3Error
from storage.objects.s3.patience import SILENCE
from storage.objects.s3.settings import S3Settings
from storage.objects.s3.stream import Body, ResumingStream
from storage.objects.s3.upload import DIGEST
from storage.objects.traffic import Meter

#: Content-Range, its first byte and the size of the whole.
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Download:
    """An object whose bytes from `start` on are waiting to be read."""

    key: str
    start: int
    #: Size of the whole object.
    total: int
    etag: str
    #: SHA-256 (hex) stored with the object, if it was put by us.
    digest: str | None
    body: Body


class Downloader:
    def __init__(self, bucket: Bucket, settings: S3Settings, meter: Meter) -> None:
        self._bucket = bucket
        self._resumes = settings.resumes
        self._meter = meter

    def get(self, key: str, start: int = 0, end: int | None = None) -> Download:
        """Ask for bytes `start` to `end`. Raises `S3Error`, and `Corrupt` when the object ends before that."""
        try:
            if end is not None and end <= start:
                # No range says "nothing".
                return self._nothing(key, start, end)
            reply = self._ask(key, start, end)
        except S3Error as error:
            if error.status != 416:
                raise
            return self._nothing(key, start, start if end is None else end)
        total = self._total(reply, key, start)
        if end is not None and end > total:
            reply["Body"].close()
            raise self._short(key, total, start, end)
        return Download(key, start, total, reply["ETag"], reply["Metadata"].get(DIGEST), reply["Body"])

    def stream(self, download: Download, end: int, *, checked: bool) -> ResumingStream:
        """Return the bytes to `end`; with `checked`, those of a whole object are held against its digest."""
        whole = download.start == 0 and end == download.total

        def reopen(at: int) -> Body:
            with self._bucket.errors(download.key):
                reply = self._ask(download.key, at, end, download.etag)
            self._total(reply, download.key, at)
            body: Body = reply["Body"]
            return body

        return ResumingStream(
            self._bucket.address(download.key),
            download.body,
            download.start,
            end,
            reopen=reopen,
            broken=BROKEN,
            silent=SILENCE,
            resumes=self._resumes,
            count=lambda count: self._meter.add(read=count),
            digest=download.digest if checked and whole else None,
        )

    def _ask(self, key: str, start: int, end: int | None, etag: str | None = None) -> dict[str, Any]:
        """Ask for bytes `start` to `end`; with `etag` of that very version only."""
        same = {"IfMatch": etag} if etag else {}
        last = "" if end is None else end - 1
        reply = self._bucket.call("get_object", Key=key, Range=f"bytes={start}-{last}", **same)
        if start and "ContentRange" not in reply:
            reply["Body"].close()
            raise StoreUnavailable(f"{self._bucket.address(key)} at {self._bucket.endpoint}: the server ignores ranges")
        return reply

    def _total(self, reply: dict[str, Any], key: str, start: int) -> int:
        """The size of the whole object, as a reply with its bytes from `start` on says."""
        where = reply.get("ContentRange")
        if where is None:
            return int(reply["ContentLength"])
        told = _RANGE.fullmatch(where)
        if told is None or int(told[1]) != start:
            reply["Body"].close()
            raise StoreUnavailable(
                f"{self._bucket.address(key)} at {self._bucket.endpoint}: what answers is no S3 server: of bytes from "
                f"{start} on it says Content-Range {where[:80]!r}"
            )
        return int(told[2])

    def _nothing(self, key: str, start: int, end: int) -> Download:
        """Return an empty download where the object allows that range, which no request can ask for."""
        reply = self._bucket.head(key)
        if reply is None:
            raise S3Error(("NoSuchKey",), 404)
        size = reply["ContentLength"]
        if not 0 <= start <= end <= size or start < end:
            raise self._short(key, size, start, end)
        return Download(key, start, size, reply["ETag"], reply["Metadata"].get(DIGEST), io.BytesIO())

    def _short(self, key: str, size: int, start: int, end: int) -> Corrupt:
        return Corrupt(f"{self._bucket.address(key)}: holds {size} bytes, but bytes {start} to {end} are wanted")

"""The store's verbs on a bucket.

That nothing is lost rests on names that are never used twice and on reading back what was written, not on what the
server promises: where it takes conditional puts they close the last gap, where it does not nothing breaks.
"""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from storage.counts import counted
from storage.errors import ConfigError, ObjectExists, StoreUnavailable
from storage.objects import ObjectInfo, check_key, check_prefix, is_key
from storage.objects.retention import ObjectLock, Released, is_locked
from storage.objects.s3.client import Bucket
from storage.objects.s3.download import Downloader
from storage.objects.s3.errors import S3Error
from storage.objects.s3.settings import S3Address, S3Settings
from storage.objects.s3.upload import DIGEST, Content, Uploader
from storage.objects.s3.versions import release, retained_until
from storage.objects.traffic import Meter, Traffic

#: Refusals after which the object is looked at and, if need be, written again.
AGAIN = {
    # Somebody was first, or our own first try arrived and its reply was lost.
    "PreconditionFailed",
    # Two puts of the key at once.
    "ConditionalRequestConflict",
    "OperationAborted",
    # The completion arrived and its reply was lost.
    "NoSuchUpload",
    # What was to be replaced is gone.
    "NoSuchKey",
    # Bytes that changed on their way.
    "BadDigest",
    "InvalidDigest",
    "XAmzContentSHA256Mismatch",
    "IncompleteBody",
}
#: Times that an object is revised anew because others were quicker: each time one of them is through.
REVISIONS = 30
CHUNK = 1 << 20
BUFFER = 1 << 16


#: The condition that there is nothing under a key yet.
_ABSENT = {"IfNoneMatch": "*"}


class Found(Enum):
    """What stands under a key, held against what should."""

    NOTHING = "nothing"
    SAME = "same"
    #: Ours by the digest stored with it, but its bytes are not.
    DAMAGED = "damaged"
    OTHER = "other"


class S3Store:
    """An archive in a bucket: `s3://bucket/prefix`, with `?setting=value` where the environment does not say it.

    `settings` stand in for those of the environment; the URI's own go before both.
    """

    def __init__(self, uri: str, settings: S3Settings | None = None, lock: ObjectLock | None = None) -> None:
        address = S3Address.parse(uri)
        self.uri = uri
        self._prefix = address.prefix
        self._settings = replace(settings or S3Settings.from_environment(os.environ), **address.settings)
        self._meter = Meter()
        self._bucket = Bucket(address.bucket, self._settings, self._meter)
        self._uploader = Uploader(self._bucket, self._settings, self._meter)
        self._downloader = Downloader(self._bucket, self._settings, self._meter)
        self._lock = lock
        self._conditional = self._settings.conditional == "on"

    @property
    def traffic(self) -> Traffic:
        return self._meter.traffic

    def check(self, *, write: bool = False) -> None:
        with self._bucket.errors():
            self._bucket.prove(self._prefix)
            if write:
                self._check_lock()
                # An upload begun and given up proves the right to write and leaves nothing to be seen.
                key = self._prefix + ".newskeep-probe"
                reply = self._bucket.call("create_multipart_upload", Key=key)
                self._bucket.call("abort_multipart_upload", Key=key, UploadId=reply["UploadId"])

    def clock(self) -> datetime | None:
        with self._bucket.errors():
            fields = self._bucket.call("head_bucket")["ResponseMetadata"]["HTTPHeaders"]
        try:
            told = parsedate_to_datetime(fields["date"])
        except (KeyError, ValueError):
            return None
        return told if told.tzinfo else told.replace(tzinfo=UTC)

    def sweep(self, older_than: timedelta = timedelta(days=1)) -> int:
        limit = datetime.now(UTC) - older_than
        with self._bucket.errors():
            uploads = self._bucket.pages("list_multipart_uploads", "Uploads", self._prefix)
            stale = [(upload["Key"], upload["UploadId"]) for upload in uploads if upload["Initiated"] <= limit]
            for key, upload_id in stale:
                self._uploader.abort(key, upload_id)
        return len(stale)

    def put(self, key: str, source: Path | bytes) -> None:
        full = self._full(key)
        with Content.of(source) as content, self._bucket.errors(full):
            found = self._find(full, content)
            for attempt in range(self._settings.attempts):
                if found in (Found.SAME, Found.OTHER):
                    break
                self._write(full, content, _ABSENT if found is Found.NOTHING else {}, attempt)
                found = self._find(full, content)
        if found is Found.OTHER:
            raise ObjectExists(f"{self._bucket.address(full)}: another content is there already")
        if found is not Found.SAME:
            raise self._unfit(full, found)

    def replace(self, key: str, data: bytes) -> None:
        full = self._full(key)
        with Content.of(data) as content, self._bucket.errors(full):
            for attempt in range(self._settings.attempts):
                self._write(full, content, {}, attempt)
                # Another content is that of somebody who came later: the last one stays.
                if (found := self._find(full, content)) in (Found.SAME, Found.OTHER):
                    return
        raise self._unfit(full, found)

    def revise(self, key: str, revised: Callable[[BinaryIO | None], bytes | None]) -> None:
        full = self._full(key)
        found = Found.NOTHING
        for attempt in range(REVISIONS):
            data, condition = self._revised(full, revised)
            if data is None:
                return
            with Content.of(data) as content, self._bucket.errors(full):
                self._write(full, content, condition, min(attempt, 4))
                # Another content is that of somebody who came between, or later: theirs is revised.
                if (found := self._find(full, content)) is Found.SAME:
                    return
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))
        raise self._unfit(full, found)

    def _revised(
        self, full: str, revised: Callable[[BinaryIO | None], bytes | None]
    ) -> tuple[bytes | None, dict[str, str]]:
        """What is to stand under a key, and the condition under which: that nothing else has come there."""
        with self._bucket.errors(full):
            try:
                download = self._downloader.get(full)
            except S3Error as error:
                if "NoSuchKey" not in error.names:
                    raise
                return revised(None), _ABSENT
        with io.BufferedReader(self._downloader.stream(download, download.total, checked=True), BUFFER) as stream:
            return revised(stream), {"IfMatch": download.etag}

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        full = self._full(key)
        with self._bucket.errors(full):
            download = self._downloader.get(full, start, None if length is None else start + length)
        end = download.total if length is None else start + length
        return io.BufferedReader(self._downloader.stream(download, end, checked=True), BUFFER)

    def stat(self, key: str) -> ObjectInfo | None:
        full = self._full(key)
        with self._bucket.errors(full):
            reply = self._bucket.head(full)
        return None if reply is None else ObjectInfo(key, reply["ContentLength"], reply["Metadata"].get(DIGEST))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        with self._bucket.errors():
            for entry in self._bucket.pages("list_objects_v2", "Contents", self._prefix + prefix):
                key = entry["Key"].removeprefix(self._prefix)
                # Consoles make empty objects such as "warc/" to show folders.
                if is_key(key):
                    yield ObjectInfo(key, entry["Size"])

    def delete(self, key: str) -> None:
        full = self._full(key)
        with self._bucket.errors(full):
            self._bucket.call("delete_object", Key=full)

    def keeps_deleted(self) -> bool | None:
        try:
            # Once switched on it can be suspended, and what was kept stays.
            return bool(self._bucket.call("get_bucket_versioning").get("Status"))
        except S3Error:
            return None

    @property
    def lock(self) -> ObjectLock | None:
        return self._lock

    def retained_until(self, key: str) -> datetime | None:
        full = self._full(key)
        with self._bucket.errors(full):
            reply = self._bucket.head(full)
        return None if reply is None else retained_until(reply)

    def release(self, keys: Collection[str]) -> Released:
        if self._lock is None or not keys:
            return Released()
        with self._bucket.errors():
            prefixes = {self._full(key.partition("/")[0]) + "/" for key in keys}
            return release(self._bucket, prefixes, {*map(self._full, keys)})

    def close(self) -> None:
        self._bucket.close()

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _write(self, full: str, content: Content, condition: dict[str, str], attempt: int) -> None:
        """Write the object once, on a condition if the server knows any; what a second look can settle is no error."""
        condition = condition if self._conditional else {}
        try:
            retention = self._retention(full)
            self._uploader.upload(full, content, condition, retention)
            if retention and content.size > self._settings.part_bytes:
                self._retain(full, retention)
        except S3Error as error:
            if "InvalidRequest" in error.names:
                self._check_lock()
            if condition and (error.status == 501 or "NotImplemented" in error.names):
                self._conditional = False
                self._write(full, content, {}, attempt)
            elif AGAIN.isdisjoint(error.names):
                raise
            elif error.status == 409:
                time.sleep(0.1 * 2**attempt)

    def _retention(self, full: str) -> dict[str, object]:
        if self._lock is None or not is_locked(full.removeprefix(self._prefix)):
            return {}
        return {"ObjectLockMode": self._lock.mode, "ObjectLockRetainUntilDate": self._lock.until(datetime.now(UTC))}

    def _retain(self, full: str, retention: dict[str, object]) -> None:
        """Put what went up in parts under its retention where the server forgot it, as some do."""
        if retained_until(self._bucket.head(full) or {}) is None:
            fields = dict(zip(("Mode", "RetainUntilDate"), retention.values(), strict=True))
            self._bucket.call("put_object_retention", Key=full, Retention=fields)

    def _check_lock(self) -> None:
        """Raise `ConfigError` where new objects are to be put under retention and the bucket has no Object Lock."""
        if self._lock is None:
            return
        try:
            reply = self._bucket.call("get_object_lock_configuration")
            has = reply.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
        except S3Error as error:
            if error.status not in (400, 404, 405, 501):
                raise
            has = False
        if not has:
            name = self._bucket.address("").rstrip("/")
            cure = "switch it on there, or take object_lock out of the configuration"
            raise ConfigError(f"object_lock: the bucket {name} has no Object Lock; {cure}")

    def _find(self, full: str, content: Content) -> Found:
        """Look at what is stored under the key: at all of it, unless told to believe the server."""
        if self._settings.verify == "stat":
            reply = self._bucket.head(full)
            if reply is None:
                return Found.NOTHING
            digest = reply["Metadata"].get(DIGEST)
            if digest == content.digest:
                return Found.SAME if reply["ContentLength"] == content.size else Found.DAMAGED
        try:
            download = self._downloader.get(full)
        except S3Error as error:
            if "NoSuchKey" in error.names:
                return Found.NOTHING
            raise
        wrong = Found.DAMAGED if download.digest == content.digest else Found.OTHER
        with self._downloader.stream(download, download.total, checked=False) as stream:
            if download.total != content.size or download.digest not in (content.digest, None):
                return wrong
            digest_here, buffer = sha256(), memoryview(bytearray(CHUNK))
            while count := stream.readinto(buffer):
                digest_here.update(buffer[:count])
        return Found.SAME if digest_here.hexdigest() == content.digest else wrong

    def _unfit(self, full: str, found: Found) -> StoreUnavailable:
        what = "was not there" if found is Found.NOTHING else "came back different"
        where = f"{self._bucket.address(full)} at {self._bucket.endpoint}"
        return StoreUnavailable(f"{where}: written {counted(self._settings.attempts, 'time')}, and each time it {what}")

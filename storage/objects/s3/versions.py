"""Older versions in a bucket with Object Lock: behind a delete marker they are there until their retention ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from storage.objects.retention import Released
from storage.objects.s3.client import Bucket
from storage.objects.s3.errors import S3Error


def retained_until(fields: dict[str, Any]) -> datetime | None:
    """When the retention ends that a reply to HEAD tells of; a legal hold is none."""
    until = fields.get("ObjectLockRetainUntilDate")
    return until if isinstance(until, datetime) else None


def release(bucket: Bucket, prefixes: Collection[str], keys: Collection[str]) -> Released:
    """Remove for good what was deleted of `keys`, under `prefixes`, and nothing keeps any longer. Raises `S3Error`."""
    done = Released()
    for prefix in prefixes:
        markers = _by_key(bucket, "DeleteMarkers", prefix, keys)
        # What was put once more counts, and so does what somebody else has written over it.
        deleted = {key for key, found in markers.items() if any(each["IsLatest"] for each in found)}
        for key, versions in _by_key(bucket, "Versions", prefix, deleted).items():
            kept = [each for each in versions if not _is_gone(bucket, each, done)]
            for marker in markers[key] if not kept else ():
                bucket.call("delete_object", Key=key, VersionId=marker["VersionId"])
    return done


def _by_key(bucket: Bucket, field: str, prefix: str, keys: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in bucket.pages("list_object_versions", field, prefix):
        if entry["Key"] in keys:
            found.setdefault(entry["Key"], []).append(entry)
    return found


def _is_gone(bucket: Bucket, version: dict[str, Any], done: Released) -> bool:
    place = {"Key": version["Key"], "VersionId": version["VersionId"]}
    until = retained_until(bucket.call("head_object", **place))
    if until is None or until <= datetime.now(UTC):
        until = None
        try:
            bucket.call("delete_object", **place)
        except S3Error as error:
            # A legal hold, the owner's rules or the server's clock keep it for longer.
            if error.status != 403:
                raise
        else:
            done.gone += 1
            return True
    done.kept += 1
    if until is not None:
        done.until = max(done.until or until, until)
    return False

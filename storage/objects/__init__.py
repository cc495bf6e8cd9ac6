"""Object stores: a folder and a bucket behind the same few verbs."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.parse import urlsplit

from storage.errors import ConfigError, UsageError
from storage.objects.retention import ObjectLock, Released
from storage.objects.traffic import Traffic

__all__ = ["STORES", "ObjectInfo", "ObjectStore", "Traffic", "check_key", "check_prefix", "is_key", "open_store"]

#: Printable ASCII without the backslash; parts are not empty, have at most 255 bytes (a file name) and do not start
#: with a dot, which keeps "..", and leaves dot names to a folder's temporary files.
PART = r"[!-\-0-\[\]-~][!-.0-\[\]-~]{0,254}"
KEY = re.compile(rf"{PART}(?:/{PART})*")
#: What S3 allows for bucket prefix and key together is 1024.
KEY_MAX_BYTES = 800


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells of an object; `size` in bytes.

    `sha256` (hex) is that of the bytes it was put with, where `stat` can tell without reading them.
    """

    key: str
    size: int
    sha256: str | None = field(default=None, compare=False)


class ObjectStore(Protocol):
    """Whole objects under ASCII keys with "/" between the parts; an object is visible only whole.

    Every method raises `StoreUnavailable` when the store cannot be reached or refuses (`StoreDenied` where the
    credentials, the clock or a permission are to blame), and never lets a credential into a message. A key that
    `is_key` does not accept raises `UsageError`. Methods may be called from several threads at once.
    """

    #: Where the store is, as messages name it.
    uri: str

    @property
    def traffic(self) -> Traffic:
        """What this object has asked of the store since it was made."""

    def check(self, *, write: bool = False) -> None:
        """Prove that the store is there and that we may read and list it; with `write`, write to it as well.

        A folder that is not there yet is made with `write` and an error without; a bucket is never made.
        """

    def clock(self) -> datetime | None:
        """Return the store's time, as the answer to a request tells it to the second; `None` where it does not."""

    def sweep(self, older_than: timedelta = timedelta(days=1)) -> int:
        """Remove what killed puts left (temporary files, unfinished uploads), and return how many there were."""

    def put(self, key: str, source: Path | bytes) -> None:
        """Store a new object, durable on return. One with the same content counts as success.

        Raises `ObjectExists` when another content is there already.
        """

    def replace(self, key: str, data: bytes) -> None:
        """Store an object in the place of whatever is there; for the few mutable keys."""

    def revise(self, key: str, revised: Callable[[BinaryIO | None], bytes | None]) -> None:
        """Put what `revised` makes of an object's bytes in its place; it is given `None` where there is no object.

        What somebody else puts there meanwhile is not lost: `revised` is called again, with that. `None` from it leaves
        the object as it is. On a server without conditional puts, two that write in the same moment may still lose one.
        """

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        """Return a stream of `length` bytes from `start` (to the end when `None`).

        Raises `ObjectMissing`, and `Corrupt` when the object ends before the range does. A stream that ends early
        raises `StoreUnavailable`, never gives less than was asked for in silence. The stream cannot seek.
        """

    def stat(self, key: str) -> ObjectInfo | None:
        """Return the object's size, or `None` when there is none."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix`, sorted by key; names that are no keys are passed over."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def keeps_deleted(self) -> bool | None:
        """Whether what is removed or replaced stays there as an older version; `None` where it does not say."""

    @property
    def lock(self) -> ObjectLock | None:
        """The retention that WARCs, CDXJ and logs get when they are put; `None` for none."""

    def retained_until(self, key: str) -> datetime | None:
        """When the retention of an object ends; `None` where it has none, or there is no such object."""

    def release(self, keys: Collection[str]) -> Released:
        """Remove for good what was deleted of `keys` and stayed under a retention that has ended since."""

    def close(self) -> None:
        """Let go of connections."""


#: URI scheme -> "module:class"; the class takes the URI. Imported on use, so that a folder needs no boto3.
STORES = {
    "file": "storage.objects.local:LocalStore",
    "s3": "storage.objects.s3:S3Store",
}


def open_store(uri: str, lock: ObjectLock | None = None) -> ObjectStore:
    """Return the store of a URI: a folder's path, `file:///…` or `s3://bucket/prefix`. Nothing is asked of it yet.

    `lock` is the retention that new objects get, in a bucket. Raises `UsageError`.
    """
    scheme = urlsplit(uri).scheme if "://" in uri else "file"
    if scheme not in STORES:
        raise UsageError(f"{scheme}://: an archive is a folder, file:///… or s3://bucket/prefix")
    module, _, name = STORES[scheme].partition(":")
    made = getattr(import_module(module), name)
    if lock is None:
        return cast(ObjectStore, made(uri))
    if scheme != "s3":
        raise ConfigError(f"object_lock: {uri} is a folder, which has no Object Lock; only a bucket may have it")
    return cast(ObjectStore, made(uri, lock=lock))


def is_key(key: str) -> bool:
    """Tell whether an object can have this key, in any store."""
    return len(key) <= KEY_MAX_BYTES and KEY.fullmatch(key) is not None


def check_key(key: str) -> str:
    """Return the key; raises `UsageError` for one that no store takes."""
    if not is_key(key):
        raise UsageError(
            f"{key!r} cannot be an object's key: printable ASCII, no empty part, none that starts with a dot"
        )
    return key


def check_prefix(prefix: str) -> str:
    """Return the prefix; raises `UsageError` for one that no key can start with."""
    if prefix and not is_key(prefix + "x"):
        raise UsageError(f"{prefix!r} cannot be the start of an object's key")
    return prefix

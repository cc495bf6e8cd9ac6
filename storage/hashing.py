"""SHA-256 of streams and of stored objects."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO

from storage.objects import ObjectStore

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Bytes read at a time.
CHUNK = 1 << 20


class HashingReader(io.RawIOBase):
    """A stream that counts and digests what is read through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._sha256.update(data)
        self.size += len(data)
        return len(data)

    def drain(self) -> None:
        """Read what is left."""
        while self.read(CHUNK):
            pass

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far, hex."""
        return self._sha256.hexdigest()


def digest_of(store: ObjectStore, key: str) -> tuple[int, str]:
    """Read an object and return its size and SHA-256 (hex). Raises `ObjectMissing`."""
    with store.open(key) as stream:
        hashed = HashingReader(stream)
        hashed.drain()
    return hashed.size, hashed.sha256

"""The Ed25519 keys of logs; private ones lie outside the archive, readable by their owner alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from storage import private_keys
from storage.homes import home


class PublicKey:
    """What checks a log's heads; `raw` are its 32 bytes."""

    def __init__(self, raw: bytes) -> None:
        """Raises `ValueError`."""
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.raw = raw

    @property
    def log(self) -> str:
        """The id of the log whose heads it checks: the beginning of its SHA-256, 16 hexadecimal digits."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def verifies(self, signature: bytes, data: bytes) -> bool:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """What signs a log's heads."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def make(cls, path: Path) -> Self:
        """Make a key in a new file. Raises `UsageError` where there is one."""
        return cls(private_keys.make(path))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises `UsageError` for a file that holds no such key, or that others may read."""
        return cls(private_keys.load(path, owner_only=True))

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def key_path(uri: str) -> Path:
    """Where the key lies of the log that this user writes for an archive: in the user's configuration, never in it.

    An archive has one key however it is named: by a symbolic link, by way of `..`, with a slash behind.
    """
    uri = uri.rstrip("/") if "://" in uri else str(Path(uri).resolve())
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or home() / ".config") / "newskeep" / "logs"
    name = "".join(char if char.isalnum() else "-" for char in uri.partition("://")[2] or uri).strip("-")[-40:]
    digest = hashlib.sha256(uri.encode(errors="surrogateescape")).hexdigest()
    return folder / f"{name}-{digest[:8]}.pem"

"""The Ed25519 keys of logs; private ones lie outside the archive, readable by their owner alone."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from storage.errors import UsageError


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
        """Make a key and write it to a new file of mode 0600. Raises `UsageError` where there is one."""
        made = cls(Ed25519PrivateKey.generate())
        pem = made._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise UsageError(f"there is a key already: {path}") from None
        except OSError as error:
            raise UsageError(f"cannot write the key {path}: {error.strerror}") from error
        return made

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises `UsageError` for a file that holds no such key, or that others may read."""
        try:
            with path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise UsageError(f"{path}: others may read this key; chmod 600 it, or make another log")
                key = load_pem_private_key(file.read(), None)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UsageError(f"{path}: not an unencrypted private key in PEM") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise UsageError(f"{path}: not an Ed25519 key; newskeep log init makes one")
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def key_path(uri: str) -> Path:
    """Where the key lies of the log that this user writes for an archive: in the user's configuration, never in it.

    An archive has one key however it is named: by a symbolic link, by way of `..`, with a slash behind.
    """
    uri = uri.rstrip("/") if "://" in uri else str(Path(uri).resolve())
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    name = "".join(char if char.isalnum() else "-" for char in uri.partition("://")[2] or uri).strip("-")[-40:]
    return home / "newskeep" / "logs" / f"{name}-{hashlib.sha256(uri.encode()).hexdigest()[:8]}.pem"

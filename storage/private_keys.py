"""Files of Ed25519 keys, in PEM without a password, for their owner alone: of logs, of signed requests."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from storage.errors import UsageError

#: Bytes of a key file that are read.
_MOST = 64 * 1024


def make(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it to a new file of mode 0600. Raises `UsageError` where there is one, which stays."""
    key = Ed25519PrivateKey.generate()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise UsageError(f"{path} is there already, and stays as it is") from None
    except OSError as error:
        raise UsageError(f"cannot write the key {path}: {error.strerror}") from error
    return key


def load(path: Path, *, owner_only: bool = False) -> Ed25519PrivateKey:
    """Raises `UsageError` for a file that holds no such key; with `owner_only` for one that others may read."""
    try:
        with path.open("rb") as file:
            if owner_only and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise UsageError(f"{path}: others may read this key; chmod 600 it, or make another")
            key = load_pem_private_key(file.read(_MOST), None)
    except OSError as error:
        raise UsageError(f"cannot read the key {path}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError(f"{path} is no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is no Ed25519 key")
    return key

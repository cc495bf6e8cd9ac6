"""The key that requests are signed with, and its public side as others are shown it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from storage import private_keys
from storage.errors import ConfigError, UsageError

#: Where verifiers look for the directory of an agent, and what it is.
DIRECTORY_PATH = "/.well-known/http-message-signatures-directory"
DIRECTORY_TYPE = "application/http-message-signatures-directory+json"


@dataclass(frozen=True, slots=True)
class Identity:
    """A key, and the address whose directory has its public side."""

    key: Ed25519PrivateKey
    #: Scheme and host, such as "https://archive.example.org".
    agent: str

    @property
    def jwk(self) -> dict[str, str]:
        """The public key (RFC 8037, 2), its members in the order in which a thumbprint is made of them."""
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": unpadded(raw)}

    @property
    def thumbprint(self) -> str:
        """Of the public key (RFC 7638, RFC 8037, A.3): what signatures name it by."""
        canonical = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        return unpadded(hashlib.sha256(canonical.encode()).digest())

    @property
    def directory(self) -> dict[str, Any]:
        """The key directory, a JSON Web Key Set (RFC 7517, 5)."""
        return {"keys": [{**self.jwk, "kid": self.thumbprint, "use": "sig", "alg": "ed25519"}]}


def identity_of(key_file: str | None, agent: str | None) -> Identity | None:
    """The identity with the key of a file, `None` where no file is named. Raises `ConfigError`.

    `agent` is an address whose host serves the key directory; nothing behind the host counts.
    """
    return None if key_file is None else Identity(_load(Path(key_file)), _agent(agent))


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        return private_keys.load(path)
    except UsageError as error:
        raise ConfigError(f"signing_key: {error}; `newskeep identity make` makes one") from error


def _agent(said: str | None) -> str:
    if not said:
        raise ConfigError("signing_key: signature_agent is missing: https://HOST, where the key directory is")
    try:
        parts = urlsplit(said)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme != "https" or not host.isascii() or "@" in parts.netloc or '"' in parts.netloc:
        raise ConfigError(f"signing_key: signature_agent or public_url must be https://HOST, not {said!r}")
    named = f"[{host}]" if ":" in host else host
    return f"https://{named}{f':{port}' if port not in (None, 443) else ''}"


def unpadded(data: bytes) -> str:
    """Base64 for addresses, without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""HTTP message signatures (RFC 9421): of a request that we send, and of the key directory that we serve."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from crawler.identity.key import Identity

#: Names our signature among others.
LABEL = "sig1"
#: Seconds for which a request may be taken for ours: clocks differ, and replay should have little time.
LIFETIME = 60
#: … and a directory, which is fetched and kept.
DIRECTORY_LIFETIME = 24 * 3600
TAG, DIRECTORY_TAG = "web-bot-auth", "http-message-signatures-directory"
#: The fields that a signature adds to a request. They are no secrets.
FIELDS = frozenset({b"signature-agent", b"signature-input", b"signature"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NONCE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Target:
    """What a signature binds a request to (RFC 9421, 2.2): all of it but the scheme, which proxies do not see."""

    method: str
    authority: str
    path: str
    #: With its "?", which stands alone where there is none.
    query: str

    @classmethod
    def of(cls, method: str, target: str, host: str, scheme: str) -> Target:
        """The target of a request line and a Host field."""
        path, _, query = target.partition("?")
        return cls(method.upper(), authority_of(host, scheme), path or "/", f"?{query}")

    def components(self, agent: str) -> tuple[tuple[str, str], ...]:
        return (
            ('"@method"', self.method),
            ('"@authority"', self.authority),
            ('"@path"', self.path),
            ('"@query"', self.query),
            (f'"signature-agent";key="{LABEL}"', f'"{agent}"'),
        )


def authority_of(host: str, scheme: str) -> str:
    """Host and port in the form of RFC 9421, 2.2.3: lower case, without a port that is the scheme's own."""
    host = host.rpartition("@")[2].strip().lower()
    return host.removesuffix(f":{_DEFAULT_PORTS.get(scheme, 0)}")


def sign_request(identity: Identity, target: Target, now: datetime) -> tuple[tuple[str, str], ...]:
    """The fields that sign a request, for the next minute; no two of the same."""
    nonce = base64.b64encode(secrets.token_bytes(_NONCE_BYTES)).decode()
    return (
        ("Signature-Agent", f'{LABEL}="{identity.agent}"'),
        *_signature(identity, target.components(identity.agent), now, LIFETIME, f';nonce="{nonce}";tag="{TAG}"'),
    )


def sign_directory(identity: Identity, now: datetime) -> tuple[tuple[str, str], ...]:
    """The fields that bind an answer with the key directory to the authority that it is for, whoever asks."""
    components = (('"@authority";req', authority_of(urlsplit(identity.agent).netloc, "https")),)
    return _signature(identity, components, now, DIRECTORY_LIFETIME, f';tag="{DIRECTORY_TAG}"')


def _signature(
    identity: Identity, components: tuple[tuple[str, str], ...], now: datetime, lifetime: int, more: str
) -> tuple[tuple[str, str], tuple[str, str]]:
    created = int(now.timestamp())
    covered = " ".join(name for name, _ in components)
    times = f";created={created};expires={created + lifetime}"
    parameters = f'({covered}){times};keyid="{identity.thumbprint}";alg="ed25519"{more}'
    signature = base64.b64encode(identity.key.sign(base_of(components, parameters))).decode()
    return ("Signature-Input", f"{LABEL}={parameters}"), ("Signature", f"{LABEL}=:{signature}:")


def base_of(components: Iterable[tuple[str, str]], parameters: str) -> bytes:
    """The signature base (RFC 9421, 2.5)."""
    lines = [*(f"{name}: {value}" for name, value in components), f'"@signature-params": {parameters}']
    return "\n".join(lines).encode()

"""Labelled digests as WARC files carry them (WARC 1.1, 5.8): ours, and those of other writers.

The standard leaves algorithm and encoding to the writer. Heritrix and wget write SHA-1 in base32, Browsertrix SHA-256
in hexadecimal digits, others MD5, lower case or base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

#: Label, without hyphens -> name in hashlib.
_ALGORITHMS = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}
#: The encoding of each algorithm that index lines have.
_FORMS: Mapping[str, Callable[[bytes], str]] = {
    "sha1": lambda value: f"sha1:{base64.b32encode(value).decode()}",
    "sha256": lambda value: f"sha256:{value.hex()}",
}


class Hasher(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


def digest(data: bytes) -> str:
    """A labelled digest as we write it: "sha256:" and hexadecimal digits, as `sha256sum` prints them."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def sha1(data: bytes) -> str:
    """A labelled digest as we wrote it before there was SHA-256: "sha1:" and base32."""
    return _FORMS["sha1"](hashlib.sha1(data, usedforsecurity=False).digest())


def digest_like(written: str | None, data: bytes) -> str:
    """The digest of `data` that an index line has beside `written`: SHA-256 where that is one, else SHA-1.

    Lines of older archives have SHA-1, and must come out of their WARCs again as they are.
    """
    found = _taken_apart(written)
    return digest(data) if found and found[0] == "sha256" else sha1(data)


def canonical(written: str | None) -> str | None:
    """A SHA-256 or SHA-1 of any encoding as we write it; `None` for all others, which no index line has."""
    found = _taken_apart(written)
    return _FORMS[found[0]](found[1]) if found and found[0] in _FORMS else None


def hasher_of(written: str | None) -> Hasher | None:
    """What makes the digests that `written` can be compared with; `None` where we cannot read it."""
    found = _taken_apart(written)
    return hashlib.new(found[0], usedforsecurity=False) if found else None


def is_digest(written: str | None, hasher: Hasher) -> bool:
    """Whether `written` is what a hasher of `hasher_of` has come to."""
    found = _taken_apart(written)
    return found is not None and found[1] == hasher.digest()


def matches(written: str | None, data: bytes) -> bool:
    """Whether a digest, as written, is that of `data`; one that we cannot read accuses nobody."""
    return hasher_of(written) is None or is_of(written, data)


def is_of(written: str | None, data: bytes) -> bool:
    """Whether a digest, as written, is known to be that of `data`: one that we cannot read shows nothing."""
    hasher = hasher_of(written)
    if hasher is None:
        return False
    hasher.update(data)
    return is_digest(written, hasher)


def _taken_apart(written: str | None) -> tuple[str, bytes] | None:
    """Algorithm and bytes of a digest; by its length, which tells the encodings apart."""
    label, colon, value = (written or "").strip().partition(":")
    algorithm = _ALGORITHMS.get(label.strip().lower().replace("-", ""))
    if not colon or algorithm is None:
        return None
    size, value = hashlib.new(algorithm, usedforsecurity=False).digest_size, value.strip().rstrip("=")
    try:
        if len(value) == 2 * size:
            return algorithm, bytes.fromhex(value)
        if len(value) == -(-8 * size // 5):
            return algorithm, base64.b32decode(value.upper() + "=" * (-len(value) % 8))
        if len(value) == -(-8 * size // 6):
            return algorithm, base64.urlsafe_b64decode(
                value.replace("+", "-").replace("/", "_") + "=" * (-len(value) % 4)
            )
    except (ValueError, binascii.Error):
        pass
    return None

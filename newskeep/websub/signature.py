"""Whether a hub sent what came: WebSub, section 8. Pure."""

from __future__ import annotations

import hmac

# The four that the standard names. HMAC with SHA-1 is not broken as SHA-1 is, and the oldest hubs have no other.
_METHODS = frozenset({"sha1", "sha256", "sha384", "sha512"})


def is_signed(body: bytes, field: str | None, secret: str) -> bool:
    """Whether the field `X-Hub-Signature` is "method=hex" of the body by the secret; no time tells how far it is."""
    method, _, given = (field or "").strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(expected.encode(), given.strip().lower().encode())

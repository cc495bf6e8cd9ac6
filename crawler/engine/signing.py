"""A request that is about to be written, signed: what stands on the wire is known here and nowhere above."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.web.client import URI
from twisted.web.http_headers import Headers

from crawler.identity.key import Identity
from crawler.identity.signatures import Target, sign_request


def signed_fields(identity: Identity, method: bytes, uri: bytes, headers: Headers) -> list[tuple[bytes, bytes]]:
    """The fields that sign a request for an address, as Twisted writes it, also one that goes to a proxy."""
    address = URI.fromBytes(uri)
    (host,) = headers.getRawHeaders(b"host") or (address.netloc,)
    parts = (method, address.originForm, host, address.scheme)
    target = Target.of(*(part.decode("latin-1") for part in parts))
    signed = sign_request(identity, target, datetime.now(UTC))
    return [(name.encode(), value.encode()) for name, value in signed]

"""Whether who asks has what he asks for already (RFC 9110, 13.1.2)."""

from __future__ import annotations

import re

from starlette.requests import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def has_it(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` has this tag, or any: compared weakly, as a proxy that packs answers makes a tag weak."""
    said = ",".join(request.headers.getlist("if-none-match"))
    return said.strip() == "*" or etag in _TAG.findall(said)

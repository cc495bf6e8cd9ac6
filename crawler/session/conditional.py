"""Conditional requests: ask only for what has changed (RFC 9110, 13), and tell which capture a 304 confirms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import NewskeepError
from storage.http import HttpMessage

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.model import Capture, Exchange

#: Request fields that make a request conditional.
CONDITIONS = ("If-None-Match", "If-Modified-Since")
#: Captures that are read to find the one that a 304 confirms, from the newest on.
_READ_AT_MOST = 3
#: Characters; what is longer is no validator but a mistake, and would go out with every request.
_LONGEST = 1_000
# A field value without what would break the request's lines.
_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Validators:
    """What a response says of its version, as sent."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)


def validators(response: bytes) -> Validators:
    """Read the validators of a response as on the wire; its head is enough. Never raises."""
    message = HttpMessage.parse(response)
    return Validators(_usable(message.header("etag")), _usable(message.header("last-modified")))


def conditional_headers(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The request fields that ask for a page only if it is another than the one with these validators."""
    values = zip(CONDITIONS, (_usable(etag), _usable(last_modified)), strict=True)
    return {name: value for name, value in values if value}


def asks_conditionally(request: bytes) -> bool:
    """Whether a request as on the wire may be answered with 304."""
    message = HttpMessage.parse(request)
    return any(message.header(name) for name in CONDITIONS)


def confirms(exchange: Exchange, earlier: Validators) -> bool:
    """Whether a 304 is about the version with these validators: they are what was asked with.

    An ETag counts alone where one was sent (RFC 9110, 13.1.3); compared weakly, as the server does.
    """
    request, answer = HttpMessage.parse(exchange.request), validators(exchange.response)
    if answer.etag and earlier.etag and _opaque(answer.etag) != _opaque(earlier.etag):
        return False
    if asked := request.header(CONDITIONS[0]):
        return earlier.etag is not None and _opaque(asked) == _opaque(earlier.etag)
    return earlier.last_modified is not None and request.header(CONDITIONS[1]) == earlier.last_modified


def confirmed(archive: Archive, exchange: Exchange) -> Capture | None:
    """Return the capture in the archive that a 304 confirms; `None` where none is known, or it cannot be read now.

    Reads up to three captures.
    """
    read = 0
    found: Capture | None = None

    def accept(capture: Capture) -> bool:
        nonlocal read, found
        if capture.status is None or not 200 <= capture.status < 300:
            return False
        read += 1
        if read > _READ_AT_MOST:
            return True
        memento = archive.read(capture)
        if memento.truncated is None and confirms(exchange, validators(memento.response)):
            found = memento.original
        return found is not None

    try:
        archive.index.latest(exchange.url, accept=accept)
    except NewskeepError:
        return None  # without the store, the 304 stays an answer by itself
    return found


def _usable(value: str | None) -> str | None:
    value = (value or "").strip()
    return value if len(value) <= _LONGEST and _VALUE.fullmatch(value) else None


def _opaque(etag: str) -> str:
    return etag.removeprefix("W/")

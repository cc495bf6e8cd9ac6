"""The other origin: mementos and raw originals, which somebody else wrote.

`/web/<14 digits>/<url>` is the memento, `/web/<14 digits>id_/<url>` the same without anything of ours that a tool could
take for the original's: both have the body byte for byte as it was sent, transfer coding removed, and the status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newskeep.web.addresses import Origins, memento_path, target
from newskeep.web.conditions import has_it
from newskeep.web.content_types import attachment, safe_type
from newskeep.web.memento import http_date, links
from newskeep.web.memento_lookup import nearest
from newskeep.web.payload import Payload, payload_of
from newskeep.web.ranges import Range, parse_range
from newskeep.web.withheld import mind
from storage.archive import Archive
from storage.errors import InvalidURL
from storage.http import HttpMessage, begins_as
from storage.model import Capture
from storage.urls import normalize, parse_timestamp, timestamp14

# Modifiers of other archives ("im_" for pictures, "if_" for frames, …) mean a rewritten page there, here the page.
#: The address of a memento, up to its URL.
MEMENTO = re.compile(r"/web/(?:(\d{1,14})([a-z]{2}_)?/)?")
#: Fields and bytes of the archived head that are passed on; Python's own client takes 100 fields.
_MAX_FIELDS, _MAX_FIELD_BYTES = 64, 24 * 1024
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_NOT_IN_VALUES = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress"})
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_BODY = (204, 205, 304)


def routes() -> list[BaseRoute]:
    return [Route("/web/{url:path}", _memento), Route("/healthz", _healthz), Route("/robots.txt", _robots)]


def _healthz(request: Request) -> PlainTextResponse:  # noqa: ARG001
    return PlainTextResponse("ok\n")


def _robots(request: Request) -> PlainTextResponse:  # noqa: ARG001
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


def _memento(request: Request) -> Response:
    match, url = target(request, MEMENTO)
    archive: Archive = request.app.state.archive
    origins = Origins.of(request)
    digits, modifier = match[1], match[2] or ""
    capture = nearest(archive, url, parse_timestamp(digits) if digits else None)
    mind(request, capture)
    stamp = timestamp14(capture.timestamp)
    if stamp != digits or not _is_named(capture, url):
        where = origins.open(memento_path(stamp, capture.url, modifier))
        return Response(status_code=302, headers={"Location": where, "Link": f'<{url}>; rel="original"'})
    payload = payload_of(archive, capture)
    response = _answer(request, capture, payload)
    fields = response.headers
    fields["Memento-Datetime"] = http_date(capture.timestamp)
    fields["Link"] = links(origins, capture, archive, modifier)
    if payload.head.status in _REDIRECTS and (path := _redirect(archive, capture, payload.head, modifier)):
        fields["Location"] = origins.open(path)
    response.raw_headers.extend(archived_fields(payload.head))
    return response


def _is_named(capture: Capture, url: str) -> bool:
    """Whether a normalized URL is a capture's, which another crawler may have written as it came."""
    try:
        return url in (capture.url, normalize(capture.url))
    except InvalidURL:
        return False


def _answer(request: Request, capture: Capture, payload: Payload) -> Response:
    """The body, or the part of it that is asked for, with the fields that describe it."""
    head = payload.head
    # 206 without our knowing which part, 1xx, and what is no status of HTTP cannot be given as they were.
    status = head.status if head.status is not None and 200 <= head.status < 600 and head.status != 206 else 200
    kind, saved = safe_type(head.media_type, head.header("content-type"))
    fields = {"Content-Type": kind, "Accept-Ranges": "bytes", "ETag": _etag(capture)}
    if saved:
        fields["Content-Disposition"] = attachment(capture.url)
    codings = [coding.lower() for coding in head.all("content-encoding")]
    # A browser shows nothing of a body that is not in the coding that is named.
    if codings and _CODINGS.issuperset(codings) and begins_as(codings[-1], b"".join(payload.part(0, 4))):
        fields["Content-Encoding"] = ", ".join(codings)
    if status in _NO_BODY:
        return Response(status_code=status, headers=fields)
    if status == 200 and has_it(request, fields["ETag"]):
        return Response(status_code=304, headers=fields)
    part = Range(0, payload.size)
    if status == 200 and request.headers.get("if-range") in (None, fields["ETag"]):
        asked = parse_range(request.headers.get("range"), payload.size)
        if asked is not None:
            part, status = asked, 206 if asked.end > asked.start else 416
            place = f"{part.start}-{part.end - 1}" if status == 206 else "*"
            fields["Content-Range"] = f"bytes {place}/{payload.size}"
    fields["Content-Length"] = str(part.end - part.start)
    if request.method == "HEAD":
        return Response(b"", status, fields)
    if payload.data is not None:
        return Response(payload.data[part.start : part.end], status, fields)
    return StreamingResponse(payload.part(part.start, part.end), status, fields)


def _etag(capture: Capture) -> str:
    return f'"{timestamp14(capture.timestamp)}-{(capture.digest or "none").rpartition(":")[2]}"'


def _redirect(archive: Archive, capture: Capture, head: HttpMessage, modifier: str) -> str | None:
    """Return the path of the memento that an archived redirect leads to, `None` where it leads to itself or nowhere."""
    location = head.header("location") or ""
    try:
        found = archive.redirected(capture, location)
        if found is None:
            return memento_path(timestamp14(capture.timestamp), normalize(urljoin(capture.url, location)), modifier)
    except (InvalidURL, ValueError):
        return None
    if found == capture:
        return None
    return memento_path(timestamp14(found.timestamp), found.url, modifier)


def archived_fields(head: HttpMessage) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields of an archived head under names that mean nothing to a browser.

    What no field may hold is left out, and all behind the first 64 or 24 KB.
    """
    left = _MAX_FIELD_BYTES
    for name, value in head.headers[:_MAX_FIELDS]:
        if not _NAME.fullmatch(name):
            continue
        clean = _NOT_IN_VALUES.sub("", value).strip()
        left -= len(name) + len(clean)
        if left < 0:
            return
        yield f"x-archive-orig-{name}".lower().encode("latin-1"), clean.encode("latin-1")

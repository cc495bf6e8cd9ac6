"""`/warc/<name>`: the WARC files themselves, whole or by range, for programs that read them by an index: pywb, others.

Names lie in no folders here, as indexes have them; a folder and a bucket look the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newskeep.web.conditions import has_it
from newskeep.web.ranges import Range, parse_range
from newskeep.web.withheld import mind_bytes
from storage.archive import Archive
from storage.errors import Corrupt, ObjectMissing
from storage.warc import key_of

_PIECE = 256 * 1024


def routes() -> list[BaseRoute]:
    return [Route("/warc/{name}", _warc)]


def _warc(request: Request) -> Response:
    name = request.path_params["name"]
    try:
        key = key_of(name)
    except Corrupt as error:
        raise ObjectMissing(str(error)) from None
    archive: Archive = request.app.state.archive
    held = archive.store.stat(key) if key.endswith(f"/{name}") else None
    if held is None:
        raise ObjectMissing(f"{name} is not in the archive")
    fields = {
        "Content-Type": "application/warc",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Accept-Ranges": "bytes",
        # Its bytes are never others: a WARC is not changed once it is there.
        "ETag": f'"{name}"',
    }
    status = 200
    part: Range | None = None
    if request.headers.get("if-range") in (None, fields["ETag"]):
        part = parse_range(request.headers.get("range"), held.size)
    if part is not None:
        status = 206 if part.end > part.start else 416
        fields["Content-Range"] = f"bytes {f'{part.start}-{part.end - 1}' if status == 206 else '*'}/{held.size}"
    part = part or Range(0, held.size)
    fields["Content-Length"] = str(part.end - part.start)
    mind_bytes(request, archive, name, part.start, part.end)
    if has_it(request, fields["ETag"]):
        del fields["Content-Length"]
        return Response(status_code=304, headers=fields)
    if request.method == "HEAD" or status == 416:
        return Response(b"", status, fields)
    return StreamingResponse(_pieces(archive.store.open(key, part.start, part.end - part.start)), status, fields)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(_PIECE):
            yield piece

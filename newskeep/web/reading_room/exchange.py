"""The exact exchange: what was sent and what came back, and the record that holds it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.addresses import target
from newskeep.web.payload import SMALL, payload_of
from newskeep.web.reading_room import humanize
from newskeep.web.reading_room.common import address, archive_of, capture_asked, citations_of, missing, show
from newskeep.web.reading_room.side_by_side import article_of
from newskeep.web.withheld import mind
from storage.archive import Archive
from storage.errors import NotArchived
from storage.http import HttpMessage
from storage.model import Capture

_ADDRESS = address("exchange")


@dataclass(frozen=True, slots=True)
class Held:
    """What a capture's records say; `None` of what is not shown because it would have to be read whole."""

    request: list[str] | None
    request_body: int
    response: list[str]
    body: int
    fields: tuple[tuple[str, str], ...] | None
    #: Of a 304, the head of the page that it confirms.
    confirmed: list[str] | None = None


def page(request: Request) -> Response:
    try:
        capture = capture_asked(request, _ADDRESS)
    except NotArchived as error:
        return missing(request, target(request, _ADDRESS)[1], error)
    mind(request, capture)
    archive = archive_of(request)
    held = _small(archive, capture) if capture.length <= SMALL else _large(archive, capture)
    citations = citations_of(request, capture, article_of(request, capture))
    return show(request, "exchange.html", capture=capture, held=held, citations=citations)


def _small(archive: Archive, capture: Capture) -> Held:
    record = archive.reader.record(capture)
    try:
        sent = HttpMessage.parse(archive.reader.request(capture).block)
    except NotArchived:
        sent = None
    payload = payload_of(archive, capture)
    came = HttpMessage.parse(record.block) if record.block else HttpMessage.parse(archive.read(capture).response)
    return Held(
        request=humanize.visible(sent.head) if sent else None,
        request_body=len(sent.body) if sent else 0,
        response=humanize.visible(came.head),
        body=payload.size,
        fields=record.fields,
        confirmed=humanize.visible(payload.head.head) if payload.head.status != came.status else None,
    )


def _large(archive: Archive, capture: Capture) -> Held:
    payload = payload_of(archive, capture)
    return Held(None, 0, humanize.visible(payload.head.head), payload.size, None)

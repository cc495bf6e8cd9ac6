"""The original page beside the text. It is in a sandbox on its own origin, and can do nothing there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.addresses import target
from newskeep.web.content_types import safe_type
from newskeep.web.payload import payload_of
from newskeep.web.reading_room import screenshot
from newskeep.web.reading_room.common import address, archive_of, capture_asked, citations_of, missing, show
from newskeep.web.reading_room.text import parts
from newskeep.web.withheld import mind
from storage.errors import NewskeepError, NotArchived
from storage.model import Article, Capture

_ADDRESS = address("beside")


def page(request: Request) -> Response:
    try:
        capture = capture_asked(request, _ADDRESS)
    except NotArchived as error:
        return missing(request, target(request, _ADDRESS)[1], error)
    mind(request, capture)
    head = payload_of(archive_of(request), capture).head
    _, saved = safe_type(head.media_type, head.header("content-type"))
    article = article_of(request, capture)
    return show(
        request,
        "side_by_side.html",
        capture=capture,
        answered=head.status,
        article=article,
        citations=citations_of(request, capture, article),
        parts=list(parts(article)) if article else [],
        correcting=None,
        framed=not saved,
        pictured=screenshot.is_held(archive_of(request), capture, article),
        kind=head.media_type,
    )


def article_of(request: Request, capture: Capture) -> Article | None:
    """The text that was made of this capture, or of the one whose body it has; `None` where none was."""
    archive = archive_of(request)
    entry = archive.index.article(capture.url, capture.timestamp)
    try:
        return archive.read_article(entry) if entry and entry.timestamp <= capture.timestamp else None
    except NewskeepError:
        return None

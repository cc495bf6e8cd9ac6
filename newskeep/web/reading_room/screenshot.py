"""How a page looked in the browser that showed it: a picture that was made here, not one of the page's own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from newskeep.web.addresses import target
from newskeep.web.reading_room.common import address, archive_of, capture_asked, missing
from newskeep.web.withheld import mind
from storage.archive import Archive
from storage.errors import NewskeepError, NotArchived
from storage.model import Article, Capture

_ADDRESS = address("screenshot")


def page(request: Request) -> Response:
    try:
        capture = capture_asked(request, _ADDRESS)
        mind(request, capture)
        picture = archive_of(request).reader.rendition(capture, "screenshot")
    except NotArchived as error:
        return missing(request, target(request, _ADDRESS)[1], error)
    return Response(picture.block, media_type="image/png")


def is_held(archive: Archive, capture: Capture | None, article: Article | None) -> bool:
    """Whether there is a picture of a capture; only one whose text is that of a browser is looked at."""
    made = article.extractor if article is not None else None
    if capture is None or made is None or not made.method.startswith("rendered"):
        return False
    try:
        archive.reader.rendition(capture, "screenshot")
    except NewskeepError:
        return False
    return True

"""A CDX server in two dialects: `/cdx` answers as pywb does, `/cdx/search/cdx` as the Internet Archive."""

from __future__ import annotations

from itertools import chain

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from newskeep.web.cdx.output import TYPES, chunks
from newskeep.web.cdx.paging import Pages, Turns
from newskeep.web.cdx.query import BLOCK, CdxQuery, Dialect, parse_query
from newskeep.web.cdx.search import Search
from storage.archive import Archive
from storage.errors import NotArchived, UsageError
from storage.model import Capture

#: Questions about more than one URL that are answered at once.
TURNS = 4


def routes() -> list[BaseRoute]:
    server = _Server()
    return [Route("/cdx", server.pywb), Route("/cdx/search/cdx", server.internet_archive)]


class _Server:
    def __init__(self) -> None:
        self._pages = Pages()
        self._turns = Turns(TURNS)

    def pywb(self, request: Request) -> Response:
        return self._answer(request, "pywb")

    def internet_archive(self, request: Request) -> Response:
        return self._answer(request, "ia")

    def _answer(self, request: Request, dialect: Dialect) -> Response:
        query = parse_query(request, dialect)
        archive: Archive = request.app.state.archive
        if query.count_pages:
            return self._count(archive, query)
        body = chunks(query, Search(archive.index, query, self._begin(archive, query)))
        if query.match != "exact":
            body = self._turns.take(body)
        # Asked for here, so that what is wrong is told by the status.
        first = next(body, None)
        if first is None and dialect == "pywb":
            raise NotArchived(f"No Captures found for: {query.url}")

        media_type = TYPES[dialect, query.output]
        second = next(body, None)
        if second is None:
            # A stream costs a few milliseconds, which is most of a short answer.
            return Response(first or b"", media_type=media_type)
        return StreamingResponse(chain((first or b"", second), body), media_type=media_type)

    def _begin(self, archive: Archive, query: CdxQuery) -> Capture | None:
        if query.page is None:
            return None
        try:
            return self._pages.before(archive.index, query, query.page)
        except LookupError:
            raise UsageError(f"page {query.page} is behind the last one") from None

    def _count(self, archive: Archive, query: CdxQuery) -> Response:
        (total,) = self._turns.take(self._pages.count(archive.index, query) for _ in range(1))
        pages = -(-total // query.page_size)
        if query.dialect == "ia":
            return PlainTextResponse(f"{pages}\n")
        size = query.page_size // BLOCK
        return JSONResponse({"pages": pages, "pageSize": size, "blocks": -(-total // BLOCK)})

"""The reading room: the archive's pages for people. One file a page; none needs a script to be read."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from storage.web.room import article, beside, captures, compare, exchange, front, search, sites, verify
from storage.web.room.reports import Reports


def routes() -> list[BaseRoute]:
    return [
        Route("/", front.page(Reports())),
        Route("/search", search.page),
        Route("/sites", sites.listed),
        Route("/site/{site}", sites.page),
        Route("/article/{url:path}", article.page),
        Route("/captures/{url:path}", captures.page),
        Route("/compare", compare.chosen),
        Route("/compare/{url:path}", compare.page),
        Route("/beside/{url:path}", beside.page),
        Route("/exchange/{url:path}", exchange.page),
        Route("/verify/{url:path}", verify.page, methods=["POST"]),
    ]

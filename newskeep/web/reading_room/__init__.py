"""The reading room: the archive's pages for people. One file a page; none needs a script to be read."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from newskeep.status.reports import Reports
from newskeep.web.reading_room import (
    article,
    captures,
    compare,
    correct,
    doubts,
    exchange,
    home,
    save,
    screenshot,
    search,
    side_by_side,
    sites,
    status,
    tags,
    verify,
)


def routes() -> list[BaseRoute]:
    reports = Reports()
    return [
        Route("/", home.page(reports)),
        Route("/status", status.page(reports)),
        Route("/search", search.page),
        Route("/doubts", doubts.page),
        Route("/sites", sites.listed),
        Route("/tags", tags.page),
        Route("/site/{site}", sites.page),
        Route("/article/{url:path}", article.page),
        Route("/captures/{url:path}", captures.page),
        Route("/compare", compare.chosen),
        Route("/compare/{url:path}", compare.page),
        Route("/beside/{url:path}", side_by_side.page),
        Route("/screenshot/{url:path}", screenshot.page),
        Route("/exchange/{url:path}", exchange.page),
        Route("/correct/{url:path}", correct.page),
        Route("/correct/{url:path}", correct.say, methods=["POST"]),
        Route("/save", save.page),
        Route("/save", save.ask, methods=["POST"]),
        Route("/jobs/{job}", save.job),
        Route("/verify/{url:path}", verify.page, methods=["POST"]),
    ]

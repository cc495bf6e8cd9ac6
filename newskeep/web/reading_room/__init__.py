"""The reading room: the archive's pages for people. One file a page; none needs a script to be read."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from newskeep.status.reports import Reports
from newskeep.web.reading_room import (
    article,
    captures,
    choose_language,
    compare,
    correct,
    doubts,
    exchange,
    fleet,
    home,
    replay,
    save,
    screenshot,
    search,
    side_by_side,
    sites,
    status,
    tags,
    verify,
)
from newskeep.web.reading_room.site_health import SiteHealth


def routes() -> list[BaseRoute]:
    reports, health = Reports(), SiteHealth()
    return [
        Route("/", home.page(reports, health)),
        Route("/status", status.page(reports)),
        Route("/fleet", fleet.page),
        Route("/search", search.page),
        Route("/doubts", doubts.page),
        Route("/sites", sites.listed(health)),
        Route("/tags", tags.page),
        Route("/language", choose_language.choose, methods=["POST"]),
        Route("/site/{site}", sites.page),
        Route("/article/{url:path}", article.page),
        Route("/captures/{url:path}", captures.page),
        Route("/compare", compare.chosen),
        Route("/compare/{url:path}", compare.page),
        Route("/beside/{url:path}", side_by_side.page),
        Route("/screenshot/{url:path}", screenshot.page),
        Route("/exchange/{url:path}", exchange.page),
        Route("/replay/{url:path}", replay.page),
        Route("/correct/{url:path}", correct.page),
        Route("/correct/{url:path}", correct.say, methods=["POST"]),
        Route("/save", save.page),
        Route("/save", save.ask, methods=["POST"]),
        Route("/jobs/{job}", save.job),
        Route("/verify/{url:path}", verify.page, methods=["POST"]),
    ]

"""The sites, and one site: its articles, how many a day, and how its crawls go where that is known here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crawler.frontier import frontier_of, has_frontier
from crawler.frontier.address_state import Coverage, SiteRun, SiteState
from crawler.frontier.frontier import Frontier
from newskeep.health.verdicts import Verdict
from newskeep.web.api.cursor import article_cursor, parse_article_cursor
from newskeep.web.options import ServeOptions
from newskeep.web.params import Params
from newskeep.web.reading_room.common import archive_of, show
from newskeep.web.reading_room.home import articles_picture, begin_of
from newskeep.web.reading_room.links import Links
from newskeep.web.reading_room.site_health import SiteHealth
from storage.archive import Archive
from storage.errors import NewskeepError
from storage.index import ArticleEntry

#: Sites of a page, articles of a page, days of the picture and of coverage, runs.
SITES, ARTICLES, DAYS, COVERED, RUNS = 60, 30, 60, 7, 8
#: Sites of the frontier that are asked whether they know a host's articles.
_ASKED = 200
_SITE = re.compile(r"[a-z0-9._-]{1,255}")


@dataclass(frozen=True, slots=True)
class SiteRuns:
    """How the crawls of a site go, as this machine's frontier has it."""

    state: SiteState
    runs: list[SiteRun]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class ListedSite:
    """A site in the list."""

    name: str
    newest: ArticleEntry | None
    #: Articles that were captured in the last `DAYS` days.
    articles: int
    verdict: Verdict | None


def listed(health: SiteHealth) -> Callable[[Request], Response]:
    """Return the handler; `health` is what it remembers of sites."""

    def sites(request: Request) -> Response:
        archive, after = archive_of(request), Params(request).text("after", most=300) or ""
        options: ServeOptions = request.app.state.options
        names = list(islice(archive.index.sites(after), SITES + 1))
        verdicts = health.of(archive, options.config, names[:SITES])
        return show(
            request,
            "sites.html",
            sites=[_listed(archive, name, verdicts.get(name)) for name in names[:SITES]],
            days=DAYS,
            after=names[SITES - 1] if names[SITES:] else None,
            begun=not after,
        )

    return sites


def _listed(archive: Archive, name: str, verdict: Verdict | None) -> ListedSite:
    since = begin_of(datetime.now(UTC).date(), DAYS)
    newest = next(archive.index.articles(site=name, limit=1), None)
    return ListedSite(name, newest, sum(archive.index.articles_a_day(since, name).values()), verdict)


def page(request: Request) -> Response:
    site = request.path_params["site"]
    if not _SITE.fullmatch(site):
        raise HTTPException(404)
    archive, after = archive_of(request), Params(request).text("after", most=100)
    cursor = parse_article_cursor(after) if after else None
    entries = list(archive.index.articles(site=site, after=cursor, limit=ARTICLES + 1))
    if not entries and cursor is None:
        raise HTTPException(404, f"no article of {site} is held; /sites lists the sites")
    today = datetime.now(UTC).date()
    more = entries[ARTICLES:]
    return show(
        request,
        "site.html",
        site=site,
        entries=entries[:ARTICLES],
        following=f"{Links(request).site(site)}?after={article_cursor(entries[ARTICLES - 1])}" if more else None,
        begun=cursor is None,
        articles=articles_picture(archive.index.articles_a_day(begin_of(today, DAYS), site), today, DAYS),
        health=None if cursor else health_of(archive, site, entries),
        covered=COVERED,
    )


def health_of(archive: Archive, site: str, entries: list[ArticleEntry]) -> SiteRuns | None:
    """How a site's crawls go; `None` where no frontier is here, or it knows nothing of the site."""
    try:
        # Asking for the frontier makes one.
        if not has_frontier(archive):
            return None
        name = _name_of(frontier_of(archive), site, [entry.url for entry in entries[:10]])
        if name is None:
            return None
        since = begin_of(datetime.now(UTC).date(), COVERED)
        coverage = frontier_of(archive).coverage(name, since, samples=3)
        return SiteRuns(frontier_of(archive).site(name), frontier_of(archive).runs(name, RUNS), coverage)
    except NewskeepError:
        # Another process may be making it anew; the articles are here all the same.
        return None


def _name_of(frontier: Frontier, site: str, urls: list[str]) -> str | None:
    """The name under which the frontier has a host: its own, the one it begins with, or one that knows its articles."""
    names = [state.site for state in islice(frontier.sites(), _ASKED)]
    likely = [name for name in names if site == name or site.startswith(f"{name}.") or f".{name}." in site]
    return next((name for name in [*likely, *names] if frontier.known_among(name, urls)), None)

"""The front page: the articles that came out last, and what the archive holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import Response

from newskeep.status.reports import DAYS, ReportHead, Reports, failures
from newskeep.web.options import ServeOptions
from newskeep.web.reading_room import humanize
from newskeep.web.reading_room.charts import Bars, bars, days_until
from newskeep.web.reading_room.common import archive_of, show
from newskeep.web.reading_room.publication import by_day, latest
from newskeep.web.reading_room.site_health import SiteHealth

#: Articles that are listed, days of the picture, and sites with their days.
LATEST, MONTH, SITES, SITE_DAYS = 30, 30, 12, 7
#: Articles among which those are: the last captured. A back-fill of more hides for a while what came out before.
READ = 1_000
OUTCOMES = ("archived", "unchanged", "refused", "failed")


def page(reports: Reports, health: SiteHealth) -> Callable[[Request], Response]:
    """Return the handler; `reports` and `health` are what it remembers of crawls and sites."""

    def front(request: Request) -> Response:
        archive = archive_of(request)
        today = datetime.now(UTC).date()
        options: ServeOptions = request.app.state.options
        newest = latest(archive.index.articles(limit=READ))
        sites = archive.index.busiest_sites(begin_of(today, SITE_DAYS), SITES)
        crawled = failures(reports, archive)
        return show(
            request,
            "home.html",
            counts=archive.index.counts(),
            days=by_day(newest[:LATEST]),
            more=len(newest) > LATEST,
            articles=articles_picture(archive.index.articles_a_day(begin_of(today, MONTH)), today),
            sites=sites,
            health=health.of(archive, options.config, [site for site, _ in sites]),
            site_days=SITE_DAYS,
            crawled=crawled,
            outcomes=_outcomes(crawled, today) if crawled else None,
        )

    return front


def begin_of(today: date, days: int) -> datetime:
    """The first moment of the last `days` days."""
    return datetime.combine(today - timedelta(days=days - 1), time(), UTC)


def articles_picture(counted: dict[date, int], today: date, number: int = MONTH) -> Bars:
    return bars(days_until(today, number), {"articles": counted}, humanize.short_day)


def _outcomes(crawled: list[ReportHead], today: date) -> Bars:
    kinds: dict[str, Counter[date]] = {name: Counter() for name in OUTCOMES}
    for report in crawled:
        for name, number in report.counts.items():
            if name in kinds:
                kinds[name][report.day] += number
    return bars(days_until(today, DAYS), kinds, humanize.short_day)

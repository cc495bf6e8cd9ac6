"""The front page: the latest articles, and what the archive holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from newskeep.status.reports import DAYS, ReportHead, Reports, failures
from newskeep.web.reading_room import humanize
from newskeep.web.reading_room.charts import Bars, bars, days_until
from newskeep.web.reading_room.common import archive_of, show
from storage.index import ArticleEntry

#: Articles that are listed, days of the picture, and sites with their days.
LATEST, MONTH, SITES, SITE_DAYS = 30, 30, 12, 7
OUTCOMES = ("archived", "unchanged", "refused", "failed")


def page(reports: Reports) -> Callable[[Request], Response]:
    """Return the handler; `reports` is what it remembers of crawl reports."""

    def front(request: Request) -> Response:
        archive = archive_of(request)
        today = datetime.now(UTC).date()
        latest = list(archive.index.articles(limit=LATEST + 1))
        crawled = failures(reports, archive)
        return show(
            request,
            "home.html",
            counts=archive.index.counts(),
            days=by_day(latest[:LATEST]),
            more=len(latest) > LATEST,
            articles=articles_picture(archive.index.articles_a_day(begin_of(today, MONTH)), today),
            sites=archive.index.busiest_sites(begin_of(today, SITE_DAYS), SITES),
            site_days=SITE_DAYS,
            crawled=crawled,
            outcomes=_outcomes(crawled, today) if crawled else None,
        )

    return front


def by_day(entries: list[ArticleEntry]) -> list[tuple[date, list[ArticleEntry]]]:
    """Articles under the day on which they were captured, in UTC."""
    return [(day, list(same)) for day, same in groupby(entries, key=lambda entry: entry.timestamp.date())]


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

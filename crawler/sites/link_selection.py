"""Which of the links that a source gives are taken as articles of a site, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from crawler.discovery import Examples, Link, canonical_candidate, dates_in_address, trap_reason
from crawler.frontier.address_state import Announcement
from crawler.sites.nothing_found import OUTSIDE
from crawler.sites.section import has_own_addresses
from crawler.sites.site import Site
from crawler.sites.time_window import Dates, Standing, Window

#: A sitemap's entries that are older are no news, unless somebody asks for them with --since.
_NEWS = timedelta(days=7)
#: … but of each sitemap so many are taken whatever their age, so that a small or slow site is not empty at first.
_NEWEST = 50
#: Entries without a date may be news; of a larger sitemap they mostly are not.
_UNDATED = 1_000
_NEVER = datetime.min.replace(tzinfo=UTC)
#: Why entries of a sitemap are left out for their date.
OLD = "older than a week"
#: Why links are left out that are not those of the section that is asked for.
ELSEWHERE = "outside of the section"


@dataclass(frozen=True, slots=True)
class LinkSelection:
    """The articles among a source's links, in its order, and how many were left out for which reason."""

    articles: tuple[Announcement, ...]
    dropped: Counter[str]
    #: An address that was left out, for each reason.
    samples: dict[str, str]
    #: Those that were left out and have a date, which another source, that has them taken, may not have told.
    left_out: tuple[Announcement, ...] = ()
    #: Addresses of those that are not of the time wanted.
    outside: tuple[str, ...] = ()
    #: Entries of a sitemap that may be of the time wanted or not, those first that may sooner be.
    doubtful: tuple[Announcement, ...] = ()


@dataclass(slots=True)
class LinkSelector:
    """Takes the links of one run. Sources that are trusted teach it what the site's article addresses look like."""

    site: Site
    window: Window
    now: datetime
    _examples: list[str] = field(default_factory=list)

    @property
    def examples(self) -> Examples:
        return Examples(self._examples)

    def feed(self, links: Iterable[Link], source: str) -> LinkSelection:
        """Take a feed's links: it is the editors' own list of articles."""
        taken = self._take(links, source, trusted=True, whole=self.site.has_below(source))
        # Those of other times look the same.
        found = [*(article.url for article in taken.articles), *taken.outside]
        self._examples += found[: 200 - len(self._examples)]
        return taken

    def page(self, links: Iterable[Link], source: str) -> LinkSelection:
        """Take the links of a page that look like articles; of a section's page all, where it has no own addresses."""
        if not self.site.section:
            return self._take(links, source, trusted=False)
        named = list(links)
        articles = (link.url for link in named if link.score >= 0.5)
        whole = self.site.has_below(source) and not has_own_addresses(articles, self.site.start)
        return self._take(named, source, trusted=False, whole=whole)

    def sitemap(self, links: Iterable[Link], source: str) -> LinkSelection:
        """Take the entries of a sitemap that look like articles and are news, or of the time that is wanted."""
        return self._of_time(links, source) if self.window else self._news(links, source)

    def _news(self, links: Iterable[Link], source: str) -> LinkSelection:
        dates = {link: self._newest_date(link) for link in links}
        dated = sorted(
            (link for link, date in dates.items() if date), key=lambda link: dates[link] or _NEVER, reverse=True
        )
        undated = [link for link, date in dates.items() if date is None]
        news = [link for link in dated if (dates[link] or _NEVER) >= self.now - _NEWS]
        number = max(len(news), _NEWEST)
        chosen = dated[:number] + (undated if len(undated) <= _UNDATED else [])
        taken = self._take(chosen, source, trusted=False)
        left = len(dates) - len(chosen)
        if left:
            taken.dropped[OLD] += left
        old = (_announcement(link.url, link, source) for link in dated[number:])
        return replace(taken, left_out=(*taken.left_out, *old))

    def _of_time(self, links: Iterable[Link], source: str) -> LinkSelection:
        """Those that are of the time wanted, by what is told of them, and apart from them those of which nothing is."""
        surely: list[Link] = []
        doubtful: list[Link] = []
        for link in links:
            unknown = self.window.standing(Dates.of_link(link, source), self.now) is Standing.UNKNOWN
            (doubtful if unknown else surely).append(link)
        # What changed soon after the time wanted was sooner published in it than what changed late, or never says.
        doubtful.sort(key=lambda link: (link.modified is None, link.modified or _NEVER))
        taken, others = (self._take(chosen, source, trusted=False) for chosen in (surely, doubtful))
        return LinkSelection(
            taken.articles,
            taken.dropped + others.dropped,
            taken.samples | others.samples,
            taken.left_out + others.left_out,
            taken.outside,
            others.articles,
        )

    def _newest_date(self, link: Link) -> datetime | None:
        """The latest date that is told of a link: what was published long ago may be news again."""
        named = [span.start for span in dates_in_address(link.url, self.now)]
        return max((date for date in (link.published, link.modified, *named) if date is not None), default=None)

    def _take(self, links: Iterable[Link], source: str, trusted: bool, whole: bool = False) -> LinkSelection:
        """Choose among links; `whole`: also, of a section, those that do not lie below it."""
        articles: dict[str, Announcement] = {}
        left_out: dict[str, Announcement] = {}
        dropped: Counter[str] = Counter()
        samples: dict[str, str] = {}
        outside: list[str] = []
        for link in links:
            # An AMP or print address stands for the article's own.
            guessed = canonical_candidate(link.url)
            url = guessed if guessed is not None and self.site.owns(guessed) else link.url
            elsewhere = ELSEWHERE if self.site.section and not whole and not self.site.has_below(url) else None
            if reason := self._refuses(url, link, trusted) or elsewhere or self._is_outside(link, source):
                dropped[reason] += 1
                samples.setdefault(reason, url)
                if reason == OUTSIDE:
                    outside.append(url)
                if link.published or link.modified:
                    left_out.setdefault(url, _announcement(url, link, source))
            elif url not in articles:
                # It names the guessed one, and is asked for where that is not there (crawler/sites/visit_outcome.py).
                named_by = source if url == link.url else link.url
                articles[url] = _announcement(url, link, named_by)
        return LinkSelection(
            tuple(articles.values()), dropped, samples, tuple(left_out.values()), tuple(dict.fromkeys(outside))
        )

    def _is_outside(self, link: Link, source: str) -> str | None:
        if not self.window:
            return None
        standing = self.window.standing(Dates.of_link(link, source), self.now)
        return OUTSIDE if standing is Standing.OUTSIDE else None

    def _refuses(self, url: str, link: Link, trusted: bool) -> str | None:
        if reason := self.site.refuses(url):
            return reason
        if reason := trap_reason(url):
            return f"a trap: {reason}"
        if trusted or link.score >= 0.5 or (self.site.include and self.site.includes(url)):
            return None
        return f"not an article: {link.reason}"


def date_of(item: Announcement, now: datetime) -> datetime | None:
    """The best that is told of when an article was published, as the frontier orders by it."""
    named = next((span.start for span in dates_in_address(item.url, now)), None)
    return item.published or named or item.modified


def _announcement(url: str, link: Link, named_by: str) -> Announcement:
    dates = Dates.of_link(link, named_by)
    return Announcement(url, "article", named_by, dates.published, dates.modified)

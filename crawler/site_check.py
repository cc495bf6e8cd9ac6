"""Tries sites out: what their sources give, what is taken, how one article reads. Nothing gets into the archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from urllib.parse import urljoin

from crawler.config import Config
from crawler.discovery import PageLinks
from crawler.politeness.robots import parse
from crawler.run import Crawl, check_network, crawl_of, run
from crawler.sites.link_selection import date_of
from crawler.sites.nothing_found import Findings, why_nothing
from crawler.sites.site import Site
from crawler.sites.site_table import site_table, table_name
from crawler.sites.source_fetcher import SourceRead
from crawler.sites.source_schedule import is_article
from crawler.sites.subscribed import subscription_of
from storage import open_archive
from storage.archive import Archive
from storage.errors import NewskeepError, NotArchived
from storage.model import Article, Outcome
from storage.urls import without_dot_segments

#: Sections that are named.
_SECTIONS = 12
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Robots:
    """What robots.txt of the first address says; `status` is `None` where there was no answer, for `reason`."""

    url: str
    status: int | None = None
    allowed: bool = True
    crawl_delay: float | None = None
    reason: str | None = None


@dataclass(slots=True)
class Check:
    """What a try of a site found."""

    site: Site
    robots: Robots
    sources: list[SourceRead] = field(default_factory=list)
    #: What became of the one article that was fetched, and its text; `None` where there was none to fetch.
    outcome: Outcome | None = None
    article: Article | None = None
    failure: NewskeepError | None = None
    #: Whether its subscription let us in, in words; `None` of a site without one.
    subscription: str | None = None

    @property
    def articles(self) -> dict[str, datetime | None]:
        """The addresses that would be fetched, with the dates their sources gave, the newest first."""
        found: dict[str, datetime | None] = {}
        now = datetime.now(UTC)
        items = [item for source in self.sources if source.taken for item in source.taken.articles]
        # Whichever source was read first: a time of publication says more than the day in the address.
        published = {item.url: item.published for item in items if item.published}
        for item in items:
            found[item.url] = published.get(item.url) or found.get(item.url) or date_of(item, now)
        return dict(sorted(found.items(), key=lambda item: item[1] or _NEVER, reverse=True))

    @property
    def dropped(self) -> list[tuple[int, str, str]]:
        """How many links were left out, why, and one of them; the most frequent reason first."""
        numbers: Counter[str] = Counter()
        samples: dict[str, str] = {}
        for source in self.sources:
            if source.taken:
                numbers += source.taken.dropped
                samples = {**source.taken.samples, **samples}
        return [(number, reason, samples.get(reason, "")) for reason, number in numbers.most_common()]

    @property
    def sections(self) -> tuple[str, ...]:
        pages = [source.reading for source in self.sources if isinstance(source.reading, PageLinks)]
        named = [section for page in pages for section in page.sections if self.site.owns(section)]
        if self.site.section:
            named = [section for section in named if self.site.has_below(section)]
        return tuple(dict.fromkeys(named))[:_SECTIONS]

    @property
    def nothing(self) -> str | None:
        """Why there is nothing to fetch, in a line."""
        read = [source for source in self.sources if source.reading is not None]
        if self.articles:
            return None
        if not read:
            return next((f"{source.url}: {source.reason}" for source in self.sources if source.reason), None)
        pages = [source for source in read if source.url in self.site.start and isinstance(source.reading, PageLinks)]
        dropped: Counter[str] = Counter()
        for source in read:
            dropped += source.taken.dropped if source.taken else Counter()
        found = Findings(
            self.site.name,
            sources=len(read),
            links=sum(len(source.reading.links) for source in read if source.reading is not None),
            dropped=dropped,
            start_article=next((page.url for page in pages if is_article(page.reading)), None),
        )
        return why_nothing(found)

    def table(self, name: str | None = None) -> str:
        """What to put into newskeep.toml, under `name` or the one that people call the site by."""
        good = [source for source in self.sources if source.taken is not None]

        def found(role: str) -> tuple[str, ...]:
            return tuple(source.url for source in good if source.role == role and _is_top(source, good))

        site = self.site
        declared = replace(
            site,
            start=site.start or found("page"),
            feeds=site.feeds or found("feed"),
            sitemaps=site.sitemaps or found("sitemap"),
        )
        return site_table(name or table_name(site.name), declared)


def check(sites: Sequence[Site], config: Config, on_end: Callable[[], None] = lambda: None) -> list[Check]:
    """Read the sources of sites and one article of each, into an archive that is thrown away; once in a process.

    `on_end` is called when one of them has been read. Stopped, it returns those of which something was. Raises
    `NewskeepError`.
    """
    check_network(config)
    tries = [_Try(site) for site in sites]
    outcomes: list[Outcome] = []
    with TemporaryDirectory(prefix="newskeep-check-") as folder:
        settings = {**config.scrapy_settings(), "ARCHIVE": folder, "STATE": None, "INDEX": None}
        with open_archive(folder) as archive:
            crawls = (each.crawl() for each in tries)
            result = run(archive, crawls, settings, outcomes.append, on_end=lambda crawl, state, run_id: on_end())
            begun = [each for each in tries if each.sources or not result.stopped]
            return [each.found(archive, config, outcomes, result.failure) for each in begun]


class _Try:
    """One site while it is tried out."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sources: list[SourceRead] = []
        self._subscription = subscription_of(site)

    def crawl(self) -> Crawl:
        once = replace(self.site, depth=0, cap=1, requisites=False)
        return crawl_of(once, on_read=self.sources.append, subscription=self._subscription)

    def found(
        self, archive: Archive, config: Config, outcomes: Sequence[Outcome], failure: NewskeepError | None
    ) -> Check:
        found = Check(self.site, _robots(archive, self.site, config, self.sources), self.sources, failure=failure)
        articles = found.articles
        found.outcome = next((outcome for outcome in outcomes if outcome.url in articles), None)
        if self._subscription is not None:
            let_in = _let_in(self.sources, found.outcome)
            found.subscription = self._subscription.state or let_in
        if found.outcome is not None:
            found.article = _article(archive, found.outcome)
        return found


def _robots(archive: Archive, site: Site, config: Config, sources: Sequence[SourceRead]) -> Robots:
    first = site.sources[0]
    url = urljoin(first, "/robots.txt")
    try:
        message = archive.get(url, follow=True).message
    except NotArchived:
        # Without robots.txt the first source is not asked either, for the same reason.
        reason = next((source.reason for source in sources if source.url == first), None)
        return Robots(url, reason=reason if config.robots else "not asked")
    if not 200 <= (message.status or 0) < 300:
        return Robots(url, message.status, allowed=(message.status or 0) < 500 and message.status != 429)
    rules = parse(message.content(4_000_000), "newskeep")
    delay = rules.crawl_delay("newskeep")
    allowed = not config.robots or rules.can_fetch(without_dot_segments(first), "newskeep")
    return Robots(url, message.status, allowed, float(delay) if delay else None)


def _let_in(sources: Sequence[SourceRead], outcome: Outcome | None) -> str:
    """What can be said of a subscription without a log-in, of which no page has said that it does not let us in."""
    if any(source.reading is not None for source in sources) or outcome is not None:
        return "cookies and fields were sent, and no page asked to log in"
    return "nothing was read"


def _article(archive: Archive, outcome: Outcome) -> Article | None:
    try:
        return archive.article(outcome.final_url or outcome.url)
    except NotArchived:
        return None


def _is_top(source: SourceRead, sources: list[SourceRead]) -> bool:
    """Whether no index names it: the index brings it."""
    named = {link.url for each in sources for link in getattr(each.reading, "next", ()) if hasattr(link, "url")}
    return source.url not in named

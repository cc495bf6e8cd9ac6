"""Which of the links that a source gives are taken as articles of a site, and why the others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crawler.discovery import Examples, Link, canonical_candidate, trap_reason
from crawler.frontier.address_state import Announcement
from crawler.sites.site import Site

#: A sitemap's entries that are older are no news, unless somebody asks for them with --since.
_NEWS = timedelta(days=7)
#: … but of each sitemap so many are taken whatever their age, so that a small or slow site is not empty at first.
_NEWEST = 50
#: Entries without a date may be news; of a larger sitemap they mostly are not.
_UNDATED = 1_000
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LinkSelection:
    """The articles among a source's links, in its order, and how many were left out for which reason."""

    articles: tuple[Announcement, ...]
    dropped: Counter[str]
    #: An address that was left out, for each reason.
    samples: dict[str, str]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a back-fill wants; open where `None`."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


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
        taken = self._take(links, source, trusted=True)
        self._examples += [article.url for article in taken.articles[: 200 - len(self._examples)]]
        return taken

    def page(self, links: Iterable[Link], source: str) -> LinkSelection:
        """Take the links of a page that look like articles."""
        return self._take(links, source, trusted=False)

    def sitemap(self, links: Iterable[Link], source: str) -> LinkSelection:
        """Take the entries of a sitemap that look like articles and are news, or of the time that is wanted."""
        dated: list[Link] = []
        undated: list[Link] = []
        for link in links:
            (undated if _date(link) is None else dated).append(link)
        dated.sort(key=lambda link: _date(link) or _NEVER, reverse=True)
        if self.window.since is None:
            news = [link for link in dated if _when(link) >= self.now - _NEWS]
            chosen = news if len(news) >= _NEWEST else dated[:_NEWEST]
            chosen += undated if len(undated) <= _UNDATED else []
        else:
            chosen = [link for link in dated if self.window.holds(_when(link))]
        taken = self._take(chosen, source, trusted=False)
        left = len(dated) + len(undated) - len(chosen)
        if left:
            taken.dropped["outside of the time wanted" if self.window.since else "older than a week"] += left
        return taken

    def _take(self, links: Iterable[Link], source: str, trusted: bool) -> LinkSelection:
        articles: dict[str, Announcement] = {}
        dropped: Counter[str] = Counter()
        samples: dict[str, str] = {}
        for link in links:
            # An AMP or print address stands for the article's own.
            guessed = canonical_candidate(link.url)
            url = guessed if guessed is not None and self.site.owns(guessed) else link.url
            if reason := self._refuses(url, link, trusted):
                dropped[reason] += 1
                samples.setdefault(reason, url)
            elif url not in articles:
                # It names the guessed one, and is asked for where that is not there (crawler/sites/visit_outcome.py).
                named_by = source if url == link.url else link.url
                articles[url] = Announcement(url, "article", named_by, _date(link))
        return LinkSelection(tuple(articles.values()), dropped, samples)

    def _refuses(self, url: str, link: Link, trusted: bool) -> str | None:
        if reason := self.site.refuses(url):
            return reason
        if reason := trap_reason(url):
            return f"a trap: {reason}"
        if trusted or link.score >= 0.5 or (self.site.include and self.site.includes(url)):
            return None
        return f"not an article: {link.reason}"


def _date(link: Link) -> datetime | None:
    return link.published or link.modified


def _when(link: Link) -> datetime:
    return _date(link) or _NEVER

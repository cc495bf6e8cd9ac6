"""What discovery finds, as frozen values. Times are aware datetimes in UTC; missing is `None`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: How a date of publication was told: with a time and a zone; without, so that it may be off by a day; or as the date
#: of an update, which stands for it and may be any time later.
Precision = Literal["moment", "day", "update"]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How sure we are of something, and why; true from 0.5 on."""

    #: From 0 (surely not) to 1 (surely).
    score: float
    #: For a person: "a date in the path", "a tag page".
    reason: str

    def __bool__(self) -> bool:
        return self.score >= 0.5


@dataclass(frozen=True, slots=True)
class Link:
    """One address that a feed, sitemap or page names."""

    #: As `identity` gives it: absolute, normalised, without tracking parameters and session ids.
    url: str
    published: datetime | None = None
    #: Of a sitemap entry its lastmod, of a feed entry its date of update.
    modified: datetime | None = None
    title: str | None = None
    #: From 0 to 1, how likely it is an article. Of a feed's or a news sitemap's link 1; of a sitemap's and a page's
    #: what URL, place and text say.
    score: float = 1.0
    #: Why `score` is what it is, in a few words for a person.
    reason: str = "announced"
    #: Of `published`.
    precision: Precision = "moment"


@dataclass(frozen=True, slots=True)
class SourceLinks:
    """What a feed or sitemap holds."""

    #: In the order of the document, each address once.
    links: tuple[Link, ...] = ()
    #: What was wrong with it, each a short line for a person that begins with its address. Bounded.
    problems: tuple[str, ...] = ()
    #: The feed's next page, or the sitemaps that an index or another sitemap names (with `modified`), in order.
    next: tuple[Link, ...] = ()
    #: "rss", "rdf", "atom", "json", "urlset", "index", "text"; `None`: nothing that could be read.
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What an HTML page says about itself and links to."""

    #: All links worth a look but those to files, in page order, each address once, with its best place's score:
    #: articles are those with `score >= 0.5`.
    links: tuple[Link, ...] = ()
    problems: tuple[str, ...] = ()
    #: Addresses of feeds the page announces (link rel=alternate), the whole site's before those of comments.
    feeds: tuple[str, ...] = ()
    #: Section pages of the same site, from its menus, best first.
    sections: tuple[str, ...] = ()
    #: The next page of this list (link or a rel=next).
    next: tuple[str, ...] = ()
    canonical: str | None = None
    amphtml: str | None = None
    nofollow: bool = False
    noindex: bool = False
    #: Whether this page is itself one article, by its JSON-LD, og:type and URL.
    article: Likelihood = Likelihood(0.0, "not read")

    @property
    def articles(self) -> tuple[Link, ...]:
        """The links that look like articles, in page order."""
        return tuple(link for link in self.links if link.score >= 0.5)

"""What is known of the addresses of a site, as frozen values. Times are aware datetimes in UTC; missing is `None`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from crawler.frontier.run_counts import RunCounts
from storage.model import RunState

#: What an address is to its site: a source of links (feed, sitemap, page) or what we came for.
Role = Literal["feed", "sitemap", "page", "article"]
#: What became of an address so far.
#: "waiting": never fetched; "held": in the archive; "gone": 404 or 410; "refused": not to be fetched or kept, with the
#: reason; "failed": tried and not got, with the reason; "alias": another address of an article that is known.
State = Literal["waiting", "held", "gone", "refused", "failed", "alias"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A link as a source gives it."""

    #: Normalised, without tracking parameters.
    url: str
    role: Role
    #: Address of the feed, sitemap or page that named it; `None` where the configuration did.
    source: str | None = None
    published: datetime | None = None
    #: When it changed, as a sitemap or feed tells: it was published no later.
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddressState:
    """What is known of one address."""

    site: str
    url: str
    role: Role
    state: State
    #: When it was first named, by `source`.
    announced: datetime
    reason: str | None = None
    source: str | None = None
    published: datetime | None = None
    #: Last time it was asked for, and last time its content was found changed.
    fetched: datetime | None = None
    changed: datetime | None = None
    #: When to ask for it again; `None`: never.
    due: datetime | None = None
    #: Seconds between the last visit and `due`: what the rhythm adapts.
    interval: float | None = None
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    #: Of what counts as its content: an article's text, a source's links.
    digest: str | None = None
    #: Visits in a row that failed.
    failures: int = 0
    alias_of: str | None = None
    #: First time it was held; stays when it fails or goes later.
    captured: datetime | None = None
    #: When it had last changed when a source first told so.
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What one fetch of an address found; replaces what was known of it, but for `announced`, `source`, `published`.

    A visit that brought no content (any state but "held", or status 304) leaves the validators and the digest as they
    were where it has none itself.
    """

    site: str
    url: str
    role: Role
    at: datetime
    state: State
    due: datetime | None
    interval: float | None = None
    changed: bool = False
    reason: str | None = None
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    alias_of: str | None = None
    #: From the page itself, where no source gave a date.
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class SiteState:
    """What is known of a site as a whole."""

    site: str
    started: datetime | None = None
    finished: datetime | None = None
    #: Earliest time of its next run; `None`: at once.
    due: datetime | None = None
    #: Left alone until then, with the reason, after the site blocked us so many times in a row.
    blocked_until: datetime | None = None
    blocked_reason: str | None = None
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class HostState:
    """What is known of a host, whichever site asks for it."""

    #: Host and port as in a URL's authority, lower case.
    host: str
    #: Nothing is asked of it before then (Retry-After).
    wait_until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RobotsText:
    """The robots.txt of an origin, such as "https://www.example.org", as far as it counts."""

    origin: str
    #: It is not to be asked for again before then.
    until: datetime
    #: Its content coding removed; empty where there is none, and all is allowed.
    content: bytes


@dataclass(frozen=True, slots=True)
class SiteRun:
    """One run over a site, for `health`."""

    site: str
    crawl: str
    started: datetime
    finished: datetime | None = None
    #: `None` while it runs, and for one that was killed.
    state: RunState | None = None
    counts: RunCounts = field(default_factory=RunCounts)
    #: Host -> why its requests failed most.
    hosts: Mapping[str, str] = field(default_factory=dict)
    #: What was wrong with sources, a line each, bounded.
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeGroup:
    """Announced articles that ended alike."""

    state: State
    reason: str | None
    count: int
    #: The newest few, for a person to look at.
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of the articles that a site announced from `since` until before `until`.

    An article that was held once counts as held, whatever a later visit said. Aliases are addresses of articles that
    are counted under another one: they have a group, and are not in `announced`.
    """

    site: str
    since: datetime
    until: datetime | None
    announced: int
    held: int
    #: Most frequent first; beyond the first fifty, what is rare is left out.
    groups: tuple[OutcomeGroup, ...] = ()
    #: Seconds from the announcement, and from publication as far as that is known, to the first capture.
    median_delay: float | None = None
    median_age: float | None = None


@dataclass(frozen=True, slots=True)
class FrontierCounts:
    """What the frontier holds."""

    sites: int
    sources: int
    #: Articles by state.
    articles: Mapping[State, int]
